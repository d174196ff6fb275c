/** What is kept of a migration while it runs, so that another process can go on with it. */
import { whyNotSame } from './definition-watch.ts'
import type { CheckpointStore, MigrationCheckpoint, MigrationTarget } from './migration.types.ts'

/** The first checkpoint of a migration. */
export function firstCheckpoint(target: MigrationTarget, firstLookAt: string): MigrationCheckpoint {
  const { definition, uid, generation, fingerprint, storageVersion, storedVersions, flippedAt } = target
  return {
    definition,
    uid,
    generation,
    fingerprint,
    storageVersion,
    storedVersions: [...storedVersions],
    firstLookAt,
    ...(flippedAt !== undefined && { flippedAt }),
    passes: [],
    phase: 'settle',
  }
}

/** Why the checkpoint is of no use for this target; undefined where one can go on from it. */
export function whyStale(checkpoint: MigrationCheckpoint, target: MigrationTarget): string | undefined {
  if (checkpoint.uid !== target.uid) return 'the definition was deleted and made again since'
  if (checkpoint.storageVersion !== target.storageVersion) {
    return `it was about the storage version ${checkpoint.storageVersion}, which is ${target.storageVersion} now`
  }
  const changed = whyNotSame(checkpoint, target)
  if (changed !== undefined) return `the spec of the definition was changed ${changed}`
  const known = new Set([...checkpoint.storedVersions, target.storageVersion])
  const added = target.storedVersions.filter((version) => !known.has(version))
  return added.length > 0 ? `storedVersions has ${added.join(', ')} since` : undefined
}

/** Saves what is new at most every five seconds, and at once where a phase ends. */
export class CheckpointKeeper {
  readonly #store: CheckpointStore | undefined
  readonly #now: () => number
  readonly #everyMs: number
  #savedAt = Number.NEGATIVE_INFINITY

  constructor(store: CheckpointStore | undefined, now: () => number, everySeconds = 5) {
    this.#store = store
    this.#now = now
    this.#everyMs = everySeconds * 1000
  }

  /** The checkpoint that one can go on from. `note` says why there is none though something was kept. */
  async load(target: MigrationTarget): Promise<{ checkpoint?: MigrationCheckpoint; note?: string }> {
    const checkpoint = await this.#store?.load(target.definition)
    if (checkpoint === undefined || checkpoint.phase === 'done') return {}
    const why = whyStale(checkpoint, target)
    return why === undefined ? { checkpoint } : { note: `what an earlier run had done is done again: ${why}` }
  }

  /** Where a pass stands: kept if the last time is long enough ago. */
  async place(checkpoint: MigrationCheckpoint): Promise<void> {
    if (this.#now() - this.#savedAt >= this.#everyMs) await this.now(checkpoint)
  }

  /** The end of a phase: kept at once. */
  async now(checkpoint: MigrationCheckpoint): Promise<void> {
    this.#savedAt = this.#now()
    await this.#store?.save(structuredClone(checkpoint))
  }
}
