/** The rights that a plan needs, so that a run is refused before its first write rather than in the middle. */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { Plan, Step, StepKind, StepOf, WorkloadTarget } from './plan.types.ts'

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
  apply: (step) =>
    step.objects.map((object) => ({
      apiVersion: object.apiVersion,
      kind: object.kind,
      ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
      name: object.metadata.name,
      verbs: ['get', 'create', 'patch'],
    })),
  'withdraw-version': (step) => [{ ...DEFINITIONS, name: step.definition, verbs: ['get', 'update'] }],
  'move-owners': (step) => step.kinds.map((kind) => ({ ...kind, verbs: ['list', 'patch'] })),
  'roll-out': (step) => [
    { ...step.deployment, verbs: ['get'] },
    { ...PODS, namespace: step.deployment.namespace ?? '', verbs: ['list'] },
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
    { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, verbs: ['list'] },
    { apiVersion: step.workloads.apiVersion, kind: step.workloads.kind, subresource: 'status', verbs: ['patch'] },
  ],
  'stand-by': (step) => [
    { apiVersion: 'apps/v1', kind: 'Deployment', ...placeOf(step.object), verbs: ['get', 'create', 'patch'] },
    { ...PODS, namespace: step.object.metadata.namespace ?? '', verbs: ['list'] },
    ...(step.webhooks === undefined
      ? []
      : [{ ...PODS, subresource: 'proxy', namespace: step.object.metadata.namespace ?? '', verbs: ['create'] }]),
  ],
  route: (step) => [
    { apiVersion: 'v1', kind: 'Service', ...placeOf(step.service), verbs: ['get', 'patch'] },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace: step.service.metadata.namespace ?? '',
      verbs: ['list'],
    },
  ],
  scale: (step) =>
    step.deployments.flatMap((deployment) => [
      { ...deployment, verbs: ['get', 'patch'] },
      { ...PODS, namespace: deployment.namespace ?? '', verbs: ['list'] },
    ]),
  delete: (step) => step.objects.map((ref) => ({ ...ref, verbs: ['delete'] })),
}

const baselineAccess = ({ providerKinds }: WorkloadTarget): RequiredAccess[] => [
  { ...PODS, verbs: ['list'] },
  ...providerKinds.map((kind) => ({ ...kind, verbs: ['list'] })),
]

const accessOfStep = (step: Step): RequiredAccess[] =>
  // The table pairs each kind with its function; TypeScript cannot follow that through an index.
  (ACCESS[step.kind] as (step: Step) => RequiredAccess[])(step)

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
