/** The rights that a plan needs, so that a run is refused before its first write rather than in the middle. */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { Plan, Step, StepKind, StepOf, WorkloadTarget } from './plan.types.ts'
import { writtenBy } from './written-by.ts'

/** What is asked for: a kind, as a plan names it, or a resource, where only the plural is known. */
export type AccessTarget = { apiVersion: string; kind: string } | { group: string; resource: string }

/** A role or a binding that is written. */
export interface Grant {
  object: AnyObject
  /** it is changed in any case, also where it is already as it will be */
  always: boolean
}

/** Verbs on one target; `name` narrows them where the plan knows the object. */
export type RequiredAccess = AccessTarget & {
  subresource?: string
  namespace?: string
  name?: string
  verbs: string[]
  /** for `escalate` and `bind`: the write that is a grant */
  grant?: Grant
  /** the run does without; it says what for */
  optional?: string
}

const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
const PODS = { apiVersion: 'v1', kind: 'Pod' }
const DEPLOYMENTS = { apiVersion: 'apps/v1', kind: 'Deployment' }
const IN_TREE = { group: 'storagemigration.k8s.io', resource: 'storageversionmigrations' }
const RBAC_GROUP = 'rbac.authorization.k8s.io'

const placeOf = ({ metadata: { name, namespace } }: AnyObject): { name: string; namespace?: string } => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
})

/** What each kind of step asks of the API server. */
const ACCESS: { [K in StepKind]: (step: StepOf<K>) => RequiredAccess[] } = {
  'back-up': (step) => [
    ...step.objects.map((ref) => ({ ...ref, verbs: ['get'] })),
    ...step.collections.map((collection) => ({ ...collection, verbs: ['list'] })),
  ],
  'take-baseline': ({ workloads }) => baselineAccess(workloads),
  'compare-baseline': ({ workloads, images }) => [
    ...baselineAccess(workloads),
    ...images.map(({ deployment }) => ({ ...deployment, verbs: ['get'] })),
  ],
  apply: (step) => [
    ...step.objects.flatMap(writing),
    ...(step.certificate === undefined ? [] : [{ ...step.certificate, verbs: ['get'] }]),
  ],
  'withdraw-version': (step) => [
    { ...DEFINITIONS, name: step.definition, verbs: ['get', 'update'] },
    // Whether a version is still served is seen by a list of its objects.
    { ...definedBy(step.definition), verbs: ['list'] },
  ],
  'move-owners': (step) => step.kinds.map((kind) => ({ ...kind, verbs: ['list', 'patch'] })),
  'roll-out': (step) => [
    { ...step.deployment, verbs: ['get'] },
    { ...PODS, namespace: step.deployment.namespace ?? '', verbs: ['list'] },
    ...asking(step.webhooks, step.deployment.namespace),
  ],
  'await-lease': (step) =>
    step.leases.flatMap(({ lease, deployment }) => [
      { ...LEASES, namespace: lease.namespace ?? '', name: lease.name, verbs: ['get', 'update'] },
      { ...deployment, verbs: ['get'] },
      { ...PODS, namespace: deployment.namespace ?? '', verbs: ['list'] },
    ]),
  'await-admission': (step) => [
    { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, verbs: ['list', 'create'] },
  ],
  'await-reconcile': (step) => [
    { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, verbs: ['list', 'get'] },
    { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, subresource: 'status', verbs: ['patch'] },
  ],
  'stand-by': (step) => [
    ...writing(step.object),
    // One that an earlier run left behind with another template is made anew.
    { ...DEPLOYMENTS, ...placeOf(step.object), verbs: ['delete'] },
    { ...PODS, namespace: step.object.metadata.namespace ?? '', verbs: ['list'] },
    ...asking(step.webhooks, step.object.metadata.namespace),
  ],
  route: (step) => [
    ...writing(step.service),
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace: step.service.metadata.namespace ?? '',
      verbs: ['list'],
    },
    { ...PODS, namespace: step.service.metadata.namespace ?? '', verbs: ['list'] },
  ],
  scale: (step) =>
    step.deployments.flatMap((deployment) => [
      { ...deployment, verbs: ['get', 'patch'] },
      // A number that an autoscaler had set goes back the way it came.
      ...(step.replicas === 'none' ? [] : [{ ...deployment, subresource: 'scale', verbs: ['patch'] }]),
      { ...PODS, namespace: deployment.namespace ?? '', verbs: ['list'] },
    ]),
  rewrite: ({ collection }) => [{ ...collection, verbs: ['list', 'get', 'update'] }],
  restore: ({ collection }) => [{ ...collection, verbs: ['list', 'get', 'create', 'update'] }],
  'check-migration': ({ definition }) => [
    { ...DEFINITIONS, name: definition, verbs: ['get'] },
    // A dry run is a write to whoever authorizes it.
    { ...definedBy(definition), verbs: ['list', 'patch'] },
    roundWebhooks(definition),
  ],
  'flip-storage': ({ definition }) => [{ ...DEFINITIONS, name: definition, verbs: ['get', 'update'] }],
  migrate: ({ definition, engine, bringBack }) => [
    { ...definedBy(definition), verbs: ['list', 'get', 'patch'] },
    // Followed by a list and a watch of this one name.
    { ...DEFINITIONS, name: definition, verbs: ['get', 'list', 'watch', ...(bringBack ? ['update'] : [])] },
    { ...DEFINITIONS, name: definition, subresource: 'status', verbs: ['patch'] },
    roundWebhooks(definition),
    apiServers,
    ...(engine === 'in-tree' ? [{ ...IN_TREE, verbs: ['create', 'get', 'list', 'watch', 'delete'] }] : []),
  ],
  delete: (step) => step.objects.map((ref) => ({ ...ref, verbs: ['get', 'delete'] })),
}

/** Webhook paths are asked through the API server's pod proxy; a pod's name is not known before. */
const asking = (webhooks: object | undefined, namespace = ''): RequiredAccess[] =>
  webhooks === undefined ? [] : [{ ...PODS, subresource: 'proxy', namespace, verbs: ['create'] }]

/** An object is read, created by POST where it is not there, and applied. */
const writing = (object: AnyObject): RequiredAccess[] => [
  { apiVersion: object.apiVersion, kind: object.kind, ...placeOf(object), verbs: ['get', 'create', 'patch'] },
  ...granting(object),
]

/**
 * RBAC lets nobody grant more than he holds: who changes a role needs `escalate` on it, who changes a binding `bind` on the
 * role it names, or all the rights in question.
 */
const granting = (object: AnyObject, always = false): RequiredAccess[] => {
  if (!object.apiVersion.startsWith(`${RBAC_GROUP}/`)) return []
  const { apiVersion, kind } = object
  const grant = { object, always }
  if (kind === 'ClusterRole' || kind === 'Role')
    return [{ apiVersion, kind, ...placeOf(object), verbs: ['escalate'], grant }]
  const { kind: role, name } = object['roleRef'] as { kind: string; name: string }
  const { namespace } = object.metadata
  return [{ apiVersion, kind: role, ...(namespace && { namespace }), name, verbs: ['bind'], grant }]
}

/** The objects of a CustomResourceDefinition, whose name is `<plural>.<group>`. */
const definedBy = (definition: string): { group: string; resource: string } => {
  const [resource = '', ...group] = definition.split('.')
  return { group: group.join('.'), resource }
}

/** Few webhooks and policies are registered for /status, and a write there stores the whole object anew as well. */
const roundWebhooks = (definition: string): RequiredAccess => ({
  ...definedBy(definition),
  subresource: 'status',
  verbs: ['patch'],
  optional: 'only used for objects whose write a webhook or a policy refuses at the main endpoint, and not at /status',
})

/** Each API server keeps a Lease, and each has to know the storage version before anything is proved. */
const apiServers: RequiredAccess = {
  ...LEASES,
  namespace: 'kube-system',
  verbs: ['list'],
  optional: 'tells how many API servers have to know a new storage version; one is assumed without it',
}

/** What ModelDeployments own, down to pods, in all namespaces. */
const baselineAccess = ({ apiVersion, kind, providerKinds }: WorkloadTarget): RequiredAccess[] =>
  [
    { apiVersion, kind },
    ...providerKinds,
    PODS,
    DEPLOYMENTS,
    { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  ].map((target) => ({ ...target, verbs: ['list'] }))

const accessOfStep = (step: Step): RequiredAccess[] =>
  // The table pairs each kind with its function; TypeScript cannot follow that through an index.
  (ACCESS[step.kind] as (step: Step) => RequiredAccess[])(step)

/**
 * What making the requests of a stopped run fail needs, for a step of it that was begun and not ended: each object that the
 * step writes is read and patched. Of a role or a binding that is a grant again. Pure.
 */
export const outdatingAccess = (step: Step): RequiredAccess[] => {
  const { objects, collection, children } = writtenBy(step)
  return [
    ...objects.map((ref) => ({ ...ref, verbs: ['get', 'patch'] })),
    ...(step.kind === 'apply' ? step.objects.flatMap((object) => granting(object, true)) : []),
    ...[...(collection === undefined ? [] : [collection]), ...(children?.kinds ?? [])].map((kind) => ({
      ...kind,
      verbs: ['list', 'get', 'patch'],
    })),
  ]
}

/** Every right that the plan's steps need. Pure; what a run needs beside its steps (records, lock) is not among them. */
export const requiredAccess = (plan: Plan): RequiredAccess[] => plan.steps.flatMap(accessOfStep)

/** What keeping the records and the lock needs, in their namespace. */
export const recordAccess = (namespace: string): RequiredAccess[] => [
  { apiVersion: 'v1', kind: 'Namespace', name: namespace, verbs: ['get', 'create'] },
  { apiVersion: 'v1', kind: 'Secret', namespace, verbs: ['get', 'list', 'create', 'update', 'delete'] },
  { ...LEASES, namespace, name: 'run-lock', verbs: ['get', 'create', 'update'] },
]
