import { describe, expect, it } from 'vitest'
import {
  controllerStatus,
  type RegisteredProvider,
  statusPatch,
} from '../../../../src/playground/standins/controller-status.ts'
import type {
  ModelDeployment,
  ModelDeploymentSpec,
  ModelDeploymentStatus,
} from '../../../../src/playground/standins/model-deployment.ts'
import { decodeEngines, registeredSpec } from '../../../../src/playground/standins/provider-config.ts'
import { shimStatus } from '../../../../src/playground/standins/shim-status.ts'

const now = new Date('2026-11-22T03:00:00.500Z')
const later = new Date('2026-11-22T04:00:00Z')
const config = (name: string, engines: 'strings' | 'objects') => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'InferenceProviderConfig',
  metadata: { name },
  spec: registeredSpec(name, engines),
})
const provider = (name: string, ready = true): RegisteredProvider => ({
  name,
  ready,
  engines: decodeEngines(config(name, 'strings'), 'strings'),
})
const make = (spec: ModelDeploymentSpec, status?: ModelDeploymentStatus): ModelDeployment => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'm', namespace: 'n', generation: 3 },
  spec,
  ...(status ? { status } : {}),
})
const gpu = { resources: { gpu: { count: 1 } }, engine: { type: 'vllm' } }
const cpu = { engine: { type: 'llamacpp' } }
const all = [provider('kaito'), provider('kuberay')]

describe('controllerStatus', () => {
  const table: [
    what: string,
    object: ModelDeployment,
    providers: RegisteredProvider[],
    expected: ModelDeploymentStatus,
  ][] = [
    [
      'a new one',
      make({ ...gpu, provider: { name: 'kuberay' } }),
      all,
      {
        phase: 'Pending',
        observedGeneration: 3,
        provider: { name: 'kuberay', selectedReason: 'explicit provider selection' },
      },
    ],
    [
      'one without a provider',
      make(cpu),
      all,
      { phase: 'Pending', provider: { name: 'kaito', selectedReason: 'kaito can run it' } },
    ],
    ['one without a provider while none is ready', make(cpu), [provider('kaito', false)], { phase: 'Pending' }],
    [
      'one whose provider cannot',
      make({ ...cpu, provider: { name: 'kuberay' } }),
      all,
      { phase: 'Failed', message: 'provider kuberay does not support engine llamacpp' },
    ],
    [
      'a running one stays running',
      make(gpu, { phase: 'Running', provider: { name: 'kaito', resourceKind: 'Workspace' } }),
      all,
      { phase: 'Running', provider: { name: 'kaito', resourceKind: 'Workspace', selectedReason: 'selected before' } },
    ],
    [
      'one the shim failed stays failed',
      make(gpu, { phase: 'Failed', message: 'CreateFailed' }),
      all,
      { phase: 'Failed', message: 'CreateFailed' },
    ],
    [
      'one it refused itself recovers',
      make(gpu, { phase: 'Failed', conditions: [{ type: 'Validated', status: 'False' }] }),
      all,
      { phase: 'Pending' },
    ],
  ]
  it.each(table)('%s', (_, object, providers, expected) => {
    expect(controllerStatus(object, providers, now)).toMatchObject(expected)
  })

  it('wants nothing new the second time, whatever the time', () => {
    const object = make(gpu)
    const status = controllerStatus(object, all, now)
    expect(statusPatch(status, controllerStatus({ ...object, status }, all, later))).toBeUndefined()
  })

  it('restores the observed generation after a nudge, and only that', () => {
    const object = make(gpu)
    const status = controllerStatus(object, all, now)
    const nudged = { ...status, observedGeneration: 0 }
    expect(statusPatch(nudged, controllerStatus({ ...object, status: nudged }, all, later))).toEqual({
      observedGeneration: 3,
    })
  })
})

describe('shimStatus', () => {
  const workspace = (ready: boolean) => ({
    apiVersion: 'kaito.sh/v1beta1',
    kind: 'Workspace',
    metadata: { name: 'm' },
    status: { conditions: [{ type: 'WorkspaceSucceeded', status: ready ? 'True' : 'False' }] },
  })
  it.each([
    [true, 'Running'],
    [false, 'Deploying'],
  ])('with an object that is ready: %s', (ready, phase) => {
    expect(shimStatus(make(gpu), workspace(ready), now)).toMatchObject({
      phase,
      provider: { resourceKind: 'Workspace', resourceName: 'm' },
    })
  })
  it('restores resourceKind after a nudge, and only that', () => {
    const status = shimStatus(make(gpu), workspace(true), now)
    const nudged = { ...status, provider: { resourceName: 'm' } }
    expect(statusPatch(nudged, shimStatus(make(gpu, nudged), workspace(true), later))).toEqual({
      provider: { resourceKind: 'Workspace', resourceName: 'm' },
    })
  })
  it('does not name a resource it could not create', () => {
    const status = shimStatus(make(gpu, { provider: { name: 'kaito' } }), { failed: 'NotFound: no such kind' }, now)
    expect(status).toMatchObject({ phase: 'Failed', message: 'NotFound: no such kind', provider: { name: 'kaito' } })
    expect(status.provider?.resourceKind).toBeUndefined()
  })
})

describe('engines of a provider config', () => {
  it.each(['strings', 'objects'] as const)('written and read as %s', (shape) => {
    const [first] = decodeEngines(config('kaito', shape), shape)
    expect(first).toEqual({ name: 'vllm', servingModes: ['aggregated'], gpuSupport: true, cpuSupport: true })
  })
  it.each([
    ['objects', 'strings', 'cannot unmarshal object'],
    ['strings', 'objects', 'cannot unmarshal string'],
  ] as const)('written as %s are not read as %s', (written, read, problem) => {
    expect(() => decodeEngines(config('kaito', written), read)).toThrow(problem)
  })
})
