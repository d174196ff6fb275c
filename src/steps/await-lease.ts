/**
 * Waits until a pod of the wanted image holds the controller's Lease. These controllers do not release it when they go
 * (controller-runtime's default), which costs up to 17 s without any reconcile; so a Lease whose holder is gone, not just
 * terminating, is released here: measured, the gap shrinks to 1 to 4 s.
 */
import { isConflict } from '../kubernetes/errors.ts'
import type { Deployment, Lease } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { isAtWork, podsOf, runs } from './pods-of-deployment.ts'
import type { Evidence, StepContext, StepHandler } from './step.types.ts'

/** controller-runtime's identity is `<pod name>_<uuid>`. */
const podOf = (holder: string): string => holder.split('_')[0] ?? holder

export const awaitLease: StepHandler<'await-lease'> = async (step, context) => ({
  leases: await Promise.all(
    step.leases.map(async (wanted) => handOver({ ...wanted, timeoutSeconds: step.timeoutSeconds }, context)),
  ),
})

type Wanted = StepOf<'await-lease'>['leases'][number] & { timeoutSeconds: number }

const handOver = async (step: Wanted, context: StepContext): Promise<Evidence> => {
  const { client, signal, report } = context
  const started = performance.now()
  let released = false
  const holder = await waitFor<string | undefined>(
    async () => {
      const [lease, deployment] = await Promise.all([
        client.find<Lease>(step.lease, signal),
        client.get<Deployment>(step.deployment, signal),
      ])
      // Nobody would ever take it. A standby without pods is another matter: a run has stopped it.
      if (deployment.spec.replicas === 0 && deployment.metadata.labels?.[RUN_LABEL] === undefined)
        return { done: true, value: undefined }
      const holding = lease?.spec?.holderIdentity
      if (!holding) return { done: false, seen: 'nobody holds it' }
      const pods = await podsOf(client, deployment, signal)
      const pod = pods.find(({ metadata }) => metadata.name === podOf(holding))
      if (pod === undefined) {
        // A component may have two Deployments for a while; the Lease of a pod that works is never released.
        const other = {
          name: podOf(holding),
          ...(deployment.metadata.namespace && { namespace: deployment.metadata.namespace }),
        }
        if (await isAtWork(client, other, signal)) return { done: false, seen: `held by ${other.name}` }
        released = (await release(context, lease)) || released
        return { done: false, seen: `${podOf(holding)} is gone and its Lease released` }
      }
      if (!runs(pod, step.image)) return { done: false, seen: `held by ${pod.metadata.name}, another version` }
      return { done: true, value: holding }
    },
    { what: `Taking the Lease ${step.lease.name}`, timeoutSeconds: step.timeoutSeconds, signal, onChange: report },
  )
  if (holder === undefined) return { stopped: true }
  return { holder, released, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

/** Clears the holder on the very version of the Lease that was read: a holder that renews it meanwhile wins. */
const release = async ({ client, signal }: StepContext, lease: Lease): Promise<boolean> => {
  try {
    await client.replace<Lease>({ ...lease, spec: { ...lease.spec, holderIdentity: '' } }, { signal })
    return true
  } catch (error) {
    if (isConflict(error)) return false
    throw error
  }
}
