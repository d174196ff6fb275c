import { describe, expect, test } from 'vitest'
import { crdState, nodeState, workload } from '../../../src/installation/describe-objects.ts'
import type { AnyObject, CustomResourceDefinition, Node, ObjectMeta } from '../../../src/kubernetes/objects.ts'

const model = (spec: unknown, status?: unknown, metadata: Partial<ObjectMeta> = {}): AnyObject => ({
  apiVersion: 'airunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'm', namespace: 'team-a', uid: 'u', ...metadata },
  spec,
  status,
})
const shown = (object: AnyObject) => workload(object, 'airunway.ai/reconcile-paused')

describe('a workload', () => {
  test.each<[string, unknown, boolean]>([
    ['a GPU', { resources: { gpu: { count: 1, type: 'nvidia.com/gpu' } } }, true],
    ['the default of 0', { resources: { gpu: { count: 0 } } }, false],
    ['none', { resources: { cpu: '8' } }, false],
    ['per role', { scaling: { prefill: { gpu: { count: 0 } }, decode: { gpu: { count: 4 } } } }, true],
    ['a list of accelerators', { resources: { accelerators: [{ count: 0 }, { type: 'x', count: 2 }] } }, true],
    ['an empty list', { resources: { accelerators: [] } }, false],
    ['a word elsewhere', { model: { id: 'gpu' } }, false],
    ['no spec', undefined, false],
  ])('asks for GPUs: %s', (_name, spec, gpu) => expect(shown(model(spec)).gpu).toBe(gpu))

  test.each<[string, unknown, unknown, string | undefined]>([
    ['named by the user', { provider: { name: 'kaito' } }, { provider: { name: 'dynamo' } }, 'kaito'],
    ['chosen by the controller', {}, { provider: { name: 'dynamo' } }, 'dynamo'],
    ['as text', { provider: 'kaito' }, {}, 'kaito'],
    ['empty', { provider: { name: '' } }, {}, undefined],
    ['not yet chosen', {}, undefined, undefined],
  ])('provider: %s', (_name, spec, status, provider) => expect(shown(model(spec, status)).provider).toBe(provider))

  test('paused, terminating and its phase', () => {
    expect(shown(model({}, { phase: 'Running' }))).toEqual({
      namespace: 'team-a',
      name: 'm',
      uid: 'u',
      phase: 'Running',
      provider: undefined,
      paused: false,
      terminating: false,
      gpu: false,
    })
    const annotations = { 'airunway.ai/reconcile-paused': 'true' }
    expect(shown(model({}, {}, { annotations, deletionTimestamp: 'now' }))).toMatchObject({
      paused: true,
      terminating: true,
      phase: '',
    })
    expect(shown(model({}, {}, { annotations: { 'airunway.ai/reconcile-paused': 'false' } })).paused).toBe(false)
    expect(shown(model({}, {}, { annotations: { 'kubeairunway.ai/reconcile-paused': 'true' } })).paused).toBe(false)
  })
})

test.each<[string, Partial<Node> & { metadata?: Node['metadata'] }, boolean]>([
  ['capacity', { status: { capacity: { 'nvidia.com/gpu': '8' } } }, true],
  ['capacity 0', { status: { capacity: { 'nvidia.com/gpu': '0' } } }, false],
  ['the label', { metadata: { name: 'n', labels: { 'nvidia.com/gpu.present': 'true' } } }, true],
  ['the label says no', { metadata: { name: 'n', labels: { 'nvidia.com/gpu.present': 'false' } } }, false],
  ['nothing', {}, false],
])('GPU node: %s', (_name, node, gpu) => {
  expect(nodeState({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, ...node }).gpu).toBe(gpu)
})

test.each<[string, string | undefined, boolean]>([
  ['known', 'v1.30.1', true],
  ['left empty by newer kubelets', '', false],
  ['absent', undefined, false],
])('version of kube-proxy: %s', (_name, kubeProxyVersion, present) => {
  const nodeInfo = { kubeletVersion: 'v1.30.1', ...(kubeProxyVersion === undefined ? {} : { kubeProxyVersion }) }
  const state = nodeState({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status: { nodeInfo } })
  expect('kubeProxyVersion' in state).toBe(present)
})

test("a CRD shows its versions, and itself only where it is the product's", () => {
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'xs.example.io', uid: 'u', deletionTimestamp: 'now' },
    spec: {
      group: 'example.io',
      scope: 'Cluster',
      names: { plural: 'xs', kind: 'X' },
      conversion: { strategy: 'Webhook' },
      versions: [{ name: 'v1', served: true, storage: true, deprecated: true }],
    },
    status: { storedVersions: ['v1alpha1', 'v1'] },
  }
  expect(crdState(crd, false)).toEqual({
    name: 'xs.example.io',
    group: 'example.io',
    kind: 'X',
    plural: 'xs',
    uid: 'u',
    versions: [{ name: 'v1', served: true, storage: true, deprecated: true }],
    storedVersions: ['v1alpha1', 'v1'],
    conversion: 'Webhook',
    terminating: true,
  })
  expect(crdState(crd, true).object).toBe(crd)
})
