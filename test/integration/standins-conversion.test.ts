import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnyObject, CustomResourceDefinition, Secret } from '../../src/kubernetes/objects.ts'
import { installRelease } from '../../src/playground/scenarios/install.ts'
import { convertModelDeployment, stashAnnotation } from '../../src/playground/standins/conversion.ts'
import type { ModelDeployment } from '../../src/playground/standins/model-deployment.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import {
  type Any,
  alpha,
  asStatus,
  beta,
  crdRef,
  deploymentRef,
  group,
  nudge,
  secretRef,
} from '../support/sample-objects.ts'

const possible = clusterTestsPossible()

describe.skipIf(!possible.possible)(`stand-ins of v0.2.0 after v0.1.0 ${possible.reason ?? ''}`, () => {
  let cluster: ControlPlane
  const children: [apiVersion: string, kind: string][] = [
    ['kaito.sh/v1beta1', 'Workspace'],
    ['ray.io/v1', 'RayService'],
    ['apps/v1', 'Deployment'],
    ['v1', 'Pod'],
  ]
  const snapshot = async (): Promise<string[]> => {
    const found = await Promise.all(children.map(([apiVersion, kind]) => cluster.client.list({ apiVersion, kind })))
    return found
      .flat()
      .filter(({ metadata }) => metadata.namespace?.startsWith('team-'))
      .map(
        ({ kind, metadata }) =>
          `${kind} ${metadata.namespace}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
      )
      .toSorted()
  }
  let before: string[]
  let stored: Any<ModelDeployment>[]
  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy' })
    before = await snapshot()
    stored = await cluster.client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
    await installRelease(cluster.client, cluster.releases, 'v0.2.0')
  })
  afterAll(() => cluster?.stop())

  it('leave everything the models run on untouched', async () => {
    expect(before.length).toBeGreaterThan(20)
    expect(await snapshot()).toEqual(before)
  })

  it('put the CA into the conversion webhook, which shows the same objects in both versions', async () => {
    const { client } = cluster
    const crd = await client.get<Any<CustomResourceDefinition>>(crdRef)
    const secret = await client.get<Any<Secret>>(secretRef)
    expect(crd.spec.conversion?.webhook?.clientConfig?.caBundle).toBe(secret.data?.['ca.crt'])
    expect(crd.status?.storedVersions).toEqual(['v1alpha1', 'v1beta1'])
    const strip = (object: Any<ModelDeployment>) => ({
      ...object,
      metadata: { ...object.metadata, managedFields: undefined, resourceVersion: '' },
    })
    const now = await client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
    expect(now.map(strip)).toEqual(stored.map(strip))
    const newer = await client.list<Any<ModelDeployment>>({ apiVersion: beta, kind: 'ModelDeployment' })
    expect(newer.map((one) => strip(one).spec)).toEqual(stored.map((one) => convertModelDeployment(one, beta).spec))
    expect(newer[1]?.spec.resources?.accelerators).toEqual([{ count: 1, type: 'nvidia.com/gpu' }])
  })

  it('keep what only v1beta1 has through a write in v1alpha1', async () => {
    const { client } = cluster
    const spec = {
      model: { id: 'm' },
      provider: { name: 'kaito' },
      engine: { type: 'vllm', maxModelLength: 10, extraArgs: ['-v'] },
      resources: {
        accelerators: [
          { count: 1, memory: '80Gi' },
          { count: 2, type: 'b' },
        ],
      },
    }
    const metadata = { name: 'both', namespace: 'team-a' }
    await client.create<AnyObject>({ apiVersion: beta, kind: 'ModelDeployment', metadata, spec })
    const old = await client.get<Any<ModelDeployment>>(deploymentRef('team-a', 'both', alpha))
    expect(old.spec.engine).toMatchObject({ contextLength: 10, enablePrefixCaching: true })
    expect(old.metadata.annotations).toHaveProperty([stashAnnotation(group)])
    await client.patch(
      deploymentRef('team-a', 'both', alpha),
      { spec: { engine: { contextLength: 20 } } },
      { type: 'merge' },
    )
    const now = await client.get<Any<ModelDeployment>>(deploymentRef('team-a', 'both', beta))
    expect(now.spec.engine).toMatchObject({ maxModelLength: 20, extraArgs: ['-v'] })
    expect(now.spec.resources?.accelerators).toEqual([
      { count: 1, memory: '80Gi', type: 'nvidia.com/gpu' },
      { count: 2, type: 'b' },
    ])
    expect(now.metadata.annotations ?? {}).not.toHaveProperty([stashAnnotation(group)])
    await eventually(
      async () =>
        (await client.get<Any<ModelDeployment>>(deploymentRef('team-a', 'both', beta))).status?.phase === 'Running',
    )
  })

  it('undo a status nudge sent in either version, and let a ModelDeployment go with all it has', async () => {
    const { client } = cluster
    for (const apiVersion of [alpha, beta]) {
      const ref = deploymentRef('team-b', 'qwen-32b', apiVersion)
      await client.patch(ref, nudge, asStatus)
      await eventually(async () => {
        const { status } = await client.get<Any<ModelDeployment>>(ref)
        return status?.observedGeneration === 1 && status.provider?.resourceKind === 'RayService'
      })
    }
    await client.delete(deploymentRef('team-b', 'qwen-32b', beta))
    const left = async () => (await snapshot()).filter((line) => line.includes(' team-b/qwen-32b'))
    // the garbage collector looks for changed CRDs every 30 s, and waits for its caches then
    await eventually(async () => (await left()).length === 0, { timeout: 70_000 })
    expect(await left()).toEqual([])
  })
})
