import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/kubernetes/connect.ts'
import type { AnyObject, Deployment, Node, Pod } from '../../src/kubernetes/objects.ts'
import { commandLine, namesDirectory, runsFor } from '../../src/playground/process-table.ts'
import { readState } from '../../src/playground/state.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url))
const image = 'registry.example/pod-program:1'
const possible = clusterTestsPossible()

type Any<T> = T & { [field: string]: unknown }

const pod = (name: string, container: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: 'main',
        image,
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
        ...container,
      },
    ],
    ...spec,
  },
})

describe.skipIf(!possible.possible)(`the playground ${possible.reason ?? ''}`, () => {
  let cluster: ControlPlane
  const create = (object: AnyObject) => cluster.client.create<AnyObject>(object)
  const ref = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
  const statusOf = async (name: string) => (await cluster.client.get<Any<Pod>>(ref(name))).status
  const condition = async (name: string, type: string) =>
    (await statusOf(name))?.conditions?.find((one) => one.type === type)?.status
  const isReady = async (name: string) => (await condition(name, 'Ready')) === 'True'
  const ask = async (name: string, path: string) => {
    const answer = await cluster.client.raw({
      method: 'GET',
      path: `/api/v1/namespaces/default/pods/${name}:8080/proxy${path}`,
    })
    return answer
  }

  beforeAll(async () => {
    cluster = await startControlPlane({
      nodes: [
        { name: 'new', kubeletVersion: 'v1.36.3' },
        { name: 'old', kubeletVersion: 'v1.32.1', gpu: false },
      ],
      programs: { [image]: support('pod-program.ts') },
    })
  })
  afterAll(async () => {
    await cluster?.stop()
  })

  test('has nodes with the versions asked for, Ready, with and without GPUs', async () => {
    const nodes = await cluster.client.list<Any<Node>>({ apiVersion: 'v1', kind: 'Node' })
    const seen = nodes.map(({ metadata, status }) => [
      metadata.name,
      status?.nodeInfo?.kubeletVersion,
      status?.capacity?.['nvidia.com/gpu'],
    ])
    expect(seen).toEqual([
      ['new', 'v1.36.3', '8'],
      ['old', 'v1.32.1', undefined],
    ])
    expect((await cluster.client.serverVersion()).gitVersion).toBe(`v${cluster.version}`)
  })

  test('turns pods of unknown images Ready, and binds what wants a GPU to a node that has some', async () => {
    const deployment: Deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'model', namespace: 'default' },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'model' } },
        template: {
          metadata: { labels: { app: 'model' } },
          spec: {
            containers: [
              {
                name: 'vllm',
                image: 'docker.io/vllm/vllm-openai:v0.9.1',
                resources: { limits: { 'nvidia.com/gpu': 1 } },
              },
            ],
          },
        },
      },
    }
    await cluster.client.create(deployment)
    await eventually(
      async () =>
        (await cluster.client.get<Any<Deployment>>({ ...deployment, namespace: 'default', name: 'model' })).status
          ?.availableReplicas === 3,
    )
    const pods = await cluster.client.list<Any<Pod>>({
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'default',
      labelSelector: 'app=model',
    })
    expect(new Set(pods.map(({ spec }) => spec.nodeName))).toEqual(new Set(['new']))
    expect(new Set(pods.map(({ status }) => status?.podIP)).size).toBe(3)
    expect(pods[0]?.status?.containerStatuses?.[0]?.imageID).toMatch(
      /^docker\.io\/vllm\/vllm-openai@sha256:[0-9a-f]{64}$/,
    )
    await cluster.client.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'model' })
    await eventually(
      async () =>
        (await cluster.client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', labelSelector: 'app=model' }))
          .length === 0,
    )
  })

  test('runs a known image as a process that the API server reaches by its pod address', async () => {
    await create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'default' },
      stringData: { 'tls.key': 'first' },
    })
    const container = {
      args: ['--namespace=$(WHERE)', '--plain'],
      env: [
        { name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        { name: 'ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      ],
      volumeMounts: [
        { name: 'keys', mountPath: '/keys' },
        { name: 'scratch', mountPath: '/tmp/scratch' },
      ],
    }
    await cluster.client.create(
      pod('told', container, {
        volumes: [
          { name: 'keys', secret: { secretName: 'keys' } },
          { name: 'scratch', emptyDir: {} },
        ],
      }),
    )
    await eventually(() => isReady('told'))
    const told = JSON.parse((await ask('told', '/env')).text) as {
      env: Record<string, string>
      args: string[]
      volumes: Record<string, Record<string, string>>
      account: Record<string, string>
    }
    expect(told.args).toEqual(['--namespace=default', '--plain'])
    expect(told.env).toMatchObject({
      WHERE: 'default',
      POD_NAME: 'told',
      AIRUNWAY_IMAGE: image,
      ADDRESS: (await statusOf('told'))?.podIP,
    })
    expect(told.volumes).toEqual({
      '/keys': { 'tls.key': 'first' },
      '/tmp/scratch': {},
      '/var/run/secrets/kubernetes.io/serviceaccount': told.account,
    })
    expect(told.account['namespace']).toBe('default')
    // The token is the pod's own: the API server knows it, and as whom.
    const review = await create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { name: '' },
      spec: { token: told.account['token'] },
    })
    const { user } = review['status'] as { user: { username: string; extra: Record<string, string[]> } }
    expect(user.username).toBe('system:serviceaccount:default:default')
    expect(user.extra['authentication.kubernetes.io/pod-name']).toEqual(['told'])
    expect(readFileSync(join(cluster.dir, 'pods', 'default_told.log'), 'utf8')).toContain('pod program is up')
    // A Secret that changes reaches the volume.
    await cluster.client.patch(
      { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'keys' },
      { stringData: { 'tls.key': 'second' } },
      { type: 'merge' },
    )
    await eventually(
      async () =>
        (JSON.parse((await ask('told', '/env')).text) as typeof told).volumes['/keys']?.['tls.key'] === 'second',
    )
  })

  test('a port that no pod has is 502 for the API server', async () => {
    await cluster.client.create(pod('reached'))
    await eventually(() => isReady('reached'))
    const answer = await cluster.client.raw({
      method: 'GET',
      path: '/api/v1/namespaces/default/pods/reached:1234/proxy/',
    })
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(answer.text).toContain('502')
  })

  test('restarts what ended at once, then with back-off, and keeps how it ended', async () => {
    await cluster.client.create(pod('falling'))
    await eventually(() => isReady('falling'))
    await ask('falling', '/exit')
    await eventually(
      async () => (await statusOf('falling'))?.containerStatuses?.[0]?.restartCount === 1 && (await isReady('falling')),
      { timeout: 9000 },
    )
    await ask('falling', '/exit')
    const waiting = await eventually(async () => {
      const status = (await statusOf('falling'))?.containerStatuses?.[0]
      return (status?.['state'] as { waiting?: unknown } | undefined)?.waiting ? status : undefined
    })
    expect(waiting).toMatchObject({
      restartCount: 2,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=main' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    })
    expect(await condition('falling', 'Ready')).toBe('False')
  })

  test('a failing readiness probe makes the pod unready without a restart', async () => {
    await cluster.client.create(
      pod('unready', { readinessProbe: { httpGet: { path: '/ready', port: 8080 }, failureThreshold: 1 } }),
    )
    await eventually(() => isReady('unready'))
    await ask('unready', '/unready')
    await eventually(async () => !(await isReady('unready')))
    expect((await statusOf('unready'))?.containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      state: { running: {} },
    })
  })

  test('a deleted pod gets SIGTERM, its grace period, and then SIGKILL; its object goes after its process', async () => {
    await cluster.client.create(
      pod('stubborn', { env: [{ name: 'STUBBORN', value: 'true' }] }, { terminationGracePeriodSeconds: 2 }),
    )
    await eventually(() => isReady('stubborn'))
    const { pid } = JSON.parse((await ask('stubborn', '/env')).text) as { pid: number }
    const started = performance.now()
    await cluster.client.delete(ref('stubborn'))
    expect(runsFor(pid, cluster.dir)).toBe(true)
    await eventually(async () => (await cluster.client.find(ref('stubborn'))) === undefined)
    expect(commandLine(pid)).toBeUndefined()
    expect(performance.now() - started).toBeGreaterThan(1900)
    await cluster.client.create(pod('polite'))
    await eventually(() => isReady('polite'))
    const again = performance.now()
    await cluster.client.delete(ref('polite'))
    await eventually(async () => (await cluster.client.find(ref('polite'))) === undefined)
    expect(performance.now() - again).toBeLessThan(10_000)
  })

  test('servers that end after they have run are started again', async () => {
    const pids = (): Partial<Record<string, number>> =>
      Object.fromEntries((readState(cluster.dir)?.processes ?? []).map((one) => [one.name, one.pid]))
    const before = pids()
    // Unlike SIGKILL, Go's runtime ends on this by itself, and unlike SIGTERM at once.
    for (const name of ['kube-controller-manager', 'kube-apiserver']) process.kill(before[name] ?? 0, 'SIGQUIT')
    await eventually(async () => {
      const { 'kube-apiserver': server, 'kube-controller-manager': manager, etcd } = pids()
      const isNew = server !== before['kube-apiserver'] && manager !== before['kube-controller-manager']
      return (
        isNew &&
        etcd === before['etcd'] &&
        (await cluster.client.raw({ method: 'GET', path: '/readyz' })).status === 200
      )
    })
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made-after' } })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'made-after', name: 'default' }
    expect(await eventually(() => cluster.client.find(account))).toMatchObject({ metadata: { name: 'default' } })
  })

  test('the audit log has the writes of everybody, and neither leases nor events', async () => {
    await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'seen', namespace: 'default' } })
    const [event] = await eventually(() => {
      const found = cluster.auditEvents(({ objectRef }) => objectRef?.name === 'seen')
      return found.length > 0 && found
    })
    expect(event).toMatchObject({
      verb: 'create',
      user: { username: 'playground-admin' },
      responseStatus: { code: 201 },
    })
    const all = cluster.auditEvents()
    expect(all.some(({ user }) => user.username.startsWith('system:serviceaccount:kube-system:'))).toBe(true)
    expect(all.filter(({ objectRef }) => objectRef?.resource === 'leases' || objectRef?.resource === 'events')).toEqual(
      [],
    )
  })

  test('other users log in with certificates, and the expired are not known', async () => {
    const viewer = await connect(
      { kubeconfig: await cluster.kubeconfigFor({ name: 'vera', groups: ['team-a'], view: true }) },
      { env: {} },
    )
    const whoami = await viewer.create<AnyObject>({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: { name: '' },
    })
    expect(whoami['status']).toMatchObject({
      userInfo: { username: 'vera', groups: ['team-a', 'system:authenticated'] },
    })
    await eventually(async () => (await viewer.list({ apiVersion: 'v1', kind: 'Pod' })).length > 0)
    await expect(viewer.list({ apiVersion: 'v1', kind: 'Secret' })).rejects.toMatchObject({ code: 403 })
    await viewer.close()
    const expired = await connect({ kubeconfig: cluster.expiredKubeconfig() }, { env: {} })
    await expect(expired.list({ apiVersion: 'v1', kind: 'Pod' })).rejects.toMatchObject({ code: 401 })
    await expired.close()
  })

  test('once stopped, no process and no file is left, restarting pods included', async () => {
    const names = async () => (await cluster.client.list<Any<Pod>>({ apiVersion: 'v1', kind: 'Pod' })).length
    expect(await names()).toBeGreaterThan(0)
    const commands = () => execFileSync('ps', ['-A', '-ww', '-o', 'command='], { encoding: 'utf8' }).split('\n')
    const ofCluster = () => commands().filter((command) => namesDirectory([command], cluster.dir))
    expect(ofCluster().length).toBeGreaterThan(4)
    await cluster.stop()
    expect(ofCluster()).toEqual([])
    expect(existsSync(cluster.dir)).toBe(false)
  })
})
