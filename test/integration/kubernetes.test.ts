/** The client on a real API server: what the unit tests take for granted of its answers. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AccessRequest, Collection, KubernetesClient, PatchType } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { ApiError } from '../../src/kubernetes/errors.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, ObjectReference } from '../../src/kubernetes/objects.ts'
import { appliedConfiguration, lastAppliedAnnotation, takeOverPatch } from '../../src/kubernetes/ownership.ts'
import { builtInKinds, groupVersionPath, splitApiVersion } from '../../src/kubernetes/resources.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the client are skipped: ${reason}\n`)

const configMap = (namespace: string, name: string, data: Record<string, string> = { a: '1' }): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
})
const configMapRef = (namespace: string, name: string): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace,
  name,
})
const refused = async (answer: Promise<unknown>): Promise<ApiError> => {
  const error = await answer.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof ApiError) return error
  throw error
}

// All at once, for one of them waits for ten seconds.
describe.skipIf(!possible).concurrent('the client', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    client = cluster.client
  })
  afterAll(() => cluster?.stop())

  /** A namespace of its own for each test, with ConfigMaps `c0`, `c1`, ... */
  const namespaceWith = async (configMaps = 0): Promise<string> => {
    const name = `n-${randomBytes(4).toString('hex')}`
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    await Promise.all(
      Array.from({ length: configMaps }, (_, index) => client.create(configMap(name, `c${index}`, { a: '1' }))),
    )
    return name
  }
  /** Leaves out the ConfigMap that the controller manager puts into every namespace, some time after it is there. */
  const ownMaps = (namespace: string): Collection => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    fieldSelector: 'metadata.name!=kube-root-ca.crt',
  })
  const connected = async <T>(kubeconfig: string, act: (other: KubernetesClient) => Promise<T>): Promise<T> => {
    const other = await connect({ kubeconfig }, { env: {} })
    try {
      return await act(other)
    } finally {
      await other.close()
    }
  }

  /** A kind of its own for a test: both its versions, the first of which is deprecated. */
  const newKind = async () => {
    const group = `g${randomBytes(4).toString('hex')}.example.io`
    const schema = { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } }
    const [alpha, stable] = [
      { apiVersion: `${group}/v1alpha1`, kind: 'Widget' },
      { apiVersion: `${group}/v1`, kind: 'Widget' },
    ]
    expect(await client.findResource(alpha.apiVersion, alpha.kind)).toBeUndefined()
    await client.create<CustomResourceDefinition>({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          { name: 'v1alpha1', served: true, storage: false, deprecated: true, schema },
          { name: 'v1', served: true, storage: true, schema },
        ],
      },
    })
    await eventually(async () => (await client.findResource(alpha.apiVersion, alpha.kind)) && client.list(alpha))
    return [alpha, stable] as const
  }

  test('addresses the built-in kinds as the server does', async () => {
    const answers = new Map<string, AnyObject[]>()
    for (const apiVersion of new Set(builtInKinds.map((row) => row.apiVersion))) {
      const { group, version } = splitApiVersion(apiVersion)
      const { text } = await client.raw({ method: 'GET', path: groupVersionPath(group, version) })
      answers.set(apiVersion, (JSON.parse(text) as { resources: AnyObject[] }).resources)
    }
    for (const { apiVersion, kind } of builtInKinds) {
      const served = answers
        .get(apiVersion)
        ?.find((entry) => entry.kind === kind && !String(entry['name']).includes('/'))
      expect(await client.resource(apiVersion, kind)).toEqual({
        ...splitApiVersion(apiVersion),
        kind,
        plural: served?.['name'],
        namespaced: served?.['namespaced'],
      })
    }
  })

  test.each([
    ['batch/v1', 'Job', 'jobs'],
    ['autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'],
    ['batch/v1', 'Unheard', undefined],
    ['unheard.example.io/v1', 'Job', undefined],
  ])('discovers %s %s: %s', async (apiVersion, kind, plural) => {
    expect((await client.findResource(apiVersion, kind))?.plural).toBe(plural)
  })

  describe('lists', () => {
    /**
     * Compacts etcd, and tells the API server so as another API server would: under this key its own compaction keeps
     * the revision, and from it the snapshots learn that they are over. Waits until the token has expired.
     */
    const forget = async (token: string, { namespace = '' }: Collection): Promise<void> => {
      const ask = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
        const answer = await fetch(`${cluster.etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
        if (!answer.ok) throw new Error(await answer.text())
        return (await answer.json()) as { header: { revision: string } }
      }
      const base64 = (text: string) => Buffer.from(text).toString('base64')
      const { revision } = (await ask('range', { key: base64('compact_rev_key') })).header
      await ask('compaction', { revision, physical: true })
      await ask('put', { key: base64('compact_rev_key'), value: base64(revision) })
      const path = `/api/v1/namespaces/${namespace}/configmaps?limit=1&continue=${encodeURIComponent(token)}`
      await eventually(async () => (await client.raw({ method: 'GET', path })).status === 410)
    }
    const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)

    // Before the next: its pages are of one moment, which must not be forgotten meanwhile.
    test('in pages, in metadata and as a table', { concurrent: false }, async () => {
      const maps = ownMaps(await namespaceWith(7))
      const pages = await Array.fromAsync(client.pages(maps, { limit: 3 }))
      expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 1])
      expect(pages.flatMap(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual(names(7))
      expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).toBe(1)
      expect(pages[0]?.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } })

      const metadata = (await Array.fromAsync(client.metadataPages(maps, { limit: 4 }))).flatMap(({ items }) => items)
      expect(metadata.map((item) => item.metadata.name)).toEqual(names(7))
      expect(Object.keys(metadata[0] ?? {}).toSorted()).toEqual(['apiVersion', 'kind', 'metadata'])

      const { columns, rows } = await client.table(maps, { limit: 4 })
      expect(columns).toEqual(['Name', 'Data', 'Age'])
      expect(rows.map(({ cells }) => cells.slice(0, 2))).toEqual(names(7).map((name) => [name, 1]))
    })

    test('go on after the server forgot their moment, then with what is there now', async () => {
      const namespace = await namespaceWith(5)
      const seen: string[] = []
      for await (const page of client.pages(ownMaps(namespace), { limit: 2 })) {
        if (seen.length === 0) {
          await client.create(configMap(namespace, 'c9'))
          await forget(page.continue ?? '', ownMaps(namespace))
        }
        seen.push(...page.items.map(({ metadata }) => metadata.name))
      }
      expect(seen).toEqual([...names(5), 'c9'])
    })
  })

  describe('watches', () => {
    test('from a moment on what happened since and what happens now', async () => {
      const namespace = await namespaceWith(1)
      const maps = ownMaps(namespace)
      const [page] = await Array.fromAsync(client.pages(maps))
      await client.create(configMap(namespace, 'w', { text: 'ünïcode ✓' }))
      const seen: unknown[] = []
      for await (const { type, object } of client.watch(maps, { resourceVersion: page?.resourceVersion ?? '' })) {
        if (type === 'BOOKMARK') continue
        seen.push([type, object.metadata.name, object['data']])
        if (type === 'ADDED') await client.patch(configMapRef(namespace, 'w'), { data: { b: '2' } }, { type: 'merge' })
        if (type === 'MODIFIED') await client.delete(configMapRef(namespace, 'w'))
        if (type === 'DELETED') break
      }
      expect(seen).toEqual([
        ['ADDED', 'w', { text: 'ünïcode ✓' }],
        ['MODIFIED', 'w', { text: 'ünïcode ✓', b: '2' }],
        ['DELETED', 'w', { text: 'ünïcode ✓', b: '2' }],
      ])
    })

    test('end with the server’s timeout', async () => {
      const maps = ownMaps(await namespaceWith())
      const [page] = await Array.fromAsync(client.pages(maps))
      const options = { resourceVersion: page?.resourceVersion ?? '', timeoutSeconds: 1 }
      const events = await Array.fromAsync(client.watch(maps, options))
      expect(events.filter(({ type }) => type !== 'BOOKMARK')).toEqual([])
    })

    test('from a moment that is forgotten are Expired', async () => {
      // Of a new kind the server knows nothing from before.
      const [widget] = await newKind()
      const events = Array.fromAsync(client.watch(widget, { resourceVersion: '1' }))
      expect(await refused(events)).toMatchObject({ code: 410, reason: 'Expired' })
    })
  })

  describe('writes', () => {
    const container = (name: string, ...env: string[]) => ({
      name,
      image: 'example.com/i:1',
      ...(env.length > 0 && { env: env.map((variable) => ({ name: variable, value: '1' })) }),
    })
    const deployment = (namespace: string, containers = [container('a', 'X'), container('b')]): Deployment => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace, labels: { one: '1', two: '2' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: { containers } },
      },
    })
    const spec = (...containers: object[]) => ({ spec: { template: { spec: { containers } } } })
    const shown = ({ spec: { template } }: Deployment) =>
      template.spec.containers.map(({ name, env = [] }) => [name, ...env.map((variable) => variable.name)].join(' '))

    test.each<[PatchType, string, unknown, string[]]>([
      ['merge', 'replaces lists', spec(container('a')), ['a']],
      ['strategic', 'merges lists by their keys', spec(container('a', 'Y')), ['a Y X', 'b']],
      ['json', 'goes by places', [{ op: 'remove', path: '/spec/template/spec/containers/1' }], ['a X']],
      [
        'apply',
        'owns what it names',
        { apiVersion: 'apps/v1', kind: 'Deployment', ...spec(container('a', 'Y'), container('c')) },
        ['a X Y', 'b', 'c'],
      ],
    ])('a patch of type %s %s', async (type, _, body, containers) => {
      const namespace = await namespaceWith()
      await client.create(deployment(namespace))
      const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'd' }
      const patched = await client.patch<AnyObject & Deployment>(ref, body, {
        type,
        ...(type === 'apply' && { force: true }),
      })
      expect(shown(patched)).toEqual(containers)
      expect(patched.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toContain(
        `kubectl-airunway ${type === 'apply' ? 'Apply' : 'Update'}`,
      )
    })

    test('an apply that meets another owner says which field and whose, and takes it when forced', async () => {
      const namespace = await namespaceWith()
      await client.apply(configMap(namespace, 'm', { a: '1', b: '1' }), { fieldManager: 'other' })
      const conflict = await refused(client.apply(configMap(namespace, 'm', { a: '2', b: '1' })))
      expect(conflict).toMatchObject({
        code: 409,
        reason: 'Conflict',
        causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }],
      })
      expect(conflict.causes[0]?.message).toContain('"other"')
      const forced = await client.apply(configMap(namespace, 'm', { a: '2', b: '1' }), { force: true })
      expect(forced['data']).toEqual({ a: '2', b: '1' })
      expect(appliedConfiguration(forced, ['other'])['data']).toEqual({ b: '1' })
    })

    test('a dry run answers what would be, and writes nothing', async () => {
      const namespace = await namespaceWith(1)
      const ref = configMapRef(namespace, 'c0')
      const before = await client.get(ref)
      const dryRun = true
      const changed = { ...before, data: { a: '2' } }
      const answers = [
        await client.create(configMap(namespace, 'new', { a: '2' }), { dryRun }),
        await client.apply(configMap(namespace, 'c0', { a: '2' }), { dryRun, force: true }),
        await client.patch(ref, { data: { a: '2' } }, { dryRun, type: 'merge' }),
        await client.replace(changed, { dryRun }),
      ]
      await client.delete(ref, { dryRun })
      expect(answers.map((answer) => answer['data'])).toEqual(answers.map(() => ({ a: '2' })))
      expect(await client.list(ownMaps(namespace))).toEqual([before])
    })

    test('a delete of another uid or of an older state is refused', async () => {
      const namespace = await namespaceWith(1)
      const ref = configMapRef(namespace, 'c0')
      const { uid = '', resourceVersion = '' } = (await client.get(ref)).metadata
      await client.patch(ref, { data: { a: '2' } }, { type: 'merge' })
      for (const preconditions of [{ uid: `${uid.slice(0, -1)}x` }, { uid, resourceVersion }])
        expect(await refused(client.delete(ref, { preconditions }))).toMatchObject({ code: 409, reason: 'Conflict' })
      const { resourceVersion: current = '' } = (await client.get(ref)).metadata
      await client.delete(ref, { preconditions: { uid, resourceVersion: current } })
      expect(await client.find(ref)).toBeUndefined()
    })

    test.each([
      ['', '--server-side=false', 'kubectl-client-side-apply'],
      [' on the server', '--server-side', 'kubectl'],
    ])('what kubectl applied%s is taken over: what a later apply leaves out goes', async (_, way, installer) => {
      const namespace = await namespaceWith()
      const first = deployment(namespace, [container('a', 'X', 'Y'), container('b')])
      execFileSync('kubectl', ['apply', way, '-f', '-'], {
        env: cluster.env,
        input: JSON.stringify(first),
        stdio: ['pipe', 'ignore', 'inherit'],
      })
      const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'd' }
      const stranger = { metadata: { labels: { three: '3' } } }
      await client.patch(ref, stranger, { type: 'merge', fieldManager: 'stranger' })
      const later = deployment(namespace, [container('a', 'X')])
      later.metadata.labels = { one: '1' }
      const kept = await client.apply(later, { dryRun: true, force: true })
      expect([shown(kept), kept.metadata.labels]).toEqual([['a X Y', 'b'], { one: '1', two: '2', three: '3' }])

      const manager = 'kubectl-airunway'
      // The Deployment controller writes too: its revision annotation raises the generation, its status the resourceVersion.
      await eventually(
        async () => (await client.get(ref)).metadata.annotations?.['deployment.kubernetes.io/revision'] === '1',
      )
      const taken = await eventually(async () => {
        const patch = takeOverPatch(await client.get(ref), { installers: [installer], manager })
        return client.patch<AnyObject>(ref, patch, { type: 'json' })
      })
      expect(appliedConfiguration(taken, [manager])).toMatchObject({ ...first })
      expect(taken.metadata.annotations).not.toHaveProperty([lastAppliedAnnotation])
      const again = await client.apply(appliedConfiguration(taken, [manager]))
      expect([again['spec'], again.metadata.generation]).toEqual([taken['spec'], taken.metadata.generation])

      const applied = await client.apply(later)
      expect([shown(applied), applied.metadata.labels]).toEqual([['a X'], { one: '1', three: '3' }])
    })
  })

  test('a deprecated version and an unknown field warn, once each', async () => {
    const [alpha, stable] = await newKind()
    await client.create({ ...stable, metadata: { name: 'w', namespace: 'default' } })
    await connected(cluster.kubeconfig, async (other) => {
      const ref = { ...alpha, namespace: 'default', name: 'w' }
      await other.get({ ...ref, ...stable })
      expect(other.warnings).toEqual([])
      await other.get(ref)
      await other.get(ref)
      await other.patch(ref, { size: 1, colour: 'red' }, { type: 'merge' })
      const request = `/apis/${alpha.apiVersion}/namespaces/default/widgets/w`
      expect(other.warnings).toEqual([
        {
          request: `GET ${request}`,
          text: `${alpha.apiVersion} Widget is deprecated; use ${stable.apiVersion} Widget`,
        },
        { request: `PATCH ${request}`, text: 'unknown field "colour"' },
      ])
      const strict = other.patch(ref, { colour: 'red' }, { type: 'merge', fieldValidation: 'Strict' })
      expect(await refused(strict)).toMatchObject({ code: 422 })
    })
  })

  test('asks what its user may do', async () => {
    const may: [AccessRequest, boolean][] = [
      [{ verb: 'list', group: '', resource: 'pods' }, true],
      [{ verb: 'get', group: '', resource: 'pods', subresource: 'log', namespace: 'default', name: 'p' }, true],
      [{ verb: 'get', group: '', resource: 'secrets', namespace: 'default' }, false],
      [{ verb: 'list', group: 'apps', resource: 'deployments' }, true],
      [{ verb: 'delete', group: 'apps', resource: 'deployments' }, false],
    ]
    const viewer = await cluster.kubeconfigFor({ name: 'asker', view: true })
    const requests = may.map(([request]) => request)
    // RBAC learns of the binding a moment after it was created
    const answers = await connected(viewer, (other) =>
      eventually(async () => {
        const found = await other.canI(requests)
        return found[0] && found
      }),
    )
    expect(answers).toEqual(may.map(([, allowed]) => allowed))
    expect(await client.canI(requests)).toEqual(requests.map(() => true))
  })

  test('says who is not known (any more)', async () => {
    const error = await connected(cluster.expiredKubeconfig(), (other) => refused(other.list(ownMaps('default'))))
    expect(error).toMatchObject({ code: 401, reason: 'Unauthorized' })
  })
})
