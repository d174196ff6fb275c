/**
 * The migration of one definition, from the first write to the trimmed status: settle, rewrite, prove, trim, read back. It may
 * die anywhere and be begun again: what was done is found done, and nothing is trimmed without a proof of this very definition.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, ConnectionError } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { CheckpointKeeper, firstCheckpoint } from './checkpoint.ts'
import {
  changeOf,
  DefinitionChanged,
  type DefinitionWatch,
  definitionKind,
  realWait,
  type Wait,
  watchDefinition,
} from './definition-watch.ts'
import { handOver } from './in-tree.ts'
import type { MigrateOptions } from './migrate.types.ts'
import { type Ended, migrationResult, proofOf } from './migrate-result.ts'
import {
  lateWriteSeconds,
  type MigrationCheckpoint,
  type MigrationProgress,
  type MigrationResult,
  type MigrationTarget,
  type PassPlace,
  type PassResult,
} from './migration.types.ts'
import { runPass } from './pass.ts'
import { PassStopped } from './pass-stopped.ts'
import { lateWritesEnd, type Move, nextMove } from './prove.ts'
import { settle } from './settle.ts'
import { trim } from './trim.ts'

/**
 * Moves all objects of the definition to its storage version, and trims storedVersions on proof. Throws the signal's reason
 * when it aborts, what `before` and the store of checkpoints throw, and what the API server refuses of the definition.
 */
export async function migrateDefinition(
  client: KubernetesClient,
  target: MigrationTarget,
  options: MigrateOptions,
): Promise<MigrationResult> {
  return new Migration(client, target, options).run()
}

class Migration {
  readonly #client: KubernetesClient
  readonly #target: MigrationTarget
  readonly #options: MigrateOptions
  readonly #now: () => number
  readonly #wait: Wait
  readonly #keeper: CheckpointKeeper
  readonly #seconds = { settle: 0, rewrite: 0, prove: 0, trim: 0 }
  readonly #notes: string[] = []
  /** what this process knows of the flip, by its own clock */
  readonly #look: Pick<MigrationCheckpoint, 'firstLookAt' | 'flippedAt'>
  #state: MigrationCheckpoint
  #watch: DefinitionWatch | undefined
  #requests = 0
  #total = 0
  #rewrittenFirst = 0

  constructor(client: KubernetesClient, target: MigrationTarget, options: MigrateOptions) {
    this.#client = client
    this.#target = target
    this.#options = options
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now())
    this.#wait = options.wait ?? realWait
    this.#keeper = new CheckpointKeeper(options.checkpoints, this.#now)
    const firstLookAt = options.firstLookAt ?? this.#time()
    const { flippedAt } = target
    this.#look = { firstLookAt, ...(flippedAt !== undefined && { flippedAt }) }
    this.#state = firstCheckpoint(target, firstLookAt)
  }

  async run(): Promise<MigrationResult> {
    const { checkpoint, note } = await this.#keeper.load(this.#target)
    if (note !== undefined) this.#notes.push(note)
    if (checkpoint) this.#state = structuredClone(checkpoint)
    else if (!this.#wanted()) return this.#result({ outcome: 'nothing to do' })
    try {
      return this.#result(await this.#watched())
    } catch (error) {
      if (error instanceof PassStopped) this.#state.place = error.place
      // Somebody who wants to leave leaves with as much as was done; only then is it not the store that failed.
      if (this.#options.signal?.aborted || error instanceof PassStopped) {
        await this.#keep().catch(() => undefined)
      }
      return this.#result(await this.#endedBy(error))
    }
  }

  #wanted(): boolean {
    const { storedVersions, storageVersion } = this.#target
    const current = storedVersions.length === 1 && storedVersions[0] === storageVersion
    return !current || this.#options.force === true || (this.#options.staleVersions ?? []).length > 0
  }

  async #watched(): Promise<Ended> {
    const { signal } = this.#options
    this.#requests += 1
    const watch = await watchDefinition(this.#client, this.#target, { wait: this.#wait, ...(signal && { signal }) })
    this.#watch = watch
    try {
      return await this.#go(signal ? AbortSignal.any([signal, watch.changed]) : watch.changed)
    } finally {
      await this.#leave(watch)
    }
  }

  async #leave(watch: DefinitionWatch): Promise<void> {
    await watch.close()
    // The list was counted when it was sent.
    this.#requests += watch.requests - 1
  }

  async #go(signal: AbortSignal): Promise<Ended> {
    const obstacle = await this.#timed('settle', () => this.#settle(signal))
    if (obstacle !== undefined) return { outcome: 'failures left', reason: obstacle }
    if (this.#isUntouched()) await this.#timed('rewrite', () => this.#first(signal))
    if (this.#options.engine === 'in-tree' && this.#isUntouched()) {
      const failed = await this.#timed('rewrite', () => this.#handOver(signal))
      if (failed !== undefined) return failed
    }
    for (;;) {
      const move = this.#next()
      if (move.kind === 'end') return this.#giveUp(move.reason)
      if (move.kind === 'trim') return this.#timed('trim', () => this.#trim(move.proof, signal))
      if (move.unsettled) {
        const behind = await this.#timed('settle', () => this.#settleAgain(signal))
        if (behind !== undefined) return { outcome: 'failures left', reason: behind }
      }
      if (move.late) await this.#timed('settle', () => this.#until(this.#lateEnd(this.#look), signal))
      await this.#timed(move.phase, () => this.#pass(move, signal))
    }
  }

  #isUntouched(): boolean {
    const { passes, place, phase } = this.#state
    return passes.length === 0 && !place && phase !== 'prove'
  }

  async #first(signal: AbortSignal): Promise<void> {
    const { rewritten = 0, requests = 0, note } = (await this.#options.first?.(signal)) ?? {}
    this.#rewrittenFirst = rewritten
    this.#requests += requests
    if (note !== undefined) this.#notes.push(note)
  }

  /** Whoever tries again has changed something, so it begins anew. */
  async #giveUp(reason: string): Promise<Ended> {
    this.#state.phase = 'done'
    await this.#keep()
    return { outcome: 'failures left', reason }
  }

  /** A pass that was begun goes on first, whatever it is good for. */
  #next(): Move {
    const { place, phase, passes } = this.#state
    if (place) {
      const begun = phase === 'rewrite' ? 'rewrite' : 'prove'
      return { kind: 'pass', phase: begun, late: false, unsettled: false }
    }
    return nextMove(passes, this.#lateEnd(this.#state))
  }

  #lateEnd(look: Pick<MigrationCheckpoint, 'firstLookAt' | 'flippedAt'>): number {
    return lateWritesEnd(look, this.#options.window ?? lateWriteSeconds)
  }

  /** Not where the flip is so old that every API server has long heard of it. */
  async #settle(signal: AbortSignal): Promise<string | undefined> {
    if (this.#lateEnd(this.#look) <= this.#now()) return undefined
    this.#tell('settle', { done: 0, inFlight: 1 })
    const settled = await settle(this.#client, this.#target, { now: this.#now, wait: this.#wait, signal })
    this.#requests += settled.requests
    for (const note of settled.notes) if (!this.#notes.includes(note)) this.#notes.push(note)
    const { lastBehindAt } = settled
    // Until then an API server may have begun writes under the old version: that is when the flip was over.
    if (lastBehindAt !== undefined && lastBehindAt > Date.parse(this.#look.flippedAt ?? this.#look.firstLookAt)) {
      this.#look.flippedAt = new Date(lastBehindAt).toISOString()
      // What an earlier process began before that proves nothing either.
      this.#state.flippedAt = this.#look.flippedAt
    }
    if (settled.settled) return undefined
    return `not every API server stores ${this.#target.definition} in ${this.#target.storageVersion} by now: see whether one of them is behind`
  }

  async #settleAgain(signal: AbortSignal): Promise<string | undefined> {
    this.#look.flippedAt = this.#time()
    return this.#settle(signal)
  }

  async #handOver(signal: AbortSignal): Promise<Ended | undefined> {
    this.#state.phase = 'rewrite'
    const handed = await handOver(this.#client, this.#target, {
      signal,
      wait: this.#wait,
      now: this.#now,
      before: this.#options.before,
      progress: () => this.#tell('rewrite', { done: 0, inFlight: 0 }),
    })
    this.#requests += handed.requests
    if (handed.failed !== undefined) return this.#notHandedOver(handed.failed, signal)
    this.#state.phase = 'prove'
    await this.#keep()
    return undefined
  }

  /** By its source the migrator of Kubernetes 1.36 may trim though it failed: then status says less than is stored. */
  async #notHandedOver(reason: string, signal: AbortSignal): Promise<Ended> {
    this.#requests += 1
    const reference = { ...definitionKind, name: this.#target.definition }
    const live = await this.#client.find<CustomResourceDefinition>(reference, signal)
    const after = live?.status?.storedVersions ?? []
    const gone = this.#target.storedVersions.filter((version) => !after.includes(version))
    if (live !== undefined && gone.length > 0) {
      this.#notes.push(
        `storedVersions does not name ${gone.join(', ')} any more, though objects may still be stored in it: migrate with force before the version leaves the spec`,
      )
    }
    return { outcome: 'failures left', reason, after }
  }

  async #pass({ phase }: Extract<Move, { kind: 'pass' }>, signal: AbortSignal): Promise<void> {
    const state = this.#state
    const resumed = state.place
    if (!resumed) {
      // What a pass proves is judged by the clock of the process that began it: other machines' clocks differ.
      const { firstLookAt, flippedAt } = this.#look
      Object.assign(state, { firstLookAt, phase })
      if (flippedAt === undefined) delete state.flippedAt
      else state.flippedAt = flippedAt
      await this.#keep()
    }
    const first = state.passes.length === 0 || (state.passes.at(-1)?.failed ?? 0) > 0
    const { limits, before, staleVersions, renamableVersions, now } = this.#options
    const result = await runPass(this.#client, this.#target, {
      limits,
      signal,
      ...(resumed && { place: resumed }),
      ...(before && { before }),
      ...(now && { now }),
      ...(first && staleVersions && { staleVersions }),
      ...(first && renamableVersions && { renamableVersions }),
      onPlace: (place) => this.#placed(place),
      onProgress: ({ done, left, perSecond, inFlight }) => {
        this.#total = left === undefined ? Math.max(this.#total, done) : done + left
        this.#tell(phase, { done, perSecond, inFlight, left: left ?? this.#total - done })
      },
    })
    this.#requests += result.requests
    state.passes = [...state.passes, result]
    delete state.place
    state.phase = phase
    await this.#keep()
  }

  async #placed(place: PassPlace): Promise<void> {
    this.#state.place = place
    await this.#keeper.place(this.#asSeen())
  }

  /** In slices, so that people see it get shorter. */
  async #until(moment: number, signal: AbortSignal): Promise<void> {
    for (let left = moment - this.#now(); left > 0; left = moment - this.#now()) {
      this.#tell('prove', { done: 0, inFlight: 0, secondsLeft: left / 1000 })
      await this.#wait(Math.min(left, 1_000), signal)
    }
    signal.throwIfAborted()
  }

  async #trim(proof: PassResult, signal: AbortSignal): Promise<Ended> {
    const { before } = this.#options
    const state = this.#state
    state.phase = 'trim'
    await this.#keep()
    this.#tell('trim', { done: 0, inFlight: 1 })
    const lateEnd = this.#lateEnd(state)
    const trimmed = await trim(
      this.#client,
      this.#seen,
      { passes: state.passes, lateEnd },
      { wait: this.#wait, signal, before },
    )
    this.#requests += trimmed.requests
    const after = trimmed.storedVersions
    if (trimmed.outcome === 'changed')
      return { outcome: 'changed meanwhile', after, ...(trimmed.why !== undefined && { reason: trimmed.why }) }
    if (trimmed.outcome === 'refused')
      return { outcome: 'failures left', after, ...(trimmed.why !== undefined && { reason: trimmed.why }) }
    state.phase = 'done'
    await this.#keep()
    const idle = trimmed.outcome === 'already' && this.#state.passes.every(({ rewritten }) => rewritten === 0)
    const untouched = idle && this.#state.storedVersions.length === 1
    return { outcome: untouched ? 'nothing to do' : 'migrated', after, proof: proofOf(proof, state) }
  }

  /** What ended it early, as a result; throws what is no result. */
  async #endedBy(error: unknown): Promise<Ended> {
    if (error instanceof DefinitionChanged) {
      return {
        outcome: 'changed meanwhile',
        reason: error.message,
        after: error.live?.status?.storedVersions ?? [],
      }
    }
    if (!(error instanceof PassStopped)) throw error
    const stopped: Ended = { outcome: 'failures left', reason: error.message, stopped: error.reason }
    this.#requests += 1
    const reference = { ...definitionKind, name: this.#target.definition }
    try {
      const live = await this.#client.find<CustomResourceDefinition>(reference, this.#options.signal)
      const after = live?.status?.storedVersions ?? []
      // A definition that is gone, or made again, ends a pass in a way of its own, and often before the watch tells.
      const why = changeOf(live, this.#seen)
      return why === undefined ? { ...stopped, after } : { outcome: 'changed meanwhile', reason: why, after }
    } catch (failure) {
      if (failure instanceof ApiError || failure instanceof ConnectionError) return stopped
      throw failure
    }
  }

  #result(ended: Ended): MigrationResult {
    return migrationResult(this.#target, this.#state, ended, {
      notes: this.#notes,
      seconds: this.#seconds,
      requests: this.#requests,
      rewrittenFirst: this.#rewrittenFirst,
    })
  }

  async #timed<T>(phase: keyof MigrationResult['seconds'], act: () => Promise<T>): Promise<T> {
    const begun = this.#now()
    try {
      return await act()
    } finally {
      this.#seconds[phase] += (this.#now() - begun) / 1000
    }
  }

  #tell(
    phase: MigrationProgress['phase'],
    { left, ...told }: { done: number; inFlight: number; perSecond?: number; left?: number; secondsLeft?: number },
  ): void {
    const { perSecond = 0, done } = told
    this.#options.progress?.({
      phase,
      pass: this.#state.passes.length + 1,
      total: Math.max(this.#total, done),
      ...(left !== undefined && perSecond > 0 && { secondsLeft: left / perSecond }),
      ...told,
      perSecond,
    })
  }

  /** The definition as it was seen last: changes that do not matter have been. */
  get #seen(): MigrationTarget {
    return this.#watch?.seen ?? this.#target
  }

  #asSeen(): MigrationCheckpoint {
    this.#state.generation = this.#seen.generation
    return this.#state
  }

  async #keep(): Promise<void> {
    await this.#keeper.now(this.#asSeen())
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }
}
