/** The rights that a plan needs, so that a run is refused before its first write rather than in the middle. */
import type { Plan, Step } from './plan.types.ts'

/** Verbs on one kind; `name` narrows it where the plan knows the object. */
export interface RequiredAccess {
  apiVersion: string
  kind: string
  subresource?: string
  namespace?: string
  name?: string
  verbs: string[]
}

const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
const PODS = { apiVersion: 'v1', kind: 'Pod' }

const accessOfStep = (step: Step): RequiredAccess[] => {
  switch (step.kind) {
    case 'back-up':
      return [
        ...step.objects.map((ref) => ({ ...ref, verbs: ['get'] })),
        ...step.collections.map((collection) => ({ ...collection, verbs: ['list'] })),
      ]
    case 'take-baseline':
    case 'compare-baseline':
      return [
        { ...PODS, verbs: ['list'] },
        ...step.workloads.providerKinds.map((kind) => ({ ...kind, verbs: ['list'] })),
      ]
    case 'apply':
      return step.objects.map((object) => ({
        apiVersion: object.apiVersion,
        kind: object.kind,
        ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
        name: object.metadata.name,
        verbs: ['get', 'create', 'patch'],
      }))
    case 'withdraw-version':
      return [{ ...DEFINITIONS, name: step.definition, verbs: ['get', 'update'] }]
    case 'move-owners':
      return step.kinds.map((kind) => ({ ...kind, verbs: ['list', 'patch'] }))
    case 'roll-out':
      return [
        { ...step.deployment, verbs: ['get'] },
        { ...PODS, namespace: step.deployment.namespace ?? '', verbs: ['list'] },
      ]
    case 'await-lease':
      return step.leases.flatMap(({ lease, deployment }) => [
        { ...LEASES, namespace: lease.namespace ?? '', name: lease.name, verbs: ['get', 'update'] },
        { ...deployment, verbs: ['get'] },
        { ...PODS, namespace: deployment.namespace ?? '', verbs: ['list'] },
      ])
    case 'await-admission':
      return [{ apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, verbs: ['list', 'create'] }]
    case 'await-reconcile':
      return [
        { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, verbs: ['list'] },
        { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, subresource: 'status', verbs: ['patch'] },
      ]
    case 'delete':
      return step.objects.map((ref) => ({ ...ref, verbs: ['delete'] }))
  }
}

/** Every right the plan's steps need, each named once; the records' own rights are not among them. */
export const requiredAccess = (plan: Plan): RequiredAccess[] => {
  const merged = new Map<string, RequiredAccess>()
  for (const access of plan.steps.flatMap(accessOfStep)) {
    const { verbs, ...target } = access
    const key = [target.apiVersion, target.kind, target.subresource, target.namespace, target.name].join('|')
    const known = merged.get(key)
    if (known === undefined) merged.set(key, { ...target, verbs: [...verbs] })
    else for (const verb of verbs) if (!known.verbs.includes(verb)) known.verbs.push(verb)
  }
  return [...merged.values()]
}
