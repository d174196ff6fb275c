/** Releases that do not work: the run stops and says why while everything still runs, and one can go back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, Lease, Pod } from '../../src/kubernetes/objects.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { rollback } from '../../src/services/rollback.ts'
import { type UpgradeOptions, upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { type Any, alpha, asStatus, deploymentRef, leaseRef, nudge, system } from '../support/sample-objects.ts'

const possible = clusterTestsPossible().possible
const CONTROLLER = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: system, name: 'kubeairunway-controller' }

describe.skipIf(!possible)('a release that does not work', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  })
  afterAll(async () => cluster?.stop())

  const refusalOf = async (to: string, options: Partial<UpgradeOptions> = {}): Promise<Refusal> => {
    const error = await upgrade(changeRequest(cluster), {
      to,
      releases: cluster.releases,
      conflicts: 'keep',
      lateWriteSeconds: 1,
      dryRun: false,
      ...options,
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof Refusal)) throw new Error('it was not refused', { cause: error })
    return error
  }

  const goBack = async (): Promise<string> => (await rollback(changeRequest(cluster), { dryRun: false })).outcome

  const readyPods = async (tag: string): Promise<string[]> => {
    const pods = await cluster.client.list<Any<Pod>>({ apiVersion: 'v1', kind: 'Pod', namespace: system })
    return pods
      .filter(({ spec }) => spec.containers.some(({ image }) => image?.endsWith(`/controller:${tag}`)))
      .filter(({ status }) => status?.containerStatuses?.every(({ ready }) => ready))
      .map(({ metadata }) => metadata.name)
  }

  /** v0.1.0 holds the Lease, its webhooks default what is created, it undoes a nudge; nothing of the release is left. */
  const worksAsBefore = async (): Promise<void> => {
    const { client } = cluster
    const deployments = await client.list<Any<Deployment>>({ ...CONTROLLER })
    expect(deployments.map(({ metadata }) => metadata.name).filter((name) => name.includes('controller'))).toEqual([
      CONTROLLER.name,
    ])
    const [pod] = await readyPods('0.1.0')
    const lease = await client.get<Any<Lease>>(leaseRef(CONTROLLER.name))
    expect(lease.spec?.holderIdentity?.split('_')[0]).toBe(pod)
    const model = { apiVersion: alpha, kind: 'ModelDeployment', metadata: { name: 'try', namespace: 'team-a' } }
    const created = await client.create({ ...model, spec: { model: { id: 'm' } } }, { dryRun: true })
    expect(created.spec).toMatchObject({ serving: { mode: 'aggregated' } })
    const ref = deploymentRef('team-a', 'llama-8b')
    await client.patch(ref, nudge, asStatus)
    await eventually(async () => {
      const { status, metadata } = await client.get(ref)
      return (status as { observedGeneration?: number } | undefined)?.observedGeneration === metadata.generation
    })
  }

  test('whose controller crashes at its start: seen after a few crashes, long before the limit of a roll-out', async () => {
    const refused = await refusalOf('v0.2.0-broken-start', { tier: 'in-place' })
    expect(refused.kind).toBe('failed')
    expect(refused.message).toMatch('Roll out the controller')
    expect(refused.why).toMatch(
      /crashes again and again: its container manager ended 3 times, at last with exit code 1 \(Error\)/,
    )
    expect(refused.why).toMatch(/kubectl logs -n kubeairunway-system kubeairunway-controller-\S+ -c manager --previous/)
    expect(refused.next).toMatch('kubectl airunway rollback')
    // its Deployment is told to run the release, and the pod of v0.1.0 goes on until the other one is ready
    expect(await readyPods('0.1.0')).toHaveLength(1)
    expect(await goBack()).toBe('ran')
    await worksAsBefore()
  })

  test('whose webhooks take requests and never answer, though its pod is Ready: nothing is sent to it', async () => {
    const refused = await refusalOf('v0.2.0-broken-webhook')
    expect(refused.message).toMatch('Bring up a standby of the controller')
    expect(refused.why).toMatch(
      /\/mutate-kubeairunway-ai-v1alpha1-modeldeployment: no answer within 10 s, 3 times in a row/,
    )
    // Ready, both of the standby
    expect(await readyPods('0.2.0-broken-webhook')).toHaveLength(2)
    // the usual one was not touched: what is created is admitted by v0.1.0 all the time
    const model = { apiVersion: alpha, kind: 'ModelDeployment', metadata: { name: 'try', namespace: 'team-a' } }
    await cluster.client.create({ ...model, spec: { model: { id: 'm' } } }, { dryRun: true })
    expect(await goBack()).toBe('ran')
    await worksAsBefore()
  })
})
