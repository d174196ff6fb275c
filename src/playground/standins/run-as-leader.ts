import { randomUUID } from 'node:crypto'
import type { StandinContext } from './context.types.ts'
import { isOn } from './environment.ts'
import { becomeLeader } from './leader-election.ts'

/**
 * Runs `lead` while this process holds the lease, as controller-runtime runs its controllers: a lost lease is fatal. Gives
 * the exit code: 0 after SIGTERM, 1 when the lease was lost or `lead` failed.
 */
export async function runAsLeader(
  context: StandinContext,
  lease: string,
  lead: (stop: AbortSignal) => Promise<void>,
): Promise<number> {
  const { environment, client, log, signal } = context
  const lost = new AbortController()
  try {
    if (isOn(environment.flags.get('leader-elect'), false)) {
      const { namespace, podName } = environment
      const identity = `${podName}_${randomUUID()}`
      const leadership = await becomeLeader({ client, namespace, name: lease, identity, log, signal })
      void leadership.lost.then(
        () => lost.abort(),
        () => undefined,
      )
    }
    const stop = AbortSignal.any([signal, lost.signal])
    await lead(stop)
    await aborted(stop)
    if (!signal.aborted) log.error('problem running manager', new Error('leader election lost'))
  } catch (error) {
    if (!signal.aborted) log.error('problem running manager', error)
  }
  return signal.aborted ? 0 : 1
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
