import { describe, expect, it } from 'vitest'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import type { ModelDeployment } from '../../src/playground/standins/model-deployment.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { type Any, alpha, asStatus, beta, crdRef, deploymentRef, group, nudge } from '../support/sample-objects.ts'

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

  it('stored-v1alpha1: objects stored as v1alpha1, which is not served', async () => {
    await using cluster = await startControlPlane({ scenario: 'stored-v1alpha1' })
    const crd = await cluster.client.get<Any<CustomResourceDefinition>>(crdRef)
    expect(crd.status?.storedVersions).toEqual(['v1alpha1', 'v1beta1'])
    expect(crd.spec.versions.map(({ name, served, storage }) => [name, served, storage])).toEqual([
      ['v1alpha1', false, false],
      ['v1beta1', true, true],
    ])
    const stored = await storedVersions(cluster)
    expect([...stored.values()]).toEqual(Array.from({ length: 7 }, () => alpha))
    const ref = deploymentRef('team-a', 'llama-8b', beta)
    await cluster.client.patch(ref, nudge, asStatus)
    await eventually(
      async () => (await cluster.client.get<Any<ModelDeployment>>(ref)).status?.provider?.resourceKind === 'Workspace',
    )
    expect((await storedVersions(cluster)).get('llama-8b')).toBe(beta)
  })

  it('old-provider: the models on KAITO have failed for want of its API version', async () => {
    await using cluster = await startControlPlane({ scenario: 'old-provider' })
    const found = await cluster.client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
    const phases = found.map(({ status }) => `${status?.provider?.name} ${status?.phase}`)
    expect([...new Set(phases)].toSorted()).toEqual(['kaito Failed', 'kuberay Running'])
  })
})
