import type { StandinContext } from './context.types.ts'
import { type Informer, objectKey, startInformer } from './informer.ts'
import { asModelDeployment, type ModelDeployment } from './model-deployment.ts'
import type { Traits } from './traits.ts'
import { type Reconcile, startWorkQueue, type WorkQueue } from './work-queue.ts'

/** Reconciles every ModelDeployment that comes, changes or goes; begins none after the context's signal aborts. */
export function reconcileModelDeployments(
  { client, log, signal }: StandinContext,
  traits: Traits,
  reconcile: Reconcile,
): { deployments: Informer<ModelDeployment>; queue: WorkQueue } {
  const queue = startWorkQueue(reconcile, log)
  signal.addEventListener('abort', () => queue.stop(), { once: true })
  const deployments = startInformer<ModelDeployment>({
    client,
    collection: { apiVersion: traits.apiVersion, kind: 'ModelDeployment' },
    decode: asModelDeployment,
    log,
    signal,
    onEvent: (_, object) => queue.add(objectKey(object)),
  })
  return { deployments, queue }
}
