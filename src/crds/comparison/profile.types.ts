/** A profile: how much each change matters to whom, as a table, and the lines of a policy that no single change shows. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type {
  Change,
  ChangeKind,
  ComparisonContext,
  CrdifyConfig,
  Level,
  ProfileName,
  Scope,
} from './comparison.types.ts'
import type { Rule } from './rule.types.ts'
import type { Stability } from './version-priority.ts'

/** One row: what it is about, and the level that such changes get. What it does not name, it does not ask for. */
export interface LevelRow {
  /** may end in `*` */
  ids?: readonly string[]
  scopes?: readonly Scope[]
  /** of the version, of a pair's first one */
  stabilities?: readonly Stability[]
  /** only changes of this level */
  from?: Level
  /** only where the version was deprecated before, and a webhook converts from it now */
  announced?: true
  to: Level | 'none' | 'as it is'
}

/** What a policy's check looks at. */
export interface PolicySubject {
  before: CustomResourceDefinition
  after: CustomResourceDefinition
  changes: readonly Change[]
  context: ComparisonContext
}

/** A definition that is new, without one to compare it with. */
export interface NewDefinition {
  after: CustomResourceDefinition
}

export interface Profile {
  name: ProfileName
  title: string
  /** the first row that fits decides; a change that no row fits keeps its level */
  levels: readonly LevelRow[]
  policies: readonly Rule<PolicySubject>[]
  policiesForNew: readonly Rule<NewDefinition>[]
  /** a way of its own to compare */
  changes?: (before: CustomResourceDefinition, after: CustomResourceDefinition, config: CrdifyConfig) => Change[]
  /** the texts of what that way finds */
  kinds?: Readonly<Record<string, ChangeKind>>
  /** what crdify's configuration starts from */
  crdify?: CrdifyConfig
}
