/** What each kind of step asks for: one line each, so that a step that sends something new has to say so here. */
import { describe, expect, test } from 'vitest'
import { outdatingAccess, type RequiredAccess, recordAccess, requiredAccess } from '../../../src/plan/access.ts'
import { sealed } from '../../../src/plan/hash.ts'
import type { Plan, Step, WorkloadTarget } from '../../../src/plan/plan.types.ts'

const workloads: WorkloadTarget = {
  apiVersion: 'g/v1',
  kind: 'ModelDeployment',
  pausedAnnotation: 'p',
  providerKinds: [{ apiVersion: 'kaito.sh/v1', kind: 'Workspace' }],
}
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 's', name: 'c' }
const object = (kind: string, rest: Record<string, unknown> = {}, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name: 'o', namespace: 's' },
  ...rest,
})
const RBAC = 'rbac.authorization.k8s.io/v1'
const step = <K extends Step['kind']>(kind: K, rest: Omit<Extract<Step, { kind: K }>, 'id' | 'title' | 'kind'>): Step =>
  ({ id: '01', title: 't', kind, ...rest }) as unknown as Step

const textOf = (access: RequiredAccess): string => {
  const target = 'kind' in access ? access.kind : `${access.resource}.${access.group}`
  const sub = access.subresource === undefined ? '' : `/${access.subresource}`
  const place = access.namespace === undefined ? '' : ` in ${access.namespace}`
  const without = access.optional === undefined ? '' : ', or without'
  return `${access.verbs.join()} ${target}${sub}${access.name === undefined ? '' : ` ${access.name}`}${place}${without}`
}

const planOf = (...steps: Step[]): Plan =>
  sealed({
    kind: 'upgrade',
    product: 'p',
    from: 'v0.1.0',
    to: 'v0.2.0',
    source: 's',
    tier: 'in-place',
    tierReason: 'r',
    components: [],
    notes: [],
    wayBack: { possible: true },
    steps,
  })

const migration = {
  definition: 'widgets.example.com',
  uid: 'u',
  storageVersion: 'v2',
  storedVersions: ['v1', 'v2'],
  limits: { maxInFlight: 8 },
  staleVersions: [],
}

const children = ['ModelDeployment', 'Workspace', 'Pod', 'Deployment', 'ReplicaSet', 'StatefulSet'].map(
  (kind) => `list ${kind}`,
)

describe('a step asks for', () => {
  test.each<[string, Step, string[]]>([
    [
      'back-up',
      step('back-up', { objects: [deployment], collections: [{ apiVersion: 'g/v1', kind: 'ModelDeployment' }] }),
      ['get Deployment c in s', 'list ModelDeployment'],
    ],
    [
      'check-migration',
      step('check-migration', {
        definition: 'widgets.example.com',
        uid: 'u',
        to: 'v2',
        accepted: [],
        pausedAnnotation: 'p',
      }),
      [
        'get CustomResourceDefinition widgets.example.com',
        'list,patch widgets.example.com',
        'patch widgets.example.com/status, or without',
      ],
    ],
    [
      'flip-storage',
      step('flip-storage', { definition: 'widgets.example.com', uid: 'u', from: 'v1', to: 'v2' }),
      ['get,update CustomResourceDefinition widgets.example.com'],
    ],
    [
      'migrate',
      step('migrate', { ...migration, engine: 'own' }),
      [
        'list,get,patch widgets.example.com',
        'get,list,watch CustomResourceDefinition widgets.example.com',
        'patch CustomResourceDefinition/status widgets.example.com',
        'patch widgets.example.com/status, or without',
        'list Lease in kube-system, or without',
      ],
    ],
    [
      'migrate by the migrator of the cluster, with a version that comes back',
      step('migrate', { ...migration, engine: 'in-tree', bringBack: ['v0'] }),
      [
        'list,get,patch widgets.example.com',
        'get,list,watch,update CustomResourceDefinition widgets.example.com',
        'patch CustomResourceDefinition/status widgets.example.com',
        'patch widgets.example.com/status, or without',
        'list Lease in kube-system, or without',
        'create,get,list,watch,delete storageversionmigrations.storagemigration.k8s.io',
      ],
    ],
    ['take-baseline', step('take-baseline', { workloads }), children],
    [
      'compare-baseline',
      step('compare-baseline', { workloads, images: [{ deployment, container: 'm', image: 'i' }] }),
      [...children, 'get Deployment c in s'],
    ],
    [
      'apply, with the certificate that it reads',
      step('apply', {
        objects: [object('Service')],
        conflicts: 'keep',
        certificate: { apiVersion: 'v1', kind: 'Secret', namespace: 's', name: 'cert' },
      }),
      ['get,create,patch Service o in s', 'get Secret cert in s'],
    ],
    [
      'apply of a role',
      step('apply', { objects: [object('Role', { rules: [] }, RBAC)], conflicts: 'keep' }),
      ['get,create,patch Role o in s', 'escalate Role o in s'],
    ],
    [
      'apply of a binding: bind is asked where the binding is, of the role that it names',
      step('apply', {
        objects: [object('RoleBinding', { roleRef: { kind: 'ClusterRole', name: 'r' } }, RBAC)],
        conflicts: 'keep',
      }),
      ['get,create,patch RoleBinding o in s', 'bind ClusterRole r in s'],
    ],
    [
      'withdraw-version',
      step('withdraw-version', { definition: 'models.g.io', versions: ['v2'] }),
      ['get,update CustomResourceDefinition models.g.io', 'list models.g.io'],
    ],
    [
      'move-owners',
      step('move-owners', {
        owner: { kind: 'M', from: ['g/v2'], to: 'g/v1' },
        kinds: [{ apiVersion: 'v1', kind: 'Service' }],
      }),
      ['list,patch Service'],
    ],
    [
      'roll-out',
      step('roll-out', { deployment, container: 'm', image: 'i', timeoutSeconds: 1 }),
      ['get Deployment c in s', 'list Pod in s'],
    ],
    [
      'roll-out that asks webhooks',
      step('roll-out', {
        deployment,
        container: 'm',
        image: 'i',
        webhooks: { port: 443, paths: ['/a'] },
        timeoutSeconds: 1,
      }),
      ['get Deployment c in s', 'list Pod in s', 'create Pod/proxy in s'],
    ],
    [
      'await-lease',
      step('await-lease', {
        leases: [
          {
            lease: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 's', name: 'l' },
            deployment,
            image: 'i',
          },
        ],
        timeoutSeconds: 1,
      }),
      ['get,update Lease l in s', 'get Deployment c in s', 'list Pod in s'],
    ],
    [
      'await-admission',
      step('await-admission', { workloads, readableVersions: ['v1'], timeoutSeconds: 1 }),
      ['list,create ModelDeployment'],
    ],
    [
      'await-reconcile',
      step('await-reconcile', { workloads, timeoutSeconds: 1 }),
      ['list,get ModelDeployment', 'patch ModelDeployment/status'],
    ],
    [
      'stand-by',
      step('stand-by', {
        object: object('Deployment', {}, 'apps/v1'),
        container: 'm',
        image: 'i',
        webhooks: { port: 443, paths: [] },
        timeoutSeconds: 1,
      }),
      ['get,create,patch Deployment o in s', 'delete Deployment o in s', 'list Pod in s', 'create Pod/proxy in s'],
    ],
    [
      'route',
      step('route', { service: object('Service'), timeoutSeconds: 1 }),
      ['get,create,patch Service o in s', 'list EndpointSlice in s', 'list Pod in s'],
    ],
    [
      'scale to none',
      step('scale', { deployments: [deployment], replicas: 'none', timeoutSeconds: 1 }),
      ['get,patch Deployment c in s', 'list Pod in s'],
    ],
    [
      'scale as before',
      step('scale', { deployments: [deployment], replicas: 'as-before', timeoutSeconds: 1 }),
      ['get,patch Deployment c in s', 'patch Deployment/scale c in s', 'list Pod in s'],
    ],
    ['delete', step('delete', { objects: [deployment] }), ['get,delete Deployment c in s']],
  ])('%s', (_, asked, expected) => expect(requiredAccess(planOf(asked)).map(textOf)).toEqual(expected))
})

test('keeping the records asks for nothing outside their namespace but the namespace itself', () => {
  expect(recordAccess('runs').map(textOf)).toEqual([
    'get,create Namespace runs',
    'get,list,create,update,delete Secret in runs',
    'get,create,update Lease run-lock in runs',
  ])
})

describe('to write before a stopped process does', () => {
  test('each object of the step, and a role is a grant in any case', () => {
    const accesses = outdatingAccess(
      step('apply', { objects: [object('Service'), object('Role', { rules: [] }, RBAC)], conflicts: 'keep' }),
    )
    expect(accesses.map(textOf)).toEqual(['get,patch Service o in s', 'get,patch Role o in s', 'escalate Role o in s'])
    expect(accesses.at(-1)?.grant?.always).toBe(true)
  })

  test('a step that writes nothing needs nothing', () => {
    expect(outdatingAccess(step('take-baseline', { workloads }))).toEqual([])
  })
})
