/** The main job as an operator does it: look, upgrade, look again, go back; and what the API server saw of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeBaseline } from '../../src/gates/undisturbed.ts'
import type { CustomResourceDefinition, Deployment, Lease, Pod } from '../../src/kubernetes/objects.ts'
import type { WorkloadTarget } from '../../src/plan/plan.types.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import {
  type AuditEvent,
  type ControlPlane,
  clusterTestsPossible,
  startControlPlane,
} from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { plugin } from '../support/packed-plugin.ts'
import { schemaErrors } from '../support/schemas.ts'
import { writtenObjects } from '../support/written-objects.ts'

const SYSTEM = 'kubeairunway-system'
const MODELS = 'modeldeployments.kubeairunway.ai'

const workloads: WorkloadTarget = {
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  pausedAnnotation: 'kubeairunway.ai/reconcile-paused',
  providerKinds: [
    { apiVersion: 'kaito.sh/v1beta1', kind: 'Workspace' },
    { apiVersion: 'ray.io/v1', kind: 'RayService' },
  ],
}

describe.skipIf(!clusterTestsPossible().possible)('v0.1.0 to v0.2.0 and back', () => {
  let cluster: ControlPlane
  const children = async () => (await takeBaseline(cluster.client, workloads, new AbortController().signal)).children

  const versions = async (): Promise<string[]> => {
    const { client } = cluster
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: MODELS }
    const { spec, status } = await client.get<CustomResourceDefinition>(reference)
    const each = spec.versions.map(
      ({ name, served, storage }) => `${name}${served ? ' served' : ''}${storage ? ' stored' : ''}`,
    )
    return [...each, `conversion ${spec.conversion?.strategy}`, `storedVersions ${status?.storedVersions?.join()}`]
  }

  const images = async (): Promise<string[]> => {
    const all = await cluster.client.list<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: SYSTEM })
    return all.map(({ spec }) => spec.template.spec.containers[0]?.image?.split('/').at(-1) ?? '').toSorted()
  }

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  }, 180_000)

  afterAll(async () => cluster?.stop())

  test('the whole story', { timeout: 360_000 }, async () => {
    const { env, client } = cluster
    const before = await children()
    expect(before.filter(({ kind }) => kind === 'Pod').length).toBeGreaterThanOrEqual(7)
    const objects = await writtenObjects(client)
    expect(Object.keys(objects).length).toBeGreaterThan(20)
    const oldPod = await leader(cluster)

    const looked = await plugin(['preflight', '--to', 'v0.2.0'], env)
    expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining('PASSED') })
    const planned = await plugin(['upgrade', '--to', 'v0.2.0', '--hold-storage', '--dry-run', '-o', 'json'], env)
    expect(planned.code).toBe(0)
    expect(schemaErrors(planned.stdout)).toEqual([])
    expect(await images()).toEqual(['controller:0.1.0', 'kaito-provider:0.1.0', 'kuberay-provider:0.1.0'])
    expect(await client.find({ apiVersion: 'v1', kind: 'Namespace', name: 'airunway-runs' })).toBeUndefined()

    const upgraded = await plugin(['upgrade', '--to', 'v0.2.0', '--hold-storage', '--yes', '-o', 'json'], env)
    expect(upgraded, upgraded.stderr).toMatchObject({ code: 0 })
    const report = JSON.parse(upgraded.stdout) as RunReport
    expect(schemaErrors(upgraded.stdout)).toEqual([])
    expect(report).toMatchObject({
      run: { number: 1, state: 'succeeded' },
      workloads: { compared: true, disturbed: 0, children: before.length },
    })
    expect(await images()).toEqual(['controller:0.2.0', 'kaito-provider:0.2.0', 'kuberay-provider:0.2.0'])
    expect(await versions()).toEqual([
      'v1alpha1 served stored',
      'v1beta1 served',
      'conversion Webhook',
      'storedVersions v1alpha1',
    ])
    expect(await children()).toEqual(before)
    const newPod = await leader(cluster)
    expect(newPod).not.toBe(oldPod)
    reconciledInTurn(cluster.auditEvents(isReconcile), oldPod, newPod)

    const again = await plugin(['upgrade', '--to', 'v0.2.0', '--yes'], env)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') })

    const back = await plugin(['rollback', '--yes', '-o', 'json'], env)
    expect(back, back.stderr).toMatchObject({ code: 0 })
    expect(schemaErrors(back.stdout)).toEqual([])
    expect(await images()).toEqual(['controller:0.1.0', 'kaito-provider:0.1.0', 'kuberay-provider:0.1.0'])
    expect(await versions()).toEqual(['v1alpha1 served stored', 'conversion None', 'storedVersions v1alpha1'])
    expect(await children()).toEqual(before)
    expect(await writtenObjects(client)).toEqual(objects)
    reconciledInTurn(cluster.auditEvents(isReconcile), newPod, await leader(cluster))

    const runs = await plugin(['history', '-o', 'json'], env)
    const history = JSON.parse(runs.stdout) as { runs: { number: number; kind: string; state: string }[] }
    expect(schemaErrors(runs.stdout)).toEqual([])
    expect(history.runs.map(({ number, kind, state }) => `${number} ${kind} ${state}`)).toEqual([
      '2 rollback succeeded',
      '1 upgrade succeeded',
    ])

    const nowhere = await plugin(['rollback', '--yes'], env)
    expect(nowhere).toMatchObject({ code: 8, stderr: expect.stringContaining('was itself a rollback') })
    expect(await plugin(['preflight'], env)).toMatchObject({ code: 0 })

    // For good: stored objects move last, and nobody waits less than the API server may take for a write.
    const moved = await plugin(['upgrade', '--to', 'v0.2.0', '--tier', 'in-place', '--yes', '-o', 'json'], env)
    expect(moved, moved.stderr).toMatchObject({ code: 0 })
    expect(schemaErrors(moved.stdout)).toEqual([])
    const { migrated = [], workloads: compared } = JSON.parse(moved.stdout) as RunReport
    expect(compared).toMatchObject({ compared: true, disturbed: 0, children: before.length })
    expect(migrated.map(({ outcome }) => outcome)).toEqual(['migrated', 'migrated'])
    for (const { proof } of migrated) expect(proof?.secondsAfterFlip).toBeGreaterThanOrEqual(34)
    expect(await versions()).toEqual([
      'v1alpha1 served',
      'v1beta1 served stored',
      'conversion Webhook',
      'storedVersions v1beta1',
    ])
    expect(await children()).toEqual(before)
    const gone = await plugin(['rollback', '--yes'], env)
    expect(gone).toMatchObject({ code: 8, stderr: expect.stringContaining('stores v1beta1') })
  })
})

const leader = async ({ client }: ControlPlane): Promise<string> => {
  const lease = await client.get<Lease>({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    namespace: SYSTEM,
    name: 'kubeairunway-controller',
  })
  const name = lease.spec?.holderIdentity?.split('_')[0] ?? ''
  const pod = await client.get<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace: SYSTEM, name })
  return pod.metadata.name
}

const isReconcile = ({ user, objectRef, responseStatus }: AuditEvent): boolean =>
  user.username === `system:serviceaccount:${SYSTEM}:kubeairunway-controller` &&
  objectRef?.resource === 'modeldeployments' &&
  (responseStatus?.code ?? 500) < 300

/** The token of a pod names it in the audit log: the old controller's last write lies before the new one's first. */
const reconciledInTurn = (events: AuditEvent[], old: string, next: string): void => {
  const times = (pod: string): string[] =>
    events.filter((event) => podOf(event) === pod).map(({ requestReceivedTimestamp }) => requestReceivedTimestamp)
  const [lastOfOld] = times(old).toSorted().toReversed()
  const [firstOfNew] = times(next).toSorted()
  expect(lastOfOld, `writes of ${old}`).toBeDefined()
  expect(firstOfNew, `writes of ${next}`).toBeDefined()
  expect(String(lastOfOld) < String(firstOfNew)).toBe(true)
}

const podOf = ({ user }: AuditEvent): string | undefined =>
  (user as { extra?: Record<string, string[]> }).extra?.['authentication.kubernetes.io/pod-name']?.[0]
