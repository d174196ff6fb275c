/** What a process that was stopped in a step may still send: creates that come too late, and writes on what it had read. */
import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { sealed } from '../../../src/plan/hash.ts'
import { lateCreates } from '../../../src/plan/late-creates.ts'
import type { Plan, Step } from '../../../src/plan/plan.types.ts'
import { writtenBy } from '../../../src/plan/written-by.ts'

const object = (kind: string, name: string): AnyObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'n' },
})
const reference = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name, namespace: 'n' })

const planOf = (...steps: Step[]): Plan =>
  sealed({
    kind: 'upgrade',
    product: 'p',
    from: 'v0.1.0',
    to: 'v0.2.0',
    source: 's',
    tier: 'standby',
    tierReason: 'r',
    components: [],
    notes: [],
    wayBack: { possible: true },
    steps,
  })

const standBy: Step = {
  id: '1',
  kind: 'stand-by',
  title: 't',
  object: object('Deployment', 'c-standby'),
  container: 'm',
  image: 'i',
  timeoutSeconds: 1,
}
const apply: Step = {
  id: '2',
  kind: 'apply',
  title: 't',
  conflicts: 'keep',
  objects: ['CustomResourceDefinition', 'Namespace', 'Service', 'Deployment'].map((kind) => object(kind, 'c')),
}
const remove: Step = {
  id: '3',
  kind: 'delete',
  title: 't',
  objects: [reference('Deployment', 'c-standby'), reference('Role', 'old')],
}
const named = (references: { kind: string; name: string }[]): string[] =>
  references.map(({ kind, name }) => `${kind} ${name}`)

describe('creates that come too late', () => {
  test('of a run that succeeded: what it has deleted, each once', () => {
    expect(named(lateCreates(planOf(standBy, apply, remove), false))).toEqual(['Deployment c-standby', 'Role old'])
  })

  test('of a run that was gone back from: also what it applies, but no CRD and no namespace', () => {
    expect(named(lateCreates(planOf(standBy, apply, remove), true))).toEqual([
      'Deployment c-standby',
      'Service c',
      'Deployment c',
      'Role old',
    ])
  })
})

test.each<[string, Step, ReturnType<typeof writtenBy>]>([
  ['a second Deployment', standBy, { objects: [reference('Deployment', 'c-standby')] }],
  ['a deletion', remove, { objects: [reference('Deployment', 'c-standby'), reference('Role', 'old')] }],
  [
    'a Service',
    { id: '4', kind: 'route', title: 't', service: object('Service', 's'), timeoutSeconds: 1 },
    { objects: [reference('Service', 's')] },
  ],
  [
    'replicas',
    {
      id: '5',
      kind: 'scale',
      title: 't',
      deployments: [reference('Deployment', 'c')],
      replicas: 'none',
      timeoutSeconds: 1,
    },
    { objects: [reference('Deployment', 'c')] },
  ],
  [
    'a version that leaves a CRD',
    { id: '6', kind: 'withdraw-version', title: 't', definition: 'a.b', versions: ['v1'] },
    { objects: [{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'a.b' }] },
  ],
  [
    'owner references',
    {
      id: '7',
      kind: 'move-owners',
      title: 't',
      owner: { kind: 'M', from: ['g/v1'], to: 'g/v2' },
      kinds: [{ apiVersion: 'v1', kind: 'Pod' }],
    },
    {
      objects: [],
      children: { owner: { kind: 'M', from: ['g/v1'], to: 'g/v2' }, kinds: [{ apiVersion: 'v1', kind: 'Pod' }] },
    },
  ],
])('a request on %s may be left', (_title, step, written) => {
  expect(writtenBy(step)).toEqual(written)
})
