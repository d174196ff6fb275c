/**
 * Applies objects of a release by server-side apply. Ownership is first taken over from whatever installed the release, so
 * that fields which the new release lacks go; what another manager owns is kept, but for what makes the release this one.
 */

import { INSTALLERS } from '../backup/take.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, isConflict } from '../kubernetes/errors.ts'
import type { AnyObject, CustomResourceDefinition, Secret } from '../kubernetes/objects.ts'
import { takeOver } from '../kubernetes/ownership.ts'
import { waitFor } from '../kubernetes/wait.ts'
import type { ApplyStep } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { isStoppedByHand } from '../plan/replicas.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { authorityOf, withCertificateAuthority } from './certificate.ts'
import { belongsToRelease, conflictsOf, type FieldConflict, withoutField } from './conflicts.ts'
import { refuseLostDefinition } from './lost-definition.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FIELD_MANAGER = 'kubectl-airunway'
/** Times that one object is read again because somebody wrote it between our read and our write. */
const ATTEMPTS = 8
const ESTABLISHED_SECONDS = 60

type Conflicts = ApplyStep['conflicts']
type Outcome = 'created' | 'changed' | 'unchanged'

interface Applied {
  outcome: Outcome
  /** fields left to the manager that owns them */
  kept: FieldConflict[]
  /** fields taken from the manager that owned them */
  taken: FieldConflict[]
}

export const apply: StepHandler<'apply'> = async (step, context) => {
  const { client, signal } = context
  const secret = step.certificate === undefined ? undefined : await client.find<Secret>(step.certificate, signal)
  const authority = authorityOf(secret)
  const outcomes: Record<Outcome, number> = { created: 0, changed: 0, unchanged: 0 }
  const kept: string[] = []
  const taken: string[] = []
  for (const [index, object] of step.objects.entries()) {
    signal.throwIfAborted()
    context.report(`${index + 1} of ${step.objects.length}: ${object.kind} ${object.metadata.name}`)
    const wanted = authority === undefined ? object : withCertificateAuthority(object, authority)
    if (object.kind === 'CustomResourceDefinition') await refuseLostDefinition(object, context)
    const applied = await applyOne(context, wanted, step.conflicts)
    outcomes[applied.outcome]++
    const told = ({ field, manager }: FieldConflict): string =>
      `${object.kind} ${object.metadata.name} ${field} (${manager})`
    taken.push(...applied.taken.map(told))
    kept.push(...applied.kept.map(told))
    if (object.kind === 'CustomResourceDefinition') await established(context, object)
  }
  return {
    objects: step.objects.length,
    ...outcomes,
    ...(kept.length > 0 && { kept }),
    ...(taken.length > 0 && { taken }),
  }
}

/**
 * Applies one object on the version of it that was read: where somebody writes it in between, the API server refuses (409)
 * and it is read again. An object that does not exist is created by POST, never by apply, so that a request of a stopped
 * process fails where somebody has made it since. It carries the run's number as a label until the apply that follows takes it
 * away again: an object that still carries the number of a run that has ended was created too late.
 */
export const applyOne = async (
  { client, run, signal }: Pick<StepContext, 'client' | 'run' | 'signal'>,
  object: AnyObject,
  conflicts: Conflicts,
  /** which fields are never left to another manager */
  isOurs: (field: string) => boolean = belongsToRelease,
): Promise<Applied> => {
  let created = false
  for (let attempt = 1; ; attempt++) {
    const live = await client.find(referenceOf(object), signal)
    try {
      if (live === undefined) {
        await client.create(labelled(object, run), { fieldManager: FIELD_MANAGER, signal })
        created = true
        continue
      }
      const owned = await withOwnership(client, live, signal)
      const applied = await applyOver(
        { client, signal },
        object,
        owned,
        (field) => conflicts === 'overwrite' || isOurs(field),
      )
      return created ? { ...applied, outcome: 'created' } : applied
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error
      signal.throwIfAborted()
    }
  }
}

/** The object as a run creates it. */
const labelled = (object: AnyObject, run: number): AnyObject => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [RUN_LABEL]: String(run) } },
})

/** Gives us the fields that an installer's managers own, without changing a value. */
const withOwnership = async (client: KubernetesClient, live: AnyObject, signal: AbortSignal): Promise<AnyObject> => {
  // A Secret's data may be an installer's (restored from a file, made by Helm): what we own and do not apply would be wiped.
  if (live.kind === 'Secret') return withoutRunLabel(client, live, signal)
  const takenOver = takeOver(live, { installers: INSTALLERS, manager: FIELD_MANAGER })
  if (takenOver === undefined) return live
  return client.patch(
    referenceOf(live),
    [{ op: 'replace', path: '/metadata/managedFields', value: takenOver.managedFields }, onVersion(live)],
    { type: 'json', fieldManager: FIELD_MANAGER, signal },
  )
}

const onVersion = ({ metadata }: AnyObject): object => ({
  op: 'replace',
  path: '/metadata/resourceVersion',
  value: metadata.resourceVersion,
})

/** An apply takes the label away only where the object's fields were taken over. */
const withoutRunLabel = async (client: KubernetesClient, live: AnyObject, signal: AbortSignal): Promise<AnyObject> => {
  if (live.metadata.labels?.[RUN_LABEL] === undefined) return live
  const path = `/metadata/labels/${RUN_LABEL.replaceAll('/', '~1')}`
  return client.patch(referenceOf(live), [{ op: 'remove', path }, onVersion(live)], {
    type: 'json',
    fieldManager: FIELD_MANAGER,
    signal,
  })
}

const REPLICAS = '.spec.replicas'

const hasReplicas = (object: AnyObject): boolean =>
  (object['spec'] as { replicas?: number } | undefined)?.replicas !== undefined

const applyOver = async (
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
  object: AnyObject,
  live: AnyObject,
  isTaken: (field: string) => boolean,
): Promise<Applied> => {
  const on = (wanted: AnyObject): AnyObject => ({
    ...wanted,
    metadata: {
      ...wanted.metadata,
      ...(live.metadata.uid === undefined ? {} : { uid: live.metadata.uid }),
      ...(live.metadata.resourceVersion === undefined ? {} : { resourceVersion: live.metadata.resourceVersion }),
    },
  })
  const outcomeOf = (after: AnyObject): Outcome =>
    after.metadata.resourceVersion === live.metadata.resourceVersion ? 'unchanged' : 'changed'
  if (live.kind === 'Deployment' && hasReplicas(object) && isStoppedByHand(live)) {
    const applied = await applyOver({ client, signal }, withoutField(object, REPLICAS), live, isTaken)
    return { ...applied, kept: [...applied.kept, { field: REPLICAS, manager: 'scaled to 0 by hand' }] }
  }
  try {
    const after = await client.apply(on(object), { fieldManager: FIELD_MANAGER, signal })
    return { outcome: outcomeOf(after), kept: [], taken: [] }
  } catch (error) {
    const conflicts = error instanceof ApiError ? conflictsOf(error.causes) : []
    if (conflicts.length === 0) throw error
    const kept = conflicts.filter(({ field }) => !isTaken(field))
    const wanted = kept.reduce((reduced, { field }) => withoutField(reduced, field), object)
    const after = await client.apply(on(wanted), { fieldManager: FIELD_MANAGER, force: true, signal })
    return { outcome: outcomeOf(after), kept, taken: conflicts.filter((conflict) => !kept.includes(conflict)) }
  }
}

/** A CRD serves its versions only once it is Established; until then requests for them are answered 404. */
const established = async (context: StepContext, object: AnyObject): Promise<void> => {
  const wanted = object as unknown as CustomResourceDefinition
  await waitFor(
    async () => {
      const live = await context.client.get<CustomResourceDefinition>(referenceOf(object), context.signal)
      const condition = live.status?.conditions?.find(({ type }) => type === 'Established')
      if (condition?.status !== 'True') return { done: false, seen: condition?.message ?? 'not established' }
      const storage = live.spec.versions.find((version) => version.storage)?.name
      const expected = wanted.spec.versions.find((version) => version.storage)?.name
      if (storage !== expected)
        throw new StepFailed(
          `${live.metadata.name} stores ${storage} instead of ${expected}: somebody changed it meanwhile.`,
        )
      for (const version of wanted.spec.versions.filter(({ served }) => served))
        if (
          (await context.client.findResource(`${wanted.spec.group}/${version.name}`, wanted.spec.names.kind)) ===
          undefined
        )
          return { done: false, seen: `${version.name} is not served yet` }
      return { done: true, value: undefined }
    },
    {
      what: `Establishing ${object.metadata.name}`,
      timeoutSeconds: ESTABLISHED_SECONDS,
      signal: context.signal,
      onChange: context.report,
    },
  )
}
