import { describe, expect, test } from 'vitest'
import type { AnyObject, Deployment } from '../../../src/kubernetes/objects.ts'
import { numbered } from '../../../src/plan/numbering.ts'
import type { Step, StepKind, StepOf } from '../../../src/plan/plan.types.ts'
import { replicasOf } from '../../../src/plan/replicas.ts'
import { type StandbySource, standbyNameOf, standbySteps } from '../../../src/plan/standby.ts'

type Labels = Record<string, string>

const KEY = 'control-plane'

const deployment = (change: {
  selector?: Record<string, unknown>
  labels?: Labels
  pod?: Record<string, unknown>
  spec?: Record<string, unknown>
}): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'controller',
    namespace: 'system',
    labels: { 'app.kubernetes.io/instance': 'tracked-by-a-tool' },
    annotations: { tracking: 'x' },
  },
  spec: {
    replicas: 3,
    selector: change.selector ?? { matchLabels: { 'app.kubernetes.io/name': 'product', [KEY]: 'controller' } },
    template: {
      metadata: { labels: change.labels ?? { 'app.kubernetes.io/name': 'product', [KEY]: 'controller', zone: 'a' } },
      spec: { containers: [{ name: 'manager', image: 'c:2', args: ['--leader-elect'] }], ...change.pod },
    },
    ...change.spec,
  },
})

const service = (name: string, selector: Labels | undefined, ports: unknown[] = [{ port: 443, targetPort: 9443 }]) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'system' },
  spec: { ...(selector && { selector }), ports },
})

const source = (change: Partial<StandbySource> = {}): StandbySource => ({
  deployment: deployment({}),
  led: {
    title: 'the controller',
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'system', name: 'controller' },
    container: 'manager',
    image: 'c:2',
    lease: 'lease',
  },
  services: [
    service('metrics', { 'app.kubernetes.io/name': 'product', [KEY]: 'controller' }),
    service('webhook', { 'app.kubernetes.io/name': 'product', [KEY]: 'controller' }),
  ],
  webhooks: {
    service: { apiVersion: 'v1', kind: 'Service', namespace: 'system', name: 'webhook' },
    paths: ['/convert', '/validate'],
  },
  ...change,
})

const made = (change: Partial<StandbySource> = {}) => {
  const steps = standbySteps(source(change))
  if ('impossible' in steps) throw new Error(steps.impossible)
  return { ...steps, all: numbered([...steps.arrive, ...steps.takeOver, ...steps.comeHome]) }
}

const of = <K extends StepKind>(steps: Step[], kind: K): StepOf<K>[] =>
  steps.filter((step): step is StepOf<K> => step.kind === kind)

const standby = (change: Partial<StandbySource> = {}): Deployment => {
  const [step] = of(made(change).all, 'stand-by')
  if (step === undefined) throw new Error('no stand-by')
  return step.object as unknown as Deployment
}

const selects = (selector: Labels | undefined, labels: Labels | undefined): boolean =>
  Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)

const impossible = (change: Partial<StandbySource>): string => {
  const steps = standbySteps(source(change))
  return 'impossible' in steps ? steps.impossible : 'possible'
}

describe('the pods of a standby', () => {
  test('are told from the usual ones by one label; all else of the template is the same', () => {
    const { spec, metadata } = standby()
    const usual = source().deployment as unknown as Deployment
    const labels = spec.template.metadata?.labels
    expect(labels).toEqual({ 'app.kubernetes.io/name': 'product', [KEY]: 'controller-standby', zone: 'a' })
    expect(spec.template.spec).toEqual(usual.spec.template.spec)
    expect(spec.replicas).toBe(2)
    expect(selects(spec.selector.matchLabels, labels)).toBe(true)
    expect(selects(usual.spec.selector.matchLabels, labels)).toBe(false)
    expect(selects(spec.selector.matchLabels, usual.spec.template.metadata?.labels)).toBe(false)
    expect(metadata.name).toBe(standbyNameOf('controller'))
  })

  test('carry nothing by which another tool would know its own object', () => {
    const { metadata } = standby()
    expect(JSON.stringify(metadata)).not.toMatch(/tracked-by-a-tool|tracking/)
  })

  test('are picked by no Service, whatever it selects by', () => {
    const labels = { a: 'one', b: 'two', c: 'three' }
    const services = [service('webhook', { b: 'two' }), service('other', { c: 'three' })]
    const usual = deployment({ selector: { matchLabels: { a: 'one', b: 'two' } }, labels })
    const object = standby({ deployment: usual, services })
    for (const { spec } of services) expect(selects(spec.selector, object.spec.template.metadata?.labels)).toBe(false)
    // One label that all select by would have been enough, and there is none.
    expect(
      Object.values(object.spec.template.metadata?.labels ?? {}).filter((value) => value.includes('standby')),
    ).toHaveLength(2)
  })

  test.each([
    ['a'.repeat(63), `${'a'.repeat(55)}-standby`],
    [`${'a'.repeat(55)}-standby`, `standby-${'a'.repeat(55)}`],
    ['', 'standby'],
  ])('a label stays valid and differs: %s', (value, expected) => {
    const labels = { [KEY]: value }
    const object = standby({
      deployment: deployment({ selector: { matchLabels: labels }, labels }),
      services: [service('webhook', labels)],
    })
    expect(object.spec.template.metadata?.labels?.[KEY]).toBe(expected)
    expect(expected.length).toBeLessThanOrEqual(63)
    expect(expected).not.toBe(value)
  })
})

describe('what rules a standby out', () => {
  test.each<[string, Partial<StandbySource>, RegExp]>([
    ['a selector without labels', { deployment: deployment({ selector: {} }) }, /names no label/],
    [
      'a selector by expressions only',
      {
        deployment: deployment({
          selector: {
            matchLabels: { [KEY]: 'controller' },
            matchExpressions: [{ key: KEY, operator: 'Exists' }],
          },
        }),
      },
      /names no label/,
    ],
    ['ports of the node', { deployment: deployment({ pod: { hostNetwork: true } }) }, /ports of their node/],
    [
      'a port of the node',
      {
        deployment: deployment({
          pod: { containers: [{ name: 'manager', ports: [{ containerPort: 1, hostPort: 1 }] }] },
        }),
      },
      /ports of their node/,
    ],
    ['a volume', { deployment: deployment({ pod: { volumes: [{ persistentVolumeClaim: {} }] } }) }, /volume/],
    ...[['--leader-elect=false'], []].map((args): [string, Partial<StandbySource>, RegExp] => [
      `no leader election: ${args.join('')}`,
      { deployment: deployment({ pod: { containers: [{ name: 'manager', args }] } }) },
      /do not ask for leader election/,
    ]),
    ['a Service that goes elsewhere', { services: [service('webhook', { x: 'y' })] }, /does not select its pods/],
  ])('%s', (_name, change, why) => {
    expect(impossible(change)).toMatch(why)
  })

  test("a Service without a selector is nobody's", () => {
    expect(impossible({ services: [...source().services, service('manual', undefined)] })).toBe('possible')
  })
})

describe('the order', () => {
  test('requests move only to pods that were proven, the Lease only when the pods before are gone', () => {
    const { all } = made()
    expect(all.map(({ kind }) => kind)).toEqual([
      'stand-by',
      'route',
      'route',
      'scale',
      'await-lease',
      'apply',
      'scale',
      'roll-out',
      'route',
      'scale',
      'await-lease',
      'delete',
    ])
    for (const step of [...of(all, 'stand-by'), ...of(all, 'roll-out')])
      expect(step.webhooks).toEqual({ port: 9443, paths: ['/convert', '/validate'] })
    const labels = standby().spec.template.metadata?.labels
    const routed = of(all, 'route').map(({ service: { spec } }) =>
      selects((spec as { selector: Labels }).selector, labels),
    )
    expect(routed).toEqual([true, true, false])
    expect(of(all, 'scale').map(({ replicas, deployments }) => [replicas, deployments[0]?.name])).toEqual([
      ['none', 'controller'],
      ['as-before', 'controller'],
      ['none', 'controller-standby'],
    ])
    expect(of(all, 'await-lease').map(({ leases }) => leases[0]?.deployment.name)).toEqual([
      'controller-standby',
      'controller',
    ])
    expect(of(all, 'delete')).toMatchObject([{ onlyCreatedByRuns: true, objects: [{ name: 'controller-standby' }] }])
  })

  test('a component without webhooks has nothing to route', () => {
    const { webhooks: _webhooks, ...shim } = source({ services: [] })
    const steps = standbySteps(shim)
    if ('impossible' in steps) throw new Error(steps.impossible)
    const all = numbered([...steps.arrive, ...steps.takeOver, ...steps.comeHome])
    expect(of(all, 'route')).toEqual([])
    expect(of(all, 'stand-by')[0]?.webhooks).toBeUndefined()
  })

  test('a named port is left to the pods; the port of webhooks is 443', () => {
    const ports = [
      { port: 8080, targetPort: 1 },
      { port: 443, targetPort: 'webhook-server' },
    ]
    const { all } = made({ services: [service('webhook', { [KEY]: 'controller' }, ports)] })
    expect(of(all, 'stand-by')[0]?.webhooks?.port).toBe('webhook-server')
  })

  test('what a run before had found goes along', () => {
    const had = { replicas: 4, owner: { manager: 'hpa' } }
    const scales = of(made({ had }).all, 'scale')
    expect(scales.map((step) => step.had)).toEqual([
      { 'Deployment system/controller': had },
      { 'Deployment system/controller': had },
      undefined,
    ])
  })
})

describe('who owns the number of replicas', () => {
  const owned = (manager: string, subresource?: string): AnyObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'd',
      managedFields: [
        { manager: 'other', fieldsV1: { 'f:spec': { 'f:template': {} } } },
        { manager, ...(subresource && { subresource }), fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      ],
    },
    spec: { replicas: 5 },
  })

  test.each<[string, string | undefined, object | undefined]>([
    ['kube-controller-manager', 'scale', { manager: 'kube-controller-manager', subresource: 'scale' }],
    ['kubectl', 'scale', { manager: 'kubectl', subresource: 'scale' }],
    ['kubectl-edit', undefined, { manager: 'kubectl-edit' }],
    ['kubectl', undefined, undefined],
    ['kubectl-airunway', undefined, undefined],
  ])('%s %s', (manager, subresource, owner) => {
    const installers = ['kubectl', 'kubectl-airunway']
    expect(replicasOf(owned(manager, subresource), installers)).toEqual({ replicas: 5, ...(owner && { owner }) })
  })
})
