/** Waiting for a state of the cluster: a condition that is looked at again and again, with a limit and a reason. */
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, ConnectionError } from './errors.ts'

/** The state was not reached in time. `seen` says what was there instead. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout'
  readonly seen: string

  constructor(what: string, seconds: number, seen: string) {
    super(`${what} did not happen within ${seconds} s: ${seen}`)
    this.seen = seen
  }
}

/** What one look found: the value waited for, or what is there instead. */
export type Look<T> = { done: true; value: T } | { done: false; seen: string }

export interface WaitOptions {
  what: string
  timeoutSeconds: number
  intervalMs?: number
  signal: AbortSignal
  /** told what is there instead, each time it changes */
  onChange?: (seen: string) => void
}

/** A server that restarts, or is overloaded, in the middle of a wait is waited out like any other state. */
const passing = (error: unknown): string | undefined => {
  if (error instanceof ConnectionError) return error.message
  if (error instanceof ApiError && (error.code === 429 || error.code >= 500)) return error.message
  return undefined
}

/**
 * Looks until the state is there. Throws WaitTimeout after `timeoutSeconds`, the signal's reason when it aborts, and what
 * `look` throws, except for a server that is away for a moment.
 */
export const waitFor = async <T>(look: () => Promise<Look<T>>, options: WaitOptions): Promise<T> => {
  const end = performance.now() + options.timeoutSeconds * 1000
  let last: string | undefined
  for (;;) {
    options.signal.throwIfAborted()
    let found: Look<T>
    try {
      found = await look()
    } catch (error) {
      const seen = passing(error)
      if (seen === undefined) throw error
      found = { done: false, seen }
    }
    if (found.done) return found.value
    if (found.seen !== last) options.onChange?.(found.seen)
    last = found.seen
    if (performance.now() > end) throw new WaitTimeout(options.what, options.timeoutSeconds, found.seen)
    await delay(options.intervalMs ?? 250, undefined, { signal: options.signal })
  }
}
