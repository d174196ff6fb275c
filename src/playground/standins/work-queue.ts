import type { Log } from './log.ts'

/** What a reconcile may ask for: to be called again after a while, although nothing changed. */
export interface Requeue {
  requeueAfterMilliseconds: number
}

export type Reconcile = (key: string) => Promise<Requeue | undefined>

export interface WorkQueue {
  /** An event: the key is reconciled at once, whatever its back-off. */
  add(key: string): void
  /** Keys that wait, are worked on or sleep until their back-off ends. */
  readonly pending: number
  /** No further key is begun; the one that is worked on goes on. */
  stop(): void
  /** Resolves when nothing is worked on; after `stop` that is the end. */
  idle(): Promise<void>
}

const firstBackoffMilliseconds = 5
const longestBackoffMilliseconds = 1_000_000

/** client-go's default rate limiter for one object: 5 ms, doubled by every failure, up to 1000 s. */
export const backoffMilliseconds = (failures: number): number =>
  Math.min(firstBackoffMilliseconds * 2 ** failures, longestBackoffMilliseconds)

/**
 * The work queue of a controller: each key is worked on by one reconcile at a time, in the order it came; a key that
 * comes again while it is worked on is done once more afterwards. A failure puts the key back after its own back-off,
 * an event brings it back at once, success forgets the failures (client-go's rate limiting queue).
 */
export function startWorkQueue(reconcile: Reconcile, log: Log): WorkQueue {
  const waiting = new Set<string>()
  const failures = new Map<string, number>()
  const timers = new Map<string, NodeJS.Timeout>()
  let working: string | undefined
  let stopped = false
  let draining: Promise<void> = Promise.resolve()

  const later = (key: string, milliseconds: number): void => {
    clearTimeout(timers.get(key))
    timers.set(
      key,
      setTimeout(() => add(key), milliseconds),
    )
  }
  const work = async (key: string): Promise<void> => {
    try {
      const requeue = await reconcile(key)
      failures.delete(key)
      if (requeue && !stopped) later(key, requeue.requeueAfterMilliseconds)
    } catch (error) {
      const failed = failures.get(key) ?? 0
      failures.set(key, failed + 1)
      log.error('Reconciler error', error, { object: key, failures: failed + 1 })
      if (stopped) return
      later(key, backoffMilliseconds(failed))
    }
  }
  const next = (): string | undefined => (stopped ? undefined : waiting.values().next().value)
  const drain = async (): Promise<void> => {
    for (let key = next(); key !== undefined; key = next()) {
      working = key
      waiting.delete(key)
      await work(key)
    }
    working = undefined
  }
  const add = (key: string): void => {
    if (stopped) return
    clearTimeout(timers.get(key))
    timers.delete(key)
    waiting.add(key)
    if (working === undefined) draining = drain()
  }
  return {
    add,
    get pending() {
      return waiting.size + timers.size + (working === undefined ? 0 : 1)
    },
    stop() {
      stopped = true
      waiting.clear()
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
    idle: () => draining,
  }
}
