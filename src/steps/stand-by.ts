/**
 * Brings up the second Deployment of a component, and waits until its pods are available and answer their webhooks. They
 * wait for a Lease that the usual ones hold, and no Service picks them, so nothing is changed by their being there.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { AnyObject, Deployment } from '../kubernetes/objects.ts'
import { type Look, waitFor } from '../kubernetes/wait.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { awaitRollOut } from './roll-out.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FIELD_MANAGER = 'kubectl-airunway'
/** One of an earlier run goes with its pods first. */
const GONE_SECONDS = 120

type Step = StepOf<'stand-by'>
type Presence = 'created' | 'found'

export const standBy: StepHandler<'stand-by'> = async (step, context) => {
  const { name } = step.object.metadata
  const presence = await waitFor(async () => present(step, context), {
    what: `Bringing up ${name}`,
    timeoutSeconds: GONE_SECONDS,
    signal: context.signal,
    onChange: context.report,
  })
  return { presence, ...(await awaitRollOut({ ...step, deployment: referenceOf(step.object) }, context)) }
}

/** One look and at most one write. A create is a POST, so that a late one of a stopped process cannot change what is there. */
const present = async (step: Step, context: StepContext): Promise<Look<Presence>> => {
  const { client, run, signal } = context
  const live = await client.find<Deployment>(referenceOf(step.object), signal)
  if (live === undefined) return create(client, withRun(step.object, run), signal)
  const { name, labels, deletionTimestamp } = live.metadata
  const madeBy = labels?.[RUN_LABEL]
  if (madeBy === undefined)
    throw new StepFailed(
      `Deployment ${name} is not ours: it carries no label ${RUN_LABEL}. Rename or delete it, then resume, or go back.`,
    )
  if (deletionTimestamp !== undefined) return { done: false, seen: `waiting for ${name} of run ${madeBy} to go` }
  const image = live.spec.template.spec.containers.find((each) => each.name === step.container)?.image
  if (image !== step.image) return remove(client, live, signal)
  return (live.spec.replicas ?? 1) > 0
    ? { done: true, value: 'found' }
    : start(client, live, (step.object['spec'] as { replicas: number }).replicas, signal)
}

const withRun = (object: AnyObject, run: number): AnyObject => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [RUN_LABEL]: String(run) } },
})

const create = async (client: KubernetesClient, object: AnyObject, signal: AbortSignal): Promise<Look<Presence>> => {
  try {
    await client.create(object, { fieldManager: FIELD_MANAGER, signal })
    return { done: true, value: 'created' }
  } catch (error) {
    if (!isConflict(error)) throw error
    return { done: false, seen: `${object.metadata.name} was created meanwhile` }
  }
}

/** Another version of it, left by an earlier run: with its pods, so that none of them waits for the Lease any more. */
const remove = async (client: KubernetesClient, live: Deployment, signal: AbortSignal): Promise<Look<Presence>> => {
  const { uid, resourceVersion, name } = live.metadata
  try {
    await client.delete(referenceOf(live as unknown as AnyObject), {
      preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
      propagationPolicy: 'Foreground',
      signal,
    })
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
  return { done: false, seen: `${name} of an earlier run is deleted` }
}

/** Stopped by a run that did not get to deleting it. */
const start = async (
  client: KubernetesClient,
  live: Deployment,
  replicas: number,
  signal: AbortSignal,
): Promise<Look<Presence>> => {
  try {
    await client.patch(
      referenceOf(live as unknown as AnyObject),
      [
        { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
        { op: 'replace', path: '/spec/replicas', value: replicas },
      ],
      { type: 'json', fieldManager: FIELD_MANAGER, signal },
    )
  } catch (error) {
    if (!isConflict(error)) throw error
  }
  return { done: false, seen: `${live.metadata.name} of an earlier run is started again` }
}
