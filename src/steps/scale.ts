/**
 * Stops Deployments until no pod of them is left, and gives them back the replicas they had. A pod that is terminating still
 * works, so only one that is gone counts. A HorizontalPodAutoscaler does nothing to a Deployment without replicas; what it had
 * set is given back in its name, so that it is still the one who decides.
 */
import { createHash } from 'node:crypto'
import { INSTALLERS } from '../backup/take.ts'
import { isConflict } from '../kubernetes/errors.ts'
import type { AnyObject, Deployment, ObjectReference } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { keyOf } from '../plan/reference.ts'
import { isDecided, type Replicas, replicasOf } from '../plan/replicas.ts'
import { ownerOf } from './field-owner.ts'
import { podsOf } from './pods-of-deployment.ts'
import { type Evidence, type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FIELD_MANAGER = 'kubectl-airunway'
/** Times that a Deployment is read again because somebody wrote it between our read and our write. */
const ATTEMPTS = 8

type Step = StepOf<'scale'>
type LiveDeployment = Deployment & AnyObject

export const scale: StepHandler<'scale'> = async (step, context) => {
  const deployments: Evidence[] = []
  if (step.replicas === 'none') for (const each of step.deployments) await stop(each, step, context)
  for (const each of step.deployments)
    deployments.push(
      step.replicas === 'none' ? await untilGone(each, step, context) : await giveBack(each, step, context),
    )
  return { deployments }
}

/** Kept under a name that is a label's value, whatever the Deployment is called. */
const nameOfKept = (deployment: ObjectReference): string =>
  `replicas-${createHash('sha256').update(keyOf(deployment)).digest('hex').slice(0, 12)}`

/** What it had is kept before the first write, and never again: after a crash the number that is read may be ours. */
const stop = async (deployment: ObjectReference, step: Step, context: StepContext): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    context.signal.throwIfAborted()
    const live = await context.client.find<LiveDeployment>(deployment, context.signal)
    if (live === undefined) return
    const name = nameOfKept(deployment)
    if ((await context.kept<Replicas>(name)) === undefined)
      await context.keep(name, step.had?.[keyOf(deployment)] ?? replicasOf(live, INSTALLERS))
    if (live.spec.replicas === 0) return
    try {
      await write(live, 0, { manager: FIELD_MANAGER }, context)
      return
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}

/** On the very version that was read, in the name of `owner`, and by the way it writes itself. */
const write = async (
  live: LiveDeployment,
  replicas: number,
  { manager, subresource }: NonNullable<Replicas['owner']>,
  { client, signal }: StepContext,
): Promise<void> => {
  const { apiVersion, kind, metadata } = live
  await client.patch(
    { apiVersion, kind, name: metadata.name, ...(metadata.namespace && { namespace: metadata.namespace }) },
    [
      { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      // `add` replaces what is there; a scale of none has no such field.
      { op: 'add', path: '/spec/replicas', value: replicas },
    ],
    { type: 'json', fieldManager: manager, ...(subresource && { subresource }), signal },
  )
}

const untilGone = async (deployment: ObjectReference, step: Step, context: StepContext): Promise<Evidence> => {
  const { client, signal, report } = context
  const started = performance.now()
  const there = await waitFor<boolean>(
    async () => {
      const live = await client.find<LiveDeployment>(deployment, signal)
      if (live === undefined) return { done: true, value: false }
      if (live.spec.replicas !== 0)
        throw new StepFailed(
          `${deployment.name} was given ${live.spec.replicas} replicas again by ${ownerOf(live, ['spec', 'replicas'], FIELD_MANAGER)}. Stop it from doing so for the time of the run, then resume or go back.`,
        )
      if ((live.status?.observedGeneration ?? 0) < (live.metadata.generation ?? 0))
        return { done: false, seen: 'not seen by the deployment controller yet' }
      const pods = await podsOf(client, live, signal)
      if (pods.length > 0)
        return { done: false, seen: `waiting for ${pods.map(({ metadata: { name } }) => name).join(', ')} to go` }
      const replicas = live.status?.replicas ?? 0
      return replicas === 0 ? { done: true, value: true } : { done: false, seen: `${replicas} pods are counted yet` }
    },
    { what: `Stopping ${deployment.name}`, timeoutSeconds: step.timeoutSeconds, signal, onChange: report },
  )
  const had = await context.kept<Replicas>(nameOfKept(deployment))
  return {
    deployment: deployment.name,
    ...(there ? {} : { absent: true }),
    ...(had === undefined ? {} : { had: had.replicas, ...(had.owner && { setBy: had.owner.manager }) }),
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }
}

/**
 * Says in managedFields whose number it is, as it was before. Neither a write of the same number nor one through the scale
 * subresource makes a field owned that nobody owns; unowned, it would be gone with the next apply.
 */
const own = async (
  live: LiveDeployment,
  { manager, subresource }: NonNullable<Replicas['owner']>,
  { client, signal }: StepContext,
): Promise<void> => {
  const { apiVersion, kind, metadata } = live
  const entry = {
    manager,
    operation: 'Update',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    ...(subresource && { subresource }),
  }
  await client.patch(
    { apiVersion, kind, name: metadata.name, ...(metadata.namespace && { namespace: metadata.namespace }) },
    [
      { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      { op: 'replace', path: '/metadata/managedFields', value: [...(metadata.managedFields ?? []), entry] },
    ],
    { type: 'json', fieldManager: FIELD_MANAGER, signal },
  )
}

/** Only what nobody else decides by now: an apply, an autoscaler or a person may have set it meanwhile. */
const giveBack = async (deployment: ObjectReference, step: Step, context: StepContext): Promise<Evidence> => {
  const had = (await context.kept<Replicas>(nameOfKept(deployment))) ?? step.had?.[keyOf(deployment)]
  if (had === undefined) return { deployment: deployment.name, replicas: 'never changed' }
  for (let attempt = 1; ; attempt++) {
    context.signal.throwIfAborted()
    const live = await context.client.find<LiveDeployment>(deployment, context.signal)
    if (live === undefined) return { deployment: deployment.name, absent: true }
    const { replicas } = live.spec
    const owner = replicasOf(live, INSTALLERS).owner
    const isLost = owner === undefined && had.owner !== undefined && replicas === had.replicas
    if (!isLost && isDecided(live, had, INSTALLERS))
      return { deployment: deployment.name, replicas, ...(owner === undefined ? {} : { setBy: owner.manager }) }
    try {
      if (isLost && had.owner !== undefined) await own(live, had.owner, context)
      else await write(live, had.replicas, had.owner ?? { manager: FIELD_MANAGER }, context)
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}
