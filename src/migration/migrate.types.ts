/** What a migration is told, and what it is given to do before the first object. */
import type { Wait } from './definition-watch.ts'
import type { CheckpointStore, MigrationProgress, PaceLimits } from './migration.types.ts'

/** Objects that were rewritten before all others, and what is worth knowing of it. */
export interface FirstObjects {
  rewritten: number
  requests: number
  note?: string
}

export interface MigrateOptions {
  limits: PaceLimits
  /** where it is kept how far it is; without it a run that dies is begun anew */
  checkpoints?: CheckpointStore
  /** seconds that a write under the old version may land after the flip; `lateWriteSeconds` unless told otherwise */
  window?: number
  /** looks at the objects though status names the storage version alone: somebody may have trimmed it by hand */
  force?: boolean
  /** versions that will leave the definition: managedFields in them are renamed in the same write */
  staleVersions?: readonly string[]
  /** versions that managedFields may be renamed from where that makes a rewrite faster, see `renamableVersions` */
  renamableVersions?: readonly string[]
  /** `in-tree` lets the cluster's own migrator rewrite; what it did is proved all the same */
  engine?: 'own' | 'in-tree'
  /** when the target was read, by our own clock: for several definitions that were read together */
  firstLookAt?: string
  /** done before the first object is rewritten, once every API server knows the storage version; what it throws ends it */
  first?: (signal: AbortSignal) => Promise<FirstObjects>
  progress?: (progress: MigrationProgress) => void
  signal?: AbortSignal
  /** asked before each write, such as whether the lock is still ours; what it throws ends the migration */
  before?: () => void | Promise<void>
  /** milliseconds since the epoch, never going back; injected in tests */
  now?: () => number
  /** injected in tests */
  wait?: Wait
}
