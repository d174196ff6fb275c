/** A rule: what it compares, which kinds of change it can see, and how it looks. */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../kubernetes/objects.ts'
import type { Audience, ChangedNode, ChangeKind, JSONSchema, Level, PathElement, Scope } from './comparison.types.ts'

/** The same node of two schemas. */
export interface NodePair {
  before: JSONSchema
  after: JSONSchema
  path: readonly PathElement[]
  /** on which sides the object around requires it, where it is a field */
  required?: { before: boolean; after: boolean }
  /** the object around, where it is a field */
  around?: { before: JSONSchema; after: JSONSchema }
}

/** One version of a definition, on both sides. */
export interface VersionPair {
  before: CustomResourceDefinitionVersion
  after: CustomResourceDefinitionVersion
}

export interface DefinitionPair {
  before: CustomResourceDefinition
  after: CustomResourceDefinition
}

/** What a rule says of a change beside its kind. */
export interface Seen {
  before?: unknown
  after?: unknown
  /** where, if it is not where the rule looks */
  version?: string
  scope?: Scope
  path?: readonly PathElement[]
  node?: Omit<ChangedNode, 'path'>
  /** where this case weighs otherwise than its kind */
  level?: Level
  audiences?: readonly Audience[]
}

/** `Subject` is what the rule compares: two nodes, two versions, two definitions. */
export interface Rule<Subject> {
  /** `crd.enum`; the ids of its changes follow from it: `crd.enum.value-removed` */
  id: string
  compares: string
  kinds: Readonly<Record<string, ChangeKind>>
  compare: (subject: Subject, see: (kind: string, seen: Seen) => void) => void
}

/** A rule whose comparison can see just the kinds that the rule has. */
export interface RuleOf<Subject, Kind extends string> {
  id: string
  compares: string
  kinds: Readonly<Record<Kind, ChangeKind>>
  compare: (subject: Subject, see: (kind: Kind, seen: Seen) => void) => void
}
