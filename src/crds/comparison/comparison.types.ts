/** What a comparison of two CustomResourceDefinitions says. Pure data, so that it can be printed, ignored and replayed. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type { LiveEvidence, StoredEvidence } from './evidence.types.ts'

/**
 * Who is hurt. `writer`: a request accepted before is refused now, or means something else. `reader`: a client sees values, or
 * misses ones, as it never did. `stored`: an existing object becomes invalid, unreadable, pruned or changes its meaning.
 */
export type Audience = 'writer' | 'reader' | 'stored'
export type Level = 'error' | 'warning' | 'info'
export type Scope = 'definition' | 'same-version' | 'storage-pair' | 'served-pair'
export type ProfileName = 'kubeairunway' | 'kubernetes' | 'ngf' | 'olm' | 'strict'

/** A schema as it was read: nothing about its form is certain until looked at. */
export type JSONSchema = Readonly<Record<string, unknown>>

/** One step from a node of a schema to the next: a named property, the items of a list, the values of a map. */
export type PathElement = { property: string } | 'items' | 'values'

/** What a rule saw, before any profile has judged it. */
export interface Change {
  /** stable: `crd.<rule>.<change>`, such as `crd.enum.value-removed`; `crdify.<validation>` in the profiles strict and olm */
  id: string
  scope: Scope
  /** `v1alpha1`; `v1alpha1 -> v1beta1` for pairs; empty for the definition */
  version: string
  /** `^.spec.engine.type`, `[*]` for the items of a list, `{*}` for the values of a map; empty for none */
  path: string
  before?: unknown
  after?: unknown
  audiences: Audience[]
  /** its level before any profile */
  level: Level
  /** The changed node, to test stored objects for exactly this change. */
  node?: ChangedNode
}

/**
 * `before` or `after` are missing where there is no such node on that side. For a field that is required, this is the field, not
 * the object that it is missing from.
 */
export interface ChangedNode {
  path: PathElement[]
  before?: JSONSchema
  after?: JSONSchema
}

/** A change as a profile judges it. */
export interface Finding extends Change {
  title: string
  why: string
  fix: string
  /** by the configuration; the level is then info */
  ignored?: { until?: string; reason: string }
  /** from the objects of a cluster */
  live?: StoredEvidence
}

export interface Comparison {
  /** of the definition */
  name: string
  profile: ProfileName
  /** from before to after */
  upgrade: Finding[]
  /** from after back to before: the same rules, without those of a policy about releases */
  rollback: Finding[]
  /** from a cluster */
  live?: LiveEvidence
}

/** What the texts of one kind of change say. */
export interface ChangeText {
  title: string
  why: string
  fix: string
}

/** One kind of change that a rule can see. */
export interface ChangeKind extends ChangeText {
  audiences: readonly Audience[]
  level: Level
  /** below `^.status`, whose writers are controllers and whose readers are everybody */
  levelInStatus?: Level
}

/** One entry of the configuration that changes a level. `id` may end in `*`. */
export interface LevelOverride {
  id: string
  version?: string
  path?: string
  level: Level | 'none'
}

/** One entry of the configuration that accepts a finding, until a day (included) where one is given. */
export interface Ignore {
  id: string
  version?: string
  path?: string
  until?: string
  reason: string
}

/** How crdify's own configuration weighs one of its validations. */
export type Enforcement = 'Error' | 'Warn' | 'None'

export interface CrdifyConfig {
  validations: Readonly<Record<string, { enforcement: Enforcement; configuration: Readonly<Record<string, unknown>> }>>
  unhandledEnforcement?: Enforcement
  /** Ignore: versions that a webhook converts are not compared */
  conversion?: 'None' | 'Ignore'
}

export interface ComparisonConfig {
  overrides: readonly LevelOverride[]
  ignore: readonly Ignore[]
  crdify?: CrdifyConfig
}

/** The definition of one release, in a series. */
export interface ReleasedDefinition {
  release: string
  definition: CustomResourceDefinition
}

/** What judging needs beyond the two definitions. */
export interface ComparisonContext {
  /** `2026-11-22`, by which ignores end */
  today: string
  /** the definition in earlier releases, oldest first, up to that of `before`: when something was deprecated */
  history?: readonly ReleasedDefinition[]
  /** the release that `after` is for */
  release?: string
  /** the text of that release's notes */
  releaseNotes?: string
  /** the definition on the cluster that a release of the controller is about to run on */
  installed?: CustomResourceDefinition
}

export interface ComparisonOptions {
  profile: ProfileName
  context: ComparisonContext
  config?: ComparisonConfig
}
