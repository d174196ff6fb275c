import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '../../../src/kubernetes/objects.ts'
import { PodAddresses } from '../../../src/playground/pod-addresses.ts'
import { containerEnvironment, expand, processEnvironment } from '../../../src/playground/pod-environment.ts'
import {
  chooseNode,
  gracePeriodSeconds,
  portsOf,
  restartDelayMs,
  wantsNode,
} from '../../../src/playground/pod-model.ts'
import { type ContainerState, imageId, phaseOf, podStatus } from '../../../src/playground/pod-status.ts'
import { isFree, Ports } from '../../../src/playground/ports.ts'

const pod = (spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', ...metadata },
  spec: { containers: [{ name: 'main', image: 'i' }], ...spec },
})
const node = (name: string, labels: Record<string, string> = {}, gpu = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { capacity: gpu ? { 'nvidia.com/gpu': '8' } : {} },
})

test.each([
  [1, 0],
  [2, 10_000],
  [3, 20_000],
  [4, 40_000],
  [6, 160_000],
  [7, 300_000],
  [50, 300_000],
])('after the %dth end a restart waits %d ms', (ended, delay) => {
  expect(restartDelayMs(ended)).toBe(delay)
})

test.each([
  [
    'what the deletion asked for',
    pod({ terminationGracePeriodSeconds: 60 }, { deletionGracePeriodSeconds: 0 } as object),
    0,
  ],
  ['what the pod says', pod({ terminationGracePeriodSeconds: 60 }), 60],
  ['the default', pod(), 30],
])('the grace period is %s', (_, given, seconds) => {
  expect(gracePeriodSeconds(given)).toBe(seconds)
})

describe('scheduling', () => {
  const nodes = [node('a'), node('b', { zone: '1' }), node('g', {}, true)]
  const named = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
      },
    },
  }
  const wantsGpu = { containers: [{ name: 'm', resources: { limits: { 'nvidia.com/gpu': '1' } } }] }
  test.each<[string, Pod, [string, number][], string | undefined]>([
    [
      'the emptiest',
      pod(),
      [
        ['a', 2],
        ['b', 1],
        ['g', 3],
      ],
      'b',
    ],
    ['the first of equals', pod(), [], 'a'],
    ['what the selector allows', pod({ nodeSelector: { zone: '1' } }), [['b', 9]], 'b'],
    ['none where no label fits', pod({ nodeSelector: { zone: '2' } }), [], undefined],
    ["a DaemonSet's own", pod({ affinity: named }), [['b', 9]], 'b'],
    ['one with a GPU', pod(wantsGpu), [['g', 9]], 'g'],
  ])('chooses %s', (_, given, counts, expected) => {
    expect(chooseNode(given, nodes, new Map(counts))).toBe(expected)
  })
  test('no cordoned node', () => {
    expect(chooseNode(pod(), [{ ...node('a'), spec: { unschedulable: true } }], new Map())).toBeUndefined()
  })
  test.each([
    [pod(), true],
    [pod({ nodeName: 'a' }), false],
    [pod({ schedulingGates: [{ name: 'later' }] }), false],
    [pod({}, { deletionTimestamp: 'now' }), false],
    [{ ...pod(), status: { phase: 'Failed' } }, false],
  ])('case %#: wants a node: %s', (given, expected) => {
    expect(wantsNode(given)).toBe(expected)
  })
})

test('ports are those of containers and probes, named ones too, and the usual ones', () => {
  const given = pod({
    containers: [
      {
        name: 'a',
        ports: [{ name: 'web', containerPort: 80 }],
        readinessProbe: { httpGet: { port: 'web' } },
        livenessProbe: { tcpSocket: { port: 9000 } },
      },
      { name: 'b', ports: [{ containerPort: 81 }] },
    ],
  })
  expect(portsOf(given).toSorted((a, b) => a - b)).toEqual([80, 81, 8081, 8443, 9000, 9443])
})

describe('environment', () => {
  test.each([
    ['$(A)/$(B)', '1/$(B)'],
    ['$$(A)', '$(A)'],
    ['a$b $', 'a$b $'],
  ])('%s expands to %s', (text, expected) => {
    expect(expand(text, { A: '1' })).toBe(expected)
  })

  test('fields are resolved, and later variables see earlier ones', () => {
    const fieldRef = (fieldPath: string) => ({ fieldRef: { fieldPath } })
    const container = {
      name: 'm',
      env: [
        { name: 'NS', valueFrom: fieldRef('metadata.namespace') },
        { name: 'IP', valueFrom: fieldRef('status.podIP') },
        { name: 'NODE', valueFrom: fieldRef('spec.nodeName') },
        { name: 'L', valueFrom: fieldRef("metadata.labels['app']") },
        { name: 'URL', value: 'http://$(IP).$(NS)/$(LATER)' },
        { name: 'LATER', value: 'x' },
      ],
    }
    expect(containerEnvironment(container, pod({ nodeName: 'n1' }, { labels: { app: 'l' } }), '10.244.1.1')).toEqual({
      NS: 'ns',
      IP: '10.244.1.1',
      NODE: 'n1',
      L: 'l',
      URL: 'http://10.244.1.1.ns/$(LATER)',
      LATER: 'x',
    })
  })

  test('a container cannot hide where it lives', () => {
    const place = {
      podIP: '10.244.1.1',
      ports: { '80': 2000 },
      serviceAccountDirectory: '/sa',
      volumes: { '/v': '/d' },
      server: 'https://127.0.0.1:6443',
    }
    const container = { name: 'm', image: 'img:1', env: [{ name: 'KUBERNETES_SERVICE_HOST', value: 'elsewhere' }] }
    expect(processEnvironment(container, pod(), place)).toEqual({
      HOSTNAME: 'p',
      POD_NAME: 'p',
      POD_NAMESPACE_ACTUAL: 'ns',
      POD_IP: '10.244.1.1',
      AIRUNWAY_IMAGE: 'img:1',
      AIRUNWAY_PORTS: '{"80":2000}',
      AIRUNWAY_SERVICEACCOUNT_DIR: '/sa',
      AIRUNWAY_VOLUMES: '{"/v":"/d"}',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
    })
  })
})

describe('status', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  test.each([
    ['ghcr.io/x/controller:0.1.0', /^ghcr\.io\/x\/controller@sha256:[0-9a-f]{64}$/],
    ['localhost:5000/x', /^localhost:5000\/x@sha256:[0-9a-f]{64}$/],
    [`localhost:5000/x@${digest}`, new RegExp(`^localhost:5000/x@${digest}$`)],
    [`localhost:5000/x:1@${digest}`, new RegExp(`^localhost:5000/x@${digest}$`)],
  ])('the ID of %s is %s', (image, expected) => {
    expect(imageId(image)).toMatch(expected)
    expect(imageId(image)).toBe(imageId(image))
  })
  test('other tags have other IDs', () => {
    expect(imageId('x/y:1')).not.toBe(imageId('x/y:2'))
  })

  const end = (exitCode: number) => ({ exitCode, reason: 'Error', startedAt: 's', finishedAt: 'f' }) as const
  const state = (change: Partial<ContainerState>): ContainerState => ({
    name: 'm',
    image: 'i',
    ready: false,
    restarts: 0,
    ...change,
  })
  test.each<[string, string, Partial<ContainerState>]>([
    ['Pending', 'Always', {}],
    ['Running', 'Always', { runningSince: 's' }],
    ['Running', 'Always', { waiting: { reason: 'CrashLoopBackOff' }, last: end(1) }],
    ['Succeeded', 'Never', { terminated: end(0) }],
    ['Failed', 'Never', { terminated: end(1) }],
  ])('%s with restart policy %s and %j', (phase, restartPolicy, container) => {
    expect(phaseOf(pod({ restartPolicy }), [state(container)])).toBe(phase)
  })

  test('a condition that does not change keeps its time', () => {
    const containers = [state({ runningSince: 's', ready: true })]
    const place = { podIP: '10.244.1.1', startTime: 's', now: 'first' }
    const first = podStatus(pod(), containers, place) as NonNullable<Pod['status']>
    const later = podStatus({ ...pod(), status: first }, [state({ runningSince: 's' })], {
      ...place,
      now: 'later',
    }) as NonNullable<Pod['status']>
    const time = (type: string) => later.conditions?.find((one) => one.type === type)
    expect(time('PodScheduled')).toMatchObject({ status: 'True', lastTransitionTime: 'first' })
    expect(time('Ready')).toMatchObject({ status: 'False', lastTransitionTime: 'later', reason: 'ContainersNotReady' })
  })
})

test('addresses lead to the local ports of the newest start, until the pod is gone', async () => {
  const addresses = new PodAddresses(new Ports())
  const first = addresses.assign([9443, 8081])
  const second = addresses.assign([9443])
  expect([first, second]).toEqual(['10.244.1.1', '10.244.1.2'])
  expect(addresses.route(first, 9443)).toBeUndefined()
  const opened = await addresses.openPorts(first)
  expect(Object.keys(opened).toSorted()).toEqual(['8081', '9443'])
  expect(addresses.route(first, 9443)).toBe(opened['9443'])
  const again = await addresses.openPorts(first)
  expect(again['9443']).not.toBe(opened['9443'])
  expect(addresses.route(first, 9443)).toBe(again['9443'])
  expect(addresses.route(second, 9443)).toBeUndefined()
  expect(await isFree(again['9443'] ?? 0)).toBe(true)
  addresses.release(first)
  expect(addresses.route(first, 9443)).toBeUndefined()
})
