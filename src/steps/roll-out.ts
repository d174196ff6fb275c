/** Waits until a Deployment runs the image, and only that. */
import type { Deployment, ObjectReference, Pod } from '../kubernetes/objects.ts'
import { type Look, waitFor } from '../kubernetes/wait.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { watchForCrashes } from './crash-loop.ts'
import { ownerOf } from './field-owner.ts'
import { podsOf, runs, troubleOf } from './pods-of-deployment.ts'
import { type Evidence, type StepContext, StepFailed, type StepHandler } from './step.types.ts'
import { unansweredPath, type WebhookPaths } from './webhook-paths.ts'

/** A server that is only starting refuses connections or has no certificate yet; one that takes requests should answer. */
const SILENCES = 3

interface Wanted {
  deployment: ObjectReference
  container: string
  image: string
  webhooks?: WebhookPaths
  timeoutSeconds: number
}

export const rollOut: StepHandler<'roll-out'> = async (step, context) => awaitRollOut(step, context)

/** Waits until all pods of the Deployment run the image, are available, and answer their webhook paths if there are any. */
export const awaitRollOut = async (wanted: Wanted, context: StepContext): Promise<Evidence> => {
  const { client, signal, report } = context
  const started = performance.now()
  const crashOf = watchForCrashes()
  let silences = 0
  const pods = await waitFor(
    async () => {
      const look = await availablePods(wanted, crashOf, context)
      if (!look.done || wanted.webhooks === undefined) return look
      const unanswered = await unansweredPath({ client, signal }, look.value, wanted.webhooks)
      if (unanswered === undefined) return look
      silences = unanswered.silent ? silences + 1 : 0
      if (silences >= SILENCES)
        throw new StepFailed(`${unanswered.seen}, ${SILENCES} times in a row: it would hold up every request.`)
      return { done: false, seen: `not answered yet: ${unanswered.seen}` }
    },
    {
      what: `The roll-out of ${wanted.deployment.name}`,
      timeoutSeconds: wanted.timeoutSeconds,
      signal,
      onChange: report,
    },
  )
  return {
    pods: pods.map((pod) => pod.metadata.name),
    ...(wanted.webhooks === undefined ? {} : { answered: wanted.webhooks.paths }),
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }
}

const imageOwner = (deployment: Deployment, container: string): string =>
  ownerOf(
    deployment,
    ['spec', 'template', 'spec', 'containers', `k:${JSON.stringify({ name: container })}`, 'image'],
    'kubectl-airunway',
  )

/** Why no pod of it is created, in the API server's words (a quota, a policy), or undefined. */
export const refusalOf = ({ status = {} }: Pick<Deployment, 'status'>): string | undefined => {
  const { conditions = [] } = status as { conditions?: { type: string; status: string; message?: string }[] }
  return conditions.find((each) => each.type === 'ReplicaFailure' && each.status === 'True')?.message
}

/** Who told the Deployment to run something else, or undefined where it is told what is wanted. */
const otherImage = (
  deployment: Deployment,
  wanted: Pick<Wanted, 'deployment' | 'container' | 'image'>,
): string | undefined => {
  const image = deployment.spec.template.spec.containers.find(({ name }) => name === wanted.container)?.image
  return image === wanted.image
    ? undefined
    : `${wanted.deployment.name} is told to run ${image ?? 'nothing'} instead of ${wanted.image} by ${imageOwner(deployment, wanted.container)}. Stop it from doing so for the time of the run, then resume, which applies the release's image again, or go back.`
}

/**
 * Why a later step may not have reached its state: somebody changed what had been rolled out before. Undefined where nobody
 * did, or where it cannot be told.
 */
export const changedSince = async (
  rolledOut: readonly StepOf<'roll-out'>[],
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
): Promise<string | undefined> => {
  for (const wanted of rolledOut) {
    const live = await client.find<Deployment>(wanted.deployment, signal).catch(() => undefined)
    const changed = live === undefined ? undefined : otherImage(live, wanted)
    if (changed !== undefined) return changed
  }
  return undefined
}

const availablePods = async (
  wanted: Wanted,
  crashOf: ReturnType<typeof watchForCrashes>,
  { client, signal }: StepContext,
): Promise<Look<Pod[]>> => {
  const deployment = await client.find<Deployment>(wanted.deployment, signal)
  if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined)
    throw new StepFailed(
      `Somebody deleted the Deployment ${wanted.deployment.name} meanwhile. Resume, which applies it again, or go back.`,
    )
  const changed = otherImage(deployment, wanted)
  if (changed !== undefined) throw new StepFailed(changed)
  const all = await podsOf(client, deployment, signal)
  const { status = {}, spec, metadata } = deployment
  const replicas = spec.replicas ?? 1
  const others = all.filter((pod) => !runs(pod, wanted.image))
  const own = all.filter((pod) => runs(pod, wanted.image))
  const crash = crashOf(own)
  if (crash !== undefined) throw new StepFailed(crash)
  const trouble = own.map(troubleOf).find((text) => text !== undefined)
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return { done: false, seen: 'not seen by the deployment controller yet' }
  if ((status.updatedReplicas ?? 0) < replicas || (status.availableReplicas ?? 0) < replicas)
    return {
      done: false,
      seen: trouble ?? refusalOf(deployment) ?? `${status.availableReplicas ?? 0} of ${replicas} pods available`,
    }
  if (others.length > 0)
    return { done: false, seen: `waiting for ${others.map(({ metadata: { name } }) => name).join(', ')} to go` }
  return { done: true, value: all }
}
