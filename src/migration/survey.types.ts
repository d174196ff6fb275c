/** What is known of stored versions before anything is written. Plain data. */

import type { VersionUsers } from '../crds/comparison/evidence.types.ts'
import type { NodeStep } from '../crds/decode/decode.types.ts'
import type { AccessRequest } from '../kubernetes/client.types.ts'
import type { FailureCause, MigrationTarget, ObjectName } from './migration.types.ts'

export type BlockerKind =
  | 'not-found'
  | 'forbidden'
  | 'terminating'
  | 'not-established'
  | 'migrating-elsewhere'
  | 'not-served'
  | 'no-storage-version'
  | 'no-schema'
  | 'version-gone'
  | 'unreadable'
  | 'unavailable'
  | 'conversion-webhook'

/** Why the objects of a definition cannot be migrated now, and what would help. */
export interface Blocker {
  kind: BlockerKind
  definition: string
  message: string
  why: string
  next: string
  /** for `version-gone` and `unreadable`: versions that have to come back into the spec */
  versions?: string[]
}

/** What a migration of one definition will take. */
export interface Estimate {
  /** of a rewrite and one pass that proves it */
  requests: number
  seconds: number
}

/** One definition of a survey. */
export interface DefinitionSurvey {
  definition: string
  group: string
  kind: string
  plural: string
  /** empty where the spec has none */
  storageVersion: string
  storedVersions: string[]
  /** whether status says that other versions than the storage version may be stored */
  needed: boolean
  /** undefined where there is nothing to migrate to or by */
  target?: MigrationTarget
  blockers: Blocker[]
  /** what could not be looked at, and does not block */
  notes: string[]
  /** undefined where they were not asked for, or cannot be listed */
  objects?: number
  estimate?: Estimate
  /** Who has written objects in versions other than the storage version, among the objects `looked` at. */
  users: VersionUsers[]
  looked: number
  missingRights: RequiredRight[]
}

export interface Survey {
  /** the clock of the API server when it began */
  serverTime?: string
  definitions: DefinitionSurvey[]
}

/** One right that a migration needs. */
export interface RequiredRight {
  request: AccessRequest
  /** what is not possible without it */
  why: string
  /** the migration does without */
  optional?: true
}

/** A field whose values a rewrite would drop for ever. */
export interface LostField {
  /** `spec.list[*].name`, `spec.map{*}` */
  path: string
  /** the version that the values can be read in */
  version: string
  /** how many have a value of their own */
  objects: number
  /** How many have what the schema of the version fills in by itself: it may be that nobody has set it. */
  defaults: number
  /** the first of those with a value of their own, at most 20 */
  examples: ObjectName[]
}

/** One value that a rewrite would drop. */
export interface LostValue extends ObjectName {
  uid?: string
  version: string
  path: NodeStep[]
  value: unknown
  /** the schema of the version fills it in by itself, in objects that are written in that version */
  isDefault: boolean
}

/** Why it is not known whether a rewrite loses something. */
export interface UncheckedLoss {
  version: string
  /** fields of the schema that could be lost; empty where a webhook converts */
  fields: string[]
  why: string
  next: string
}

export interface LossReport {
  definition: string
  /** versions whose objects were read, and how many */
  checked: { version: string; objects: number }[]
  fields: LostField[]
  unchecked: UncheckedLoss[]
}

/** Objects whose write is refused for one reason. */
export interface DenialGroup {
  cause: FailureCause
  /** the webhook, the policy, the field, the verb */
  subject?: string
  objects: number
  /** so many of them would be accepted through /status */
  throughStatus: number
  /** the first of them, at most 5 */
  examples: (ObjectName & { message: string })[]
}

export interface DenialReport {
  definition: string
  /** objects that there are */
  objects: number
  /** objects whose write was tried */
  checked: number
  accepted: number
  gone: number
  groups: DenialGroup[]
  /** Webhooks that do not answer dry runs: whether they would refuse is not known. */
  unanswered: { webhook: string; objects: number; examples: ObjectName[] }[]
  /** the user may not write at all: the rest was not tried */
  stopped: boolean
}
