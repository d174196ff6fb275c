/** Waiting for conditions, never for time alone. */
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until `ask` gives something other than undefined or false.
 * @throws Error with `what` after `timeoutMs`, the abort reason on abort, and whatever `ask` throws, at once
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const end = performance.now() + options.timeoutMs
  for (;;) {
    options.signal?.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`${what}: not within ${Math.round(options.timeoutMs / 1000)} s`)
    await sleep(options.intervalMs ?? 50)
  }
}
