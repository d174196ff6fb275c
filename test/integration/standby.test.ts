/** An upgrade by standbys: nobody notices, and what is left is what an upgrade in place leaves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, Deployment, ManagedFieldsEntry, ObjectReference } from '../../src/kubernetes/objects.ts'
import { referenceOf } from '../../src/plan/reference.ts'
import { RUN_LABEL } from '../../src/plan/run-label.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { startBystander } from '../support/bystander.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { sampleRelease } from '../support/upgrade-samples.ts'

const SYSTEM = 'kubeairunway-system'
const deployment = (name: string): ObjectReference => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: SYSTEM,
  name: `kubeairunway-${name}`,
})
const model = (namespace: string, name: string): ObjectReference => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  namespace,
  name,
})
/**
 * The API server keeps its connections to pods, also after a Service was moved away from them. Without HTTP/2, a request that is
 * written at the very moment when a pod closes such a connection is lost: one or two where a machine is busy.
 */
const TORN = /EOF|broken pipe|connection reset by peer|server closed idle connection/
const FEW = 3

/** As a HorizontalPodAutoscaler: the controller manager writes the scale subresource. */
const AUTOSCALER: ManagedFieldsEntry = { manager: 'kube-controller-manager', subresource: 'scale' }

describe.skipIf(!clusterTestsPossible().possible)('an upgrade by standbys', () => {
  let cluster: ControlPlane
  let report: RunReport
  let bystander: Awaited<ReturnType<Awaited<ReturnType<typeof startBystander>>['stop']>>

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    await cluster.client.patch(deployment('controller'), [{ op: 'replace', path: '/spec/replicas', value: 2 }], {
      type: 'json',
      subresource: 'scale',
      fieldManager: AUTOSCALER.manager ?? '',
    })
    const watching = await startBystander(cluster.client, model('team-c', 'frozen'))
    try {
      const result = await upgrade(changeRequest(cluster), {
        to: 'v0.2.0',
        releases: cluster.releases,
        conflicts: 'keep',
        tier: 'standby',
        holdStorage: true,
        dryRun: false,
      })
      if (result.outcome !== 'ran') throw new Error(result.outcome)
      report = result.report
    } finally {
      bystander = await watching.stop()
    }
  }, 300_000)
  afterAll(async () => cluster?.stop())

  test('no child is disturbed, no request is refused, and each hand-over is measured', () => {
    expect(report.workloads).toMatchObject({ compared: true, disturbed: 0 })
    expect(report.workloads.children).toBeGreaterThan(0)
    for (const { messages } of [bystander.creates, bystander.updates]) {
      expect(Object.keys(messages).filter((message) => !TORN.test(message))).toEqual([])
      expect(Object.values(messages).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(FEW)
    }
    expect(bystander.creates.requests).toBeGreaterThan(50)
    expect(report.measured.map(({ what }) => what)).toEqual(
      ['controller', 'kaito-provider', 'kuberay-provider']
        .flatMap((name) => [name, name])
        .map((name) => `Nothing was reconciled by kubeairunway-${name}`),
    )
  })

  test('nothing is left but the release, which can be applied again without a conflict', async () => {
    const release = await sampleRelease('v0.2.0')
    const objects = [...release.objects, ...release.shims.flatMap((shim) => shim.objects.map((object) => ({ object })))]
    const conflicts: string[] = []
    for (const { object } of objects) {
      if (object.kind === 'CustomResourceDefinition') continue
      const live = await cluster.client.get(referenceOf(object))
      expect(live.metadata.labels?.[RUN_LABEL]).toBeUndefined()
      expect((live.metadata.managedFields ?? []).filter(isStray)).toEqual([])
      await cluster.client.apply(withImage(object, live), { dryRun: true }).catch((error: Error) => {
        conflicts.push(error.message)
      })
    }
    for (const { object } of objects.filter((each) => each.object.kind === 'Service'))
      expect((await cluster.client.get(referenceOf(object)))['spec']).toMatchObject(object['spec'] as AnyObject)
    // The number of the autoscaler is its own.
    expect(conflicts).toHaveLength(1)
    expect(conflicts[0]).toContain('.spec.replicas')
    const names = (await cluster.client.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: SYSTEM })).map(
      ({ metadata: { name } }) => name,
    )
    expect(names.filter((name) => name.includes('standby'))).toEqual([])
    await eventually(async () => {
      const pods = await cluster.client.list({ apiVersion: 'v1', kind: 'Pod', namespace: SYSTEM })
      return pods.every(({ metadata: { name } }) => !name.includes('standby'))
    })
  })

  test('what an autoscaler had set is its own again', async () => {
    const live = await cluster.client.get<Deployment>(deployment('controller'))
    expect(live.spec.replicas).toBe(2)
    const owners = (live.metadata.managedFields ?? []).filter(
      ({ fieldsV1 }) => (fieldsV1?.['f:spec'] as AnyObject | undefined)?.['f:replicas'] !== undefined,
    )
    expect(owners).toEqual([expect.objectContaining(AUTOSCALER)])
  })
})

/** Written by us otherwise than by an apply. */
const isStray = ({ manager, operation }: ManagedFieldsEntry): boolean =>
  manager === 'kubectl-airunway' && operation !== 'Apply'

/** The release's file with the image that the run pinned. */
const withImage = (object: AnyObject, live: AnyObject): AnyObject => {
  if (object.kind !== 'Deployment') return object
  const image = (live as unknown as Deployment).spec.template.spec.containers[0]?.image ?? ''
  const { spec } = object as unknown as Deployment
  const containers = spec.template.spec.containers.map((each) => ({ ...each, image }))
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }
}
