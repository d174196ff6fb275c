/**
 * One run over all objects of a definition: each is written once, by a write that changes nothing but its encoding and, where
 * that is asked for, the version that its managers are named in. As many at a time as the server gains by; what fails for a
 * reason that passes is asked again, within limits. It may end anywhere and be begun again: an object that was done is then
 * found unchanged.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { MigrationTarget, PassPlace, PassResult } from './migration.types.ts'
import { Pace } from './pace.ts'
import type { PassOptions, StopReason } from './pass.types.ts'
import { type Listed, Listing, pageSize } from './pass-listing.ts'
import { PassStopped } from './pass-stopped.ts'
import { Tally, type TallyPage } from './pass-tally.ts'
import { type Attempt, Patching, type Work } from './patching.ts'
import {
  attemptsPerObject,
  Breaker,
  backOff,
  conflictsPerObject,
  RetryBudget,
  throttlesPerObject,
} from './retry-budget.ts'
import type { Refused } from './verdict.ts'

interface Item {
  work: Work
  page: TallyPage
  dueAt: number
  /** sent while everything failed, to see whether it still does */
  look: boolean
  /** it has failed before */
  tried: boolean
}

const progressMs = 250
const farewellMs = 5_000
const defaultOutageSeconds = 120

/**
 * Writes every object of the target once. Throws PassStopped where no further object would fare better, the signal's reason
 * when it aborts, and what a callback throws.
 */
export function runPass(
  client: Pick<KubernetesClient, 'raw'>,
  target: MigrationTarget,
  options: PassOptions,
): Promise<PassResult> {
  return new Pass(client, target, options).run()
}

class Pass {
  readonly #options: PassOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #pace: Pace
  readonly #breaker: Breaker
  readonly #budget = new RetryBudget()
  readonly #patching: Patching
  readonly #listing: Listing
  readonly #tally: Tally
  readonly #begun: number
  readonly #end = Promise.withResolvers<PassResult>()
  #ready: Item[] = []
  #delayed: Item[] = []
  #inFlight = 0
  #mostInFlight = 0
  #fetching = false
  #listed = false
  #listAt = Number.NEGATIVE_INFINITY
  #remaining: number | undefined
  #failure: { error: unknown } | undefined
  #over = false
  #saving: Promise<void> = Promise.resolve()
  #timer: { at: number; cancel: () => void } | undefined
  #told = { at: 0, done: 0, perSecond: 0 }

  constructor(client: Pick<KubernetesClient, 'raw'>, target: MigrationTarget, options: PassOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now())
    this.#random = options.random ?? Math.random
    this.#pace = new Pace(options.limits)
    const outageSeconds = options.outageSeconds ?? defaultOutageSeconds
    this.#breaker = new Breaker(outageSeconds)
    this.#patching = new Patching(client, target, {
      now: this.#now,
      sample: (sample) => this.#pace.record(sample),
      staleVersions: options.staleVersions ?? [],
      renamableVersions: options.renamableVersions ?? [],
      before: options.before,
    })
    this.#listing = new Listing(this.#patching, {
      token: options.place?.continue,
      now: this.#now,
      random: this.#random,
      outageSeconds,
    })
    this.#begun = this.#now()
    this.#told.at = this.#begun
    this.#tally = new Tally(options.place, new Date(this.#begun).toISOString())
  }

  async run(): Promise<PassResult> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    const abort = (): void => this.#fail(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      this.#pump()
      return await this.#end.promise
    } finally {
      this.#over = true
      this.#timer?.cancel()
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Starts what may start now, and sees to it that it is called again when something more may. */
  #pump(): void {
    if (this.#over) return
    if (this.#failure) {
      this.#leave()
      return
    }
    const now = this.#now()
    this.#fetchIfWanted(now)
    const wakeAt = this.#startAll(now)
    if (wakeAt !== undefined) this.#wake(wakeAt)
    if (this.#inFlight === 0 && this.#listed && this.#ready.length + this.#delayed.length === 0) this.#succeed()
  }

  /** the moment at which more may start; undefined where an answer has to come first */
  #startAll(now: number): number | undefined {
    for (;;) {
      if (this.#inFlight >= (this.#breaker.open ? 1 : this.#pace.inFlight)) return undefined
      const earliest = Math.max(this.#pace.earliest(), this.#breaker.open ? this.#breaker.nextLook : 0)
      if (earliest > now) return earliest
      const item = this.#take(now)
      if (!item) return this.#nextDue()
      void this.#start(item, now)
    }
  }

  /** What has waited comes first: it keeps its page open. While everything fails, one of those that have not failed yet. */
  #take(now: number): Item | undefined {
    if (this.#breaker.open) {
      // By chance: next to each other there may be many that fail for a reason of their own.
      const index = Math.floor(this.#random() * this.#ready.length)
      return this.#ready.splice(index, 1)[0] ?? this.#delayed.shift()
    }
    const due = this.#delayed.findIndex((item) => item.dueAt <= now)
    if (due >= 0) return this.#delayed.splice(due, 1)[0]
    return this.#ready.pop()
  }

  #nextDue(): number | undefined {
    let first: number | undefined
    for (const { dueAt } of this.#delayed) if (first === undefined || dueAt < first) first = dueAt
    return first
  }

  async #start(item: Item, now: number): Promise<void> {
    item.look = this.#breaker.open
    this.#inFlight += 1
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight)
    this.#pace.started(now)
    try {
      let attempt: Attempt
      try {
        attempt = await this.#patching.attempt(item.work)
      } finally {
        // Before anything is told: it would be counted as done and as on its way.
        this.#inFlight -= 1
      }
      this.#ended(item, attempt)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#pump()
    }
  }

  #ended(item: Item, attempt: Attempt): void {
    if (attempt.verdict !== undefined) {
      this.#breaker.answered()
      this.#tally.succeeded(item.page, attempt)
      this.#close(item)
      return
    }
    const { refused } = attempt
    if (refused.way === 'transient') this.#failedForNow(item, refused)
    else if (refused.way === 'throttled') this.#throttled(item, refused)
    else {
      this.#breaker.answered()
      if (refused.way === 'stop') this.#stop(refused.cause === 'forbidden' ? 'forbidden' : 'not-served', refused)
      else if (refused.way === 'conflict') this.#conflicted(item, refused)
      else this.#giveUp(item, refused)
    }
  }

  #failedForNow(item: Item, refused: Refused): void {
    const { name, namespace = '' } = item.work
    const now = this.#now()
    const own = refused.cause !== 'connection'
    this.#breaker.failed(`${namespace}/${name}`, now, { first: !item.tried, own, look: item.look })
    item.tried = true
    if (this.#breaker.spent(now)) this.#stop('outage', refused)
    else if (this.#breaker.open) this.#delay(item, now)
    else {
      item.work.failed += 1
      if (item.work.failed >= attemptsPerObject || !this.#budget.spend()) this.#giveUp(item, refused)
      else this.#delay(item, now + backOff(item.work.failed, this.#random))
    }
  }

  #throttled(item: Item, refused: Refused): void {
    item.work.throttled += 1
    if (item.work.throttled >= throttlesPerObject) this.#giveUp(item, refused)
    else this.#delay(item, this.#pace.earliest())
  }

  #conflicted(item: Item, refused: Refused): void {
    const { conflicts } = item.work
    if (conflicts > conflictsPerObject + attemptsPerObject) this.#giveUp(item, refused)
    else this.#delay(item, conflicts === 1 ? 0 : this.#now() + backOff(conflicts - 1, this.#random))
  }

  #delay(item: Item, dueAt: number): void {
    item.dueAt = dueAt
    this.#delayed.push(item)
  }

  #giveUp({ work: { name, namespace }, page }: Item, { cause, subject, message }: Refused): void {
    this.#tally.failed(page, {
      ...(namespace !== undefined && { namespace }),
      name,
      cause,
      ...(subject !== undefined && { subject }),
      message,
    })
    this.#close({ page })
  }

  #close({ page }: Pick<Item, 'page'>): void {
    this.#budget.earn()
    this.#save(this.#tally.close(page))
    this.#tell()
  }

  #save(place: PassPlace | undefined): void {
    const { onPlace } = this.#options
    if (!place || !onPlace) return
    this.#saving = this.#saving.then(() => onPlace(place)).catch((error: unknown) => this.#fail(error))
  }

  #fetchIfWanted(now: number): void {
    if (this.#fetching || this.#listed || this.#breaker.open) return
    const open = this.#ready.length + this.#delayed.length + this.#inFlight
    if (this.#ready.length > pageSize / 2 || open > pageSize) return
    const at = Math.max(this.#listAt, this.#pace.earliest())
    if (at > now) {
      this.#wake(at)
      return
    }
    this.#fetching = true
    void this.#fetch()
  }

  async #fetch(): Promise<void> {
    try {
      this.#received(await this.#listing.next())
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#fetching = false
      this.#pump()
    }
  }

  #received(listed: Listed): void {
    switch (listed.kind) {
      case 'page': {
        const page = this.#tally.open(listed.works.length, listed.next)
        this.#ready = [
          ...this.#patching
            .inOrder(listed.works)
            .toReversed()
            .map((work) => ({ work, page, dueAt: 0, look: false, tried: false })),
          ...this.#ready,
        ]
        this.#listed = listed.next === undefined
        this.#remaining = listed.remaining
        if (listed.works.length === 0) this.#save(this.#tally.advance())
        return
      }
      case 'later':
        this.#listAt = listed.at
        return
      case 'anew':
        this.#tally.restart()
        this.#ready = []
        return
      case 'stop':
        this.#stop(listed.reason, listed.refused)
    }
  }

  #wake(at: number): void {
    if (this.#timer && this.#timer.at <= at) return
    this.#timer?.cancel()
    const cancel = (this.#options.after ?? after)(Math.max(0, at - this.#now()), () => {
      this.#timer = undefined
      this.#pump()
    })
    this.#timer = { at, cancel }
  }

  #tell(): void {
    const { onProgress } = this.#options
    if (!onProgress) return
    const now = this.#now()
    const elapsed = now - this.#told.at
    if (elapsed < progressMs) return
    const { counts } = this.#tally.total()
    const done = counts.rewritten + counts.unchanged + counts.gone + counts.failed
    const rate = (Math.max(0, done - this.#told.done) * 1000) / elapsed
    const perSecond = this.#told.perSecond === 0 ? rate : (this.#told.perSecond + rate) / 2
    this.#told = { at: now, done, perSecond }
    const known = this.#ready.length + this.#delayed.length + this.#inFlight
    const left = this.#listed ? known : this.#remaining === undefined ? undefined : this.#remaining + known
    onProgress({ done, ...(left !== undefined && { left }), perSecond, inFlight: this.#inFlight, counts })
  }

  #stop(reason: StopReason, refused: Refused): void {
    this.#fail(new PassStopped(reason, refused, this.#tally.place()))
  }

  #fail(error: unknown): void {
    if (this.#over || this.#failure) return
    this.#failure = { error }
    this.#timer?.cancel()
    // A server that does not answer must not keep somebody who wants to leave.
    this.#timer = { at: Number.NEGATIVE_INFINITY, cancel: after(farewellMs, () => this.#end.reject(error)) }
    this.#leave()
  }

  #leave(): void {
    if (this.#inFlight > 0 || this.#fetching || !this.#failure) return
    this.#end.reject(this.#failure.error)
  }

  #succeed(): void {
    this.#over = true
    const seconds = (this.#now() - this.#begun) / 1000
    void this.#saving.then(() => {
      if (this.#failure) {
        this.#end.reject(this.#failure.error)
        return
      }
      const { counts, failures } = this.#tally.total()
      this.#end.resolve({
        ...counts,
        startedAt: this.#tally.startedAt,
        seconds,
        requests: this.#patching.requests,
        failures,
        mostInFlight: this.#mostInFlight,
      })
    })
  }
}

function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds)
  return () => clearTimeout(timer)
}
