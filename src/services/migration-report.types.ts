/** What is shown of a migration: before, as a survey of definitions, and after, as what became of each. */
import type { VersionUsers } from '../crds/comparison/evidence.types.ts'
import type { MigrationResult, PassResult } from '../migration/migration.types.ts'
import type { Blocker, DenialGroup, LostField, UncheckedLoss } from '../migration/survey.types.ts'
import type { ClusterName } from './cluster-name.ts'

/** One definition, as it was looked at. */
export interface SurveyedDefinition {
  definition: string
  storageVersion: string
  storedVersions: string[]
  /** the version that becomes the storage version first */
  flipTo?: string
  /** other versions may be stored */
  needed: boolean
  /** undefined where they cannot be listed */
  objects?: number
  /** of a rewrite and its proof */
  requests?: number
  seconds?: number
  blockers: Blocker[]
  /** who has written objects in other versions, among those looked at */
  users: VersionUsers[]
  /** fields that a rewrite drops for ever, and those that nobody can look at */
  lost: LostField[]
  unchecked: UncheckedLoss[]
  /** whose writes would be refused, of `tried` objects */
  denied: DenialGroup[]
  tried: number
  notes: string[]
}

/** Nothing of what was asked for needs a migration. */
export interface NothingToMigrate {
  metadata: { time: string; cluster: ClusterName }
  definitions: SurveyedDefinition[]
  notes: string[]
}

/** What became of one definition. */
export interface MigratedDefinition extends Omit<MigrationResult, 'passes'> {
  passes: Omit<PassResult, 'failures'>[]
}
