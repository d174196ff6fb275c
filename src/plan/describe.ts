/** What a step does, for people: a few words beside its title. Pure; the layout belongs to the report. */
import type { ObjectReference } from '../kubernetes/objects.ts'
import type { Step, StepOf } from './plan.types.ts'

/** `Deployment airunway-system/airunway-controller-manager` */
export const nameOf = (ref: {
  kind: string
  metadata?: { namespace?: string; name: string }
  namespace?: string
  name?: string
}): string => {
  const namespace = ref.metadata?.namespace ?? ref.namespace
  const name = ref.metadata?.name ?? ref.name ?? ''
  return `${ref.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** `3 ClusterRole, 1 Role` */
export const countKinds = (objects: { kind: string }[]): string => {
  const counts = new Map<string, number>()
  for (const object of objects) counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')
}

const few = (objects: (ObjectReference | Parameters<typeof nameOf>[0])[]): string =>
  objects.length <= 2 ? objects.map((object) => nameOf(object)).join(', ') : countKinds(objects)

const withdrawn = ({ versions, conversion, deprecations }: StepOf<'withdraw-version'>): string => {
  const gone = [...versions, ...(conversion === 'None' ? ['its conversion webhook'] : [])]
  return [
    ...(gone.length > 0 ? [`${gone.join(' and ')} end`] : []),
    ...(deprecations === undefined ? [] : [`${Object.keys(deprecations).join(', ')} as deprecated as before`]),
  ].join('; ')
}

const migrated = ({ definition, storedVersions, storageVersion, bringBack }: StepOf<'migrate'>): string => {
  const others = storedVersions.filter((version) => version !== storageVersion)
  const from = others.length === 0 ? '' : `${others.join(', ')} to `
  const repaired = bringBack === undefined ? '' : `${bringBack.join(', ')} back into the spec, then `
  return `${definition}: ${repaired}${from}${storageVersion}, proved, then storedVersions is trimmed`
}

const saved = ({ objects, collections }: StepOf<'back-up'>): string =>
  [
    ...(objects.length > 0 ? [`${objects.length} object${objects.length === 1 ? '' : 's'}`] : []),
    ...(collections.length > 0 ? [`all ${collections.map(({ kind }) => kind).join(' and ')} objects`] : []),
  ].join(', ')

/** One line that says what the step touches or waits for. */
export const describeStep = (step: Step): string => {
  switch (step.kind) {
    case 'back-up':
      return saved(step)
    case 'take-baseline':
      return 'uid, generation and restarts of provider objects and pods'
    case 'apply':
      return few(step.objects)
    case 'withdraw-version':
      return `${step.definition}: ${withdrawn(step)}`
    case 'move-owners':
      return `children that name ${step.owner.from.join(', ')} as their owner's version name ${step.owner.to}`
    case 'roll-out':
      return `${nameOf(step.deployment)} on ${step.image}`
    case 'await-lease':
      return step.leases.map(({ lease }) => nameOf(lease)).join(', ')
    case 'await-admission':
      return `dry-run create of a ${step.workloads.kind}; ${step.readableVersions.join(', ')} readable`
    case 'await-reconcile':
      return `every ${step.workloads.kind}${step.provider === undefined ? '' : ` of ${step.provider}`} nudged, and restored by its owners`
    case 'delete':
      return few(step.objects)
    case 'stand-by':
      return `${nameOf(step.object)} on ${step.image}, beside the usual one`
    case 'route':
      return `${nameOf(step.service)} to the pods of ${Object.values((step.service['spec'] as { selector: Record<string, string> }).selector).join(', ')}`
    case 'scale':
      return `${few(step.deployments)} ${step.replicas === 'none' ? 'to 0, until every pod is gone' : 'to what it had'}`
    case 'rewrite':
      return `every ${step.collection.kind}, with what the new schema hides from the back-up`
    case 'restore':
      return `every ${step.collection.kind} as it was; ${step.objects.length} from the back-up`
    case 'check-migration':
      return `${step.definition}: nothing would be lost by ${step.to}, and nobody refuses the writes`
    case 'flip-storage':
      return `${step.definition}: ${step.from} to ${step.to}; there is no rollback across it`
    case 'migrate':
      return migrated(step)
    case 'compare-baseline':
      return 'provider objects and pods as before; versions running as wanted'
  }
}
