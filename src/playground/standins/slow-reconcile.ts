/** A reconcile that lasts: what is read at its begin is written at its end, by whoever holds the Lease then. */
import { setTimeout as delay } from 'node:timers/promises'
import type { StandinContext } from './context.types.ts'
import { objectKey } from './informer.ts'
import type { ModelDeployment } from './model-deployment.ts'

/**
 * How long reconciling an object lasts: as its annotation `GROUP/reconcile-seconds` says, else as the container's variable
 * AIRUNWAY_RECONCILE_SECONDS; 0 where neither says a number.
 */
export function reconcileSeconds(
  object: ModelDeployment,
  group: string,
  variables: Readonly<Record<string, string | undefined>>,
): number {
  const said = object.metadata.annotations?.[`${group}/reconcile-seconds`] ?? variables['AIRUNWAY_RECONCILE_SECONDS']
  const seconds = Number(said ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0
}

/** Does the work after the time that reconciling the object lasts, also when the process is told to end meanwhile. */
export async function takingItsTime<T>(
  { environment, log }: StandinContext,
  object: ModelDeployment,
  group: string,
  work: () => Promise<T>,
): Promise<T> {
  const seconds = reconcileSeconds(object, group, environment.variables)
  if (seconds === 0) return work()
  const fields = { object: objectKey(object), seconds }
  log.info('reconcile begins', fields)
  await delay(seconds * 1000)
  const result = await work()
  log.info('reconcile ends', fields)
  return result
}
