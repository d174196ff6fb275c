/** How often what failed may be asked again, and when. Pure: the clock and chance come from outside. */

/** Attempts at one object that may fail for a reason that passes. */
export const attemptsPerObject = 6
/** How often the server may put one object off before that counts as its failure: it did not act, so patience is cheap. */
export const throttlesPerObject = 50
/** How often somebody else may write an object between our look and our write. */
export const conflictsPerObject = 5

const firstDelay = 250
const longestDelay = 30_000
const startBudget = 100
const budgetPerObject = 0.2

/** Milliseconds before the next attempt; half of it is chance, so that what failed together does not come back together. */
export function backOff(failed: number, random: () => number): number {
  const most = Math.min(firstDelay * 2 ** Math.max(0, failed - 1), longestDelay)
  return most / 2 + (random() * most) / 2
}

/**
 * Repetitions of a whole run: some to begin with, and more as objects are done. A kind of which every tenth object fails
 * must not be asked six times as much.
 */
export class RetryBudget {
  #left = startBudget

  /** One more object has its verdict. */
  earn(): void {
    this.#left += budgetPerObject
  }

  /** Whether one more repetition may be spent; spends it. */
  spend(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

const streakToOpen = 5
const firstLook = 500
const longestLook = 15_000

/**
 * Notices that not an object fails but everything: a conversion webhook that is down, a server that is away. Open, it lets
 * one request through at growing distances until one is answered. An object that failed before says nothing about the others,
 * so only those that are asked for the first time count, and as long as nothing was ever answered all, if they are two. That
 * nobody answers is no object's own fault and always counts.
 */
export class Breaker {
  readonly #limitMs: number
  readonly #who = new Set<string>()
  #streak = 0
  #everAnswered = false
  #openedAt: number | undefined
  #looks = 0
  #nextLook = 0

  constructor(limitSeconds: number) {
    this.#limitMs = limitSeconds * 1000
  }

  /** something was answered */
  answered(): void {
    this.#everAnswered = true
    this.#streak = 0
    if (this.#who.size > 0) this.#who.clear()
    this.#openedAt = undefined
    this.#looks = 0
  }

  /** a request failed; `own`: maybe for a reason of the object's own; `look`: it was let through while open */
  failed(who: string, now: number, { first, own, look }: { first: boolean; own: boolean; look: boolean }): void {
    if (this.#openedAt === undefined) {
      if (own && !first && this.#everAnswered) return
      this.#streak += 1
      this.#who.add(who)
      if (this.#streak < streakToOpen || (own && this.#who.size < 2)) return
      this.#openedAt = now
    } else if (!look) return
    this.#nextLook = now + Math.min(firstLook * 2 ** this.#looks, longestLook)
    this.#looks += 1
  }

  get open(): boolean {
    return this.#openedAt !== undefined
  }

  /** when the next single request may go; only while open */
  get nextLook(): number {
    return this.#nextLook
  }

  /** whether it has been open for too long */
  spent(now: number): boolean {
    return this.#openedAt !== undefined && now - this.#openedAt >= this.#limitMs
  }
}
