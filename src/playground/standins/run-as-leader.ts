import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { StandinContext } from './context.types.ts'
import { isOn } from './environment.ts'
import { becomeLeader, electionTimes } from './leader-election.ts'

/** controller-runtime's default */
const gracefulMilliseconds = 30_000

/** Resolves when no reconcile is in flight any more. */
export type Drained = () => Promise<void>

/**
 * Runs `lead` while this process holds the lease, as controller-runtime runs its controllers: a lost lease is fatal; after
 * SIGTERM nothing new is begun, what is in flight is finished, for 30 s at most, and the lease is renewed until then and
 * not released. Gives the exit code: 0 after SIGTERM, 1 when the lease was lost or `lead` failed.
 */
export async function runAsLeader(
  context: StandinContext,
  lease: string,
  lead: (stop: AbortSignal) => Promise<Drained>,
): Promise<number> {
  const { environment, client, log, signal } = context
  const lost = new AbortController()
  const over = new AbortController()
  try {
    if (isOn(environment.flags.get('leader-elect'), false)) {
      const { namespace, podName } = environment
      const identity = `${podName}_${randomUUID()}`
      // A playground of tests may be quicker than controller-runtime: there the other waits are what is tested.
      const retrySeconds = Number(environment.variables['AIRUNWAY_LEASE_RETRY_SECONDS'] ?? electionTimes.retrySeconds)
      const election = { client, namespace, name: lease, identity, log, signal, over: over.signal, retrySeconds }
      const leadership = await becomeLeader(election)
      void leadership.lost.then(
        () => lost.abort(),
        () => undefined,
      )
    }
    const stop = AbortSignal.any([signal, lost.signal])
    const drained = await lead(stop)
    await aborted(stop)
    if (!lost.signal.aborted) {
      log.info('Shutdown signal received, waiting for all workers to finish')
      await Promise.race([drained(), aborted(lost.signal), delay(gracefulMilliseconds, undefined, { ref: false })])
    }
    if (lost.signal.aborted) log.error('problem running manager', new Error('leader election lost'))
  } catch (error) {
    if (!signal.aborted) log.error('problem running manager', error)
  } finally {
    over.abort()
  }
  return signal.aborted && !lost.signal.aborted ? 0 : 1
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
