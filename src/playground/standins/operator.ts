import { setTimeout as delay } from 'node:timers/promises'
import type { AnyObject, Deployment } from '../../kubernetes/objects.ts'
import type { OperatorName, OperatorProgram } from '../programs.ts'
import type { StandinContext } from './context.types.ts'
import { objectKey, startInformer } from './informer.ts'
import { referenceTo } from './object-writes.ts'
import { operatedDeployment, operators, readyStatus } from './operated-objects.ts'
import { holds } from './provider-objects.ts'
import { aborted } from './run-as-leader.ts'
import { startWorkQueue } from './work-queue.ts'

/**
 * Stands for a provider's operator: one Deployment for each of its objects, so that pods exist, and the object's status
 * says ready once they are. Runs without leader election, as KAITO's chart does. Gives the exit code.
 */
export async function runOperator(context: StandinContext, { operator }: OperatorProgram): Promise<number> {
  const { log, signal } = context
  try {
    const apiVersion = await servedApiVersion(context, operator)
    log.info('starting operator', { operator, apiVersion })
    operate(context, operator, apiVersion)
    await aborted(signal)
    return 0
  } catch (error) {
    if (signal.aborted) return 0
    log.error('problem running operator', error)
    return 1
  }
}

/** The newest API version of the operator's kind that the cluster serves; waits for one. */
async function servedApiVersion({ client, signal }: StandinContext, operator: OperatorName): Promise<string> {
  const { apiVersions, kind } = operators[operator]
  for (;;) {
    for (const apiVersion of apiVersions) if (await client.findResource(apiVersion, kind)) return apiVersion
    await delay(1000, undefined, { signal })
  }
}

function operate({ client, log, signal }: StandinContext, operator: OperatorName, apiVersion: string): void {
  const { kind, label } = operators[operator]
  const queue = startWorkQueue(async (key) => {
    const object = objects.get(key)
    // its Deployment goes by its owner reference
    if (!object || object.metadata.deletionTimestamp) return undefined
    const wanted = operatedDeployment(operator, object)
    const found = await client.find<Deployment>(referenceTo(wanted), signal)
    if (!found) await client.create(wanted, { signal })
    else if (!holds(found.spec, wanted.spec)) await client.replace({ ...found, spec: wanted.spec }, { signal })
    const ready = !!found && (found.status?.readyReplicas ?? 0) >= (wanted.spec.replicas ?? 1)
    const status = readyStatus(operator, ready, object['status'], new Date())
    if (holds(object['status'], status)) return undefined
    await client.patch(referenceTo(object), { status }, { type: 'merge', subresource: 'status', signal })
    return undefined
  }, log)
  signal.addEventListener('abort', () => queue.stop(), { once: true })
  const objects = startInformer<AnyObject>({
    client,
    collection: { apiVersion, kind },
    log,
    signal,
    onEvent: (_, object) => queue.add(objectKey(object)),
  })
  startInformer<Deployment>({
    client,
    collection: { apiVersion: 'apps/v1', kind: 'Deployment', labelSelector: label },
    decode: (object) => object as unknown as Deployment,
    log,
    signal,
    onEvent: (_, deployment) => {
      const owner = deployment.metadata.ownerReferences?.find((one) => one.kind === kind)
      if (owner) queue.add(`${deployment.metadata.namespace}/${owner.name}`)
    },
  })
}
