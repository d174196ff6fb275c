import { describe, expect, it } from 'vitest'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { installRelease } from '../../src/playground/scenarios/install.ts'
import type { ModelDeployment } from '../../src/playground/standins/model-deployment.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { type Any, alpha, beta, crdRef, deploymentRef, group } from '../support/sample-objects.ts'

const possible = clusterTestsPossible()

describe.skipIf(!possible.possible)(`other scenarios ${possible.reason ?? ''}`, () => {
  /** apiVersions of the ModelDeployments as etcd holds them, read through its JSON gateway. */
  async function storedVersions(cluster: ControlPlane): Promise<Map<string, string>> {
    const prefix = `/registry/${group}/modeldeployments`
    const key = (end: string) => Buffer.from(`${prefix}${end}`).toString('base64')
    const body = JSON.stringify({ key: key('/'), range_end: key('0') })
    const answer = await fetch(`${cluster.etcdUrl}/v3/kv/range`, { method: 'POST', body })
    const { kvs = [] } = (await answer.json()) as { kvs?: { value: string }[] }
    const objects = kvs.map(({ value }) => JSON.parse(Buffer.from(value, 'base64').toString()) as AnyObject)
    return new Map(objects.map(({ metadata, apiVersion }) => [metadata.name, apiVersion]))
  }

  it('stored-v1alpha1: one that nobody wrote since is stored as v1alpha1, which is not served', async () => {
    await using cluster = await startControlPlane({ scenario: 'stored-v1alpha1', pace: PACE })
    const crd = await cluster.client.get<Any<CustomResourceDefinition>>(crdRef)
    expect(crd.status?.storedVersions).toEqual(['v1alpha1', 'v1beta1'])
    expect(crd.spec.versions.map(({ name, served, storage }) => [name, served, storage])).toEqual([
      ['v1alpha1', false, false],
      ['v1beta1', true, true],
    ])
    // the controllers of v0.3.0 wrote every status, and so stored the objects anew, though nothing changed in them
    await eventually(
      async () => [...(await storedVersions(cluster)).values()].filter((one) => one === alpha).length <= 1,
    )
    const stored = await storedVersions(cluster)
    expect(stored.size).toBe(7)
    expect([...stored].filter(([, version]) => version === alpha)).toEqual([['frozen', alpha]])
  })

  it('before-v1: v0.5.0 adds v1, converts, and its KubeRay shim replaces the pods of its models', async () => {
    await using cluster = await startControlPlane({ scenario: 'before-v1', pace: PACE })
    const { client } = cluster
    const v1 = `${group}/v1`
    const pods = async (model: string): Promise<string[]> => {
      const found = await client.list({ apiVersion: 'v1', kind: 'Pod' })
      return found
        .filter(({ metadata }) => metadata.name.startsWith(`${model}-`))
        .map(({ metadata }) => metadata.uid ?? '')
    }
    const before = { kaito: await pods('llama-8b'), kuberay: await pods('mixtral') }
    expect(before.kuberay.length).toBeGreaterThan(0)
    await client.patch(deploymentRef('team-a', 'gemma-cpu', beta), { spec: { image: 'x:1' } }, { type: 'merge' })
    await installRelease(client, cluster.releases, 'v0.5.0')
    // the CA gets into the CRD a moment after the controller has started
    const newer = await eventually(async () =>
      client.get<Any<ModelDeployment>>(deploymentRef('team-a', 'gemma-cpu', v1)),
    )
    expect([newer.spec.image, newer.spec.engine?.image]).toEqual([undefined, 'x:1'])
    const older = await client.get<Any<ModelDeployment>>(deploymentRef('team-a', 'gemma-cpu', beta))
    expect([older.spec.image, older.spec.engine?.image]).toEqual(['x:1', undefined])
    await eventually(
      async () => {
        const now = await pods('mixtral')
        return now.length === before.kuberay.length && now.every((uid) => !before.kuberay.includes(uid))
      },
      { timeout: 60_000 },
    )
    expect(await pods('llama-8b')).toEqual(before.kaito)
    // three installs, one after the other
  }, 240_000)

  it('old-provider: the models on KAITO have failed for want of its API version', async () => {
    await using cluster = await startControlPlane({ scenario: 'old-provider', pace: PACE })
    const found = await cluster.client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
    const phases = found.map(({ status }) => `${status?.provider?.name} ${status?.phase}`)
    expect([...new Set(phases)].toSorted()).toEqual(['kaito Failed', 'kuberay Running'])
  })
})
