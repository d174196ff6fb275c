/**
 * How many requests may be on their way at the same time: as many as bring throughput, and no more. An API server of two
 * cores is busy with four; every further one only waits, and so does everybody else's. Knows no clock: times are told.
 */
import type { PaceLimits } from './migration.types.ts'

/** One request that ended. */
export interface PaceSample {
  /** milliseconds */
  startedAt: number
  endedAt: number
  /** `failed`: 5xx or no answer, signs of a server that has too much to do */
  outcome: 'answered' | 'throttled' | 'failed'
  /** what the server asked for with 429 or 503 */
  retryAfterMs?: number
}

const start = 4
const step = 1.5
// Of the throughput that a growth could bring at best, this part has to come; else it is taken back.
const wantedGain = 0.4
// A level is left for a lower one that brings nearly as much.
const toleratedLoss = 0.1
const windowMs = 250
const longestWindowMs = 5_000
const samplesPerWindow = 40
// Below this part of the level in flight, it was not the server that set the rate.
const busy = 0.7
// While connections are opened everything is slow, and another level would look better than it is.
const firstWindows = 2
const firstPause = 3
const longestPause = 48
const ceilingWindows = 240
// Latency of a window against that of the level before: the server got slower, not busier.
const slowdown = 2.5
const unaskedThrottleMs = 1_000
const catchUpMs = 20

interface Window {
  from: number
  samples: number
  latency: number
}

interface Measured {
  perSecond: number
  latency: number
}

/** Another level is tried. `checked`: it brought enough, and the one before is measured again to see by whose doing. */
interface Trial {
  home: number
  before: Measured
  other: number
  checked?: Measured
}

export class Pace {
  readonly #limits: PaceLimits
  #level: number
  #trial: Trial | undefined
  #known: Measured | undefined
  #window: Window = { from: Number.NEGATIVE_INFINITY, samples: 0, latency: 0 }
  /** windows until something else is tried; doubled by each try that brought nothing */
  #rest = firstWindows
  #pause = firstPause
  #tryLower = false
  #slow = 0
  #levelSince = Number.NEGATIVE_INFINITY
  /** a level at which the server refused is not tried again for a while */
  #ceiling = Number.POSITIVE_INFINITY
  #ceilingWindows = 0
  #calmFrom = Number.NEGATIVE_INFINITY
  #blockedUntil = Number.NEGATIVE_INFINITY
  #nextSlot = Number.NEGATIVE_INFINITY

  constructor(limits: PaceLimits) {
    this.#limits = limits
    this.#level = Math.max(1, Math.min(start, limits.maxInFlight))
  }

  /** how many requests may be on their way */
  get inFlight(): number {
    return this.#level
  }

  /** when the next request may start, for the server's wish and maxQps; a time that has passed where it may at once */
  earliest(): number {
    return Math.max(this.#blockedUntil, this.#nextSlot)
  }

  /** a request starts */
  started(now: number): void {
    const { maxQps } = this.#limits
    if (maxQps === undefined) return
    // What was not used is not saved up, beyond what timers are late: a burst is what the limit is against.
    this.#nextSlot = Math.max(this.#nextSlot, now - catchUpMs) + 1000 / maxQps
  }

  /** nobody may send before this moment */
  block(until: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, until)
  }

  record(sample: PaceSample): void {
    if (sample.outcome === 'throttled') this.block(sample.endedAt + (sample.retryAfterMs ?? unaskedThrottleMs))
    else if (sample.retryAfterMs !== undefined) this.block(sample.endedAt + sample.retryAfterMs)
    if (sample.outcome !== 'answered') {
      this.#halve(sample)
      return
    }
    // What began under another level says nothing about this one.
    if (sample.startedAt < this.#levelSince) return
    if (this.#window.from === Number.NEGATIVE_INFINITY) {
      this.#open(sample.endedAt)
      return
    }
    this.#window.samples += 1
    this.#window.latency += sample.endedAt - sample.startedAt
    this.#close(sample.endedAt)
  }

  #open(from: number): void {
    this.#window = { from, samples: 0, latency: 0 }
  }

  #close(now: number): void {
    const { from, samples, latency } = this.#window
    const elapsed = now - from
    const enough = elapsed >= windowMs && samples >= Math.max(samplesPerWindow, 4 * this.#level)
    const late = elapsed >= longestWindowMs && samples >= this.#level
    if (!enough && !late) return
    this.#open(now)
    // Mean number in flight, by Little's law.
    if (latency / elapsed < busy * this.#level) return
    // The rate that this latency allows: pauses for a page of the list are not the server's.
    this.#judge({ perSecond: (1000 * this.#level * samples) / latency, latency: latency / samples }, now)
  }

  #judge(measured: Measured, now: number): void {
    this.#ceilingWindows -= 1
    if (this.#ceilingWindows <= 0) this.#ceiling = Number.POSITIVE_INFINITY
    if (this.#trial) {
      this.#judgeTrial(this.#trial, measured, now)
      return
    }
    if (this.#sufferedFrom(measured, now)) return
    this.#known = this.#known ? mean(this.#known, measured) : measured
    this.#rest -= 1
    if (this.#rest <= 0) this.#try(now)
  }

  #judgeTrial(trial: Trial, measured: Measured, now: number): void {
    const { home, before, other, checked } = trial
    const grown = other > home
    const needed = grown ? 1 + wantedGain * (other / home - 1) : 1 - toleratedLoss
    const [there, here] = checked ? [checked, measured] : [measured, before]
    if (there.perSecond / here.perSecond < needed) {
      this.#reject(trial, checked ? mean(before, measured) : before, now)
      return
    }
    if (grown && !checked) {
      // Whoever else used the server may just have stopped: then this level brings as much now as the other one did.
      this.#trial = { ...trial, checked: measured }
      this.#goTo(home, now)
      return
    }
    this.#trial = undefined
    this.#known = there
    this.#pause = firstPause
    this.#rest = firstPause
    this.#tryLower = !grown
    if (this.#level !== other) this.#goTo(other, now)
    // A growth that paid is followed by the next at once.
    if (grown && other < this.#limits.maxInFlight) this.#try(now)
  }

  #reject({ home }: Trial, known: Measured, now: number): void {
    this.#trial = undefined
    this.#known = known
    if (this.#level !== home) this.#goTo(home, now)
    this.#pause = Math.min(this.#pause * 2, longestPause)
    this.#rest = this.#pause
  }

  #try(now: number): void {
    const known = this.#known
    if (!known) return
    const lower = Math.max(start, Math.round(this.#level / step))
    const higher = Math.min(
      this.#limits.maxInFlight,
      Math.max(this.#ceiling, this.#level),
      Math.max(this.#level + 1, Math.round(this.#level * step)),
    )
    const down = this.#tryLower && lower < this.#level
    const next = down ? lower : higher
    this.#tryLower = !down
    if (next === this.#level) {
      this.#rest = this.#pause
      return
    }
    this.#trial = { home: this.#level, before: known, other: next }
    this.#goTo(next, now)
  }

  /** Latency that rose at the same level, twice: others need the server, or it has less to give. */
  #sufferedFrom(measured: Measured, now: number): boolean {
    this.#slow = this.#known && measured.latency > slowdown * this.#known.latency ? this.#slow + 1 : 0
    if (this.#slow < 2) return this.#slow > 0
    this.#retreat(now)
    return true
  }

  // One burst of refusals is one sign: those that were sent before the last halving are not counted again.
  #halve({ startedAt, endedAt }: PaceSample): void {
    if (startedAt < this.#calmFrom) return
    this.#calmFrom = endedAt
    if (this.#level > start) {
      this.#ceiling = this.#level - 1
      this.#ceilingWindows = ceilingWindows
    }
    this.#retreat(endedAt)
  }

  #retreat(now: number): void {
    this.#trial = undefined
    this.#known = undefined
    this.#slow = 0
    this.#pause = Math.min(this.#pause * 2, longestPause)
    this.#rest = this.#pause
    this.#tryLower = false
    this.#goTo(Math.max(1, Math.floor(this.#level / 2)), now)
  }

  #goTo(level: number, now: number): void {
    this.#level = level
    this.#levelSince = now
    this.#open(Number.NEGATIVE_INFINITY)
  }
}

// The newer half counts: what a server gives changes while a pass runs.
function mean(left: Measured, right: Measured): Measured {
  return {
    perSecond: (left.perSecond + right.perSecond) / 2,
    latency: (left.latency + right.latency) / 2,
  }
}
