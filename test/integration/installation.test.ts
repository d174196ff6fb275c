/** The inventory of a real API server, with controllers, shims and operators that run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeInventory } from '../../src/installation/take-inventory.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import type { Deployment } from '../../src/kubernetes/objects.ts'
import { readRelease } from '../../src/releases/sources.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the inventory are skipped: ${reason}\n`)

const byText = (a = '', b = ''): number => a.localeCompare(b)

describe.skipIf(!possible)('the inventory', () => {
  let plane: ControlPlane
  beforeAll(async () => {
    plane = await startControlPlane({ scenario: 'healthy' })
  })
  afterAll(() => plane?.stop())

  test('of a healthy installation', async () => {
    const inventory = await takeInventory(plane.client, { now: new Date() })
    expect(inventory.unreadable).toEqual([])
    expect(inventory.server.gitVersion).toBe(`v${plane.version}`)
    expect(inventory.nodes).toMatchObject([{ kubeletVersion: `v${plane.version}`, gpu: true }])

    expect(inventory.installs).toHaveLength(1)
    const [install] = inventory.installs
    expect(install).toMatchObject({
      namespace: 'kubeairunway-system',
      deployment: { name: 'kubeairunway-controller' },
      version: { known: true, version: 'v0.1.0', evidence: 'image tag' },
      replicas: 1,
      readyReplicas: 1,
      pods: [{ ready: true }],
      lease: { fresh: true },
    })
    expect(install?.lease?.holder).toContain(install?.pods[0]?.name)

    expect(inventory.shims).toMatchObject([
      { name: 'kaito', readyReplicas: 1, providerConfig: { name: 'kaito', ready: true } },
      { name: 'kuberay', readyReplicas: 1, providerConfig: { name: 'kuberay', ready: true } },
    ])
    for (const shim of inventory.shims) {
      const { lastHeartbeat = '' } = shim.providerConfig ?? {}
      expect(Date.now() - Date.parse(lastHeartbeat)).toBeLessThan(180_000)
    }

    const operators = inventory.operators.map(({ name, version }) => [name, version.known && version.version])
    expect(new Map(operators.map(([name, version]) => [String(name), version]))).toEqual(
      new Map([
        ['kaito', '0.4.6'],
        ['kuberay', '1.3.0'],
        ['dynamo', '1.1.1'],
        ['gpu-operator', '25.10.1'],
      ]),
    )
    expect(inventory.operators.find(({ name }) => name === 'kaito')?.crds).toContain('workspaces.kaito.sh')
  })

  test('shows the CRDs whole where they are ours, and every ModelDeployment', async () => {
    const { crds, workloads } = await takeInventory(plane.client, { now: new Date() })
    const ours = crds.filter(({ group }) => group === 'kubeairunway.ai')
    expect(ours.map(({ name, storedVersions }) => [name, storedVersions])).toEqual([
      ['modeldeployments.kubeairunway.ai', ['v1alpha1']],
      ['inferenceproviderconfigs.kubeairunway.ai', ['v1alpha1']],
    ])
    expect(ours.every(({ object }) => object?.spec !== undefined)).toBe(true)
    expect(crds.filter(({ group, object }) => group !== 'kubeairunway.ai' && object !== undefined)).toEqual([])

    const collection = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment' }
    const live = await plane.client.list(collection)
    expect(workloads.map(({ uid }) => uid).toSorted(byText)).toEqual(
      live.map(({ metadata }) => metadata.uid).toSorted(byText),
    )
    expect(workloads.find(({ namespace, name }) => `${namespace}/${name}` === 'team-c/frozen')?.paused).toBe(true)
    expect(new Set(workloads.map(({ gpu }) => gpu))).toEqual(new Set([true, false]))
    expect(new Set(workloads.map(({ provider }) => provider))).toEqual(new Set(['kaito', 'kuberay']))
  })

  test("takes few requests, and no list of everybody's CRDs", async () => {
    const paths: string[] = []
    const recorder = { record: (request: { path: string }) => void paths.push(request.path) }
    const client = await connect({ kubeconfig: plane.kubeconfig }, { env: {}, recorder })
    try {
      await takeInventory(client, { now: new Date() })
    } finally {
      await client.close()
    }
    expect(paths.filter((path) => /customresourcedefinitions(\?|$)/.test(path))).toEqual([])
    // 24 CRDs by name; version, nodes, Deployments; discovery; pods and lease of one install; two collections: 32
    expect(paths.slice(34)).toEqual([])
  })

  test('says what could not be read, and still gives the rest', async () => {
    const client = await connect({ kubeconfig: await plane.kubeconfigFor({ name: 'viewer', view: true }) }, { env: {} })
    try {
      const inventory = await takeInventory(client, { now: new Date() })
      expect(inventory.installs).toHaveLength(1)
      expect(inventory.operators).toHaveLength(4)
      expect(inventory.nodes).toEqual([])
      expect(inventory.crds).toEqual([])
      const unreadable = inventory.unreadable.map(({ what }) => what)
      expect(unreadable).toContain('Nodes')
      expect(unreadable.filter((what) => what.startsWith('CustomResourceDefinitions '))).toHaveLength(1)
      expect(unreadable).toContain('objects of modeldeployments.kubeairunway.ai')
      for (const { why } of inventory.unreadable) expect(why).not.toBe('')
    } finally {
      await client.close()
    }
  })

  test('says so when nothing may be read', async () => {
    const client = await connect({ kubeconfig: await plane.kubeconfigFor({ name: 'nobody' }) }, { env: {} })
    try {
      const { installs, unreadable } = await takeInventory(client, { now: new Date() })
      expect(installs).toEqual([])
      expect(unreadable.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['Deployments of all namespaces', 'Deployments in kubeairunway-system']),
      )
    } finally {
      await client.close()
    }
  })

  test('finds a second install under any name, and does not guess a version behind latest', async () => {
    const name = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'kubeairunway-system',
      name: 'kubeairunway-controller',
    }
    const first = await plane.client.get<Deployment>(name)
    const labels = { app: 'other' }
    const { containers, ...pod } = first.spec.template.spec
    const image = 'mirror.example.com/kubeairunway/controller:latest'
    const second: Deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'other', namespace: 'default' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { ...pod, containers: containers.map((one) => ({ ...one, image })) } },
      },
    }
    await plane.client.create(second)
    const { installs } = await takeInventory(plane.client, { now: new Date() })
    await plane.client.delete({ ...name, namespace: 'default', name: 'other' })
    expect(installs.map(({ namespace, version }) => [namespace, version.known])).toEqual([
      ['default', false],
      ['kubeairunway-system', true],
    ])
    expect(installs[0]).toMatchObject({ replicas: 0, pods: [], image })
    // the fingerprint of a CRD that the API server gave back is that of its file
    expect(installs[0]?.version.detail).toContain('the CRDs are those of v0.1.0')
  })

  test('holds every object of the release that is installed', async () => {
    const { installs } = await takeInventory(plane.client, { now: new Date() })
    const product = installs[0]?.product
    if (product === undefined) throw new Error('no install')
    const release = await readRelease({ version: 'v0.1.0', releasesFolder: plane.releases, product })
    const missing = await Promise.all(
      release.objects.map(async ({ object: { apiVersion, kind, metadata } }) => {
        const { name, namespace } = metadata
        const found = await plane.client.find({
          apiVersion,
          kind,
          name,
          ...(namespace === undefined ? {} : { namespace }),
        })
        return found === undefined ? `${kind} ${name}` : undefined
      }),
    )
    expect(missing.filter((text) => text !== undefined)).toEqual([])
    expect(release.controller.pinnedImage).toBe(installs[0]?.image)
  })
})
