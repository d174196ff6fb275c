/**
 * A hop that both releases cannot decode: the engines of InferenceProviderConfigs go from strings to objects within v1alpha1,
 * as from AI Runway v0.5.0 to v0.6.0. Up and back, with a provider of somebody else, and after a hop by hand.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { installRelease } from '../../src/playground/scenarios/install.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'

const NEW = 'v0.2.0-undecodable'
const CONFIGS = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'InferenceProviderConfig' }
const MODELS = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment' }
/** What the plan announces, in seconds. */
const ANNOUNCED = 60

const flags = { gpuSupport: true, cpuSupport: true }
const acme: AnyObject = {
  ...CONFIGS,
  metadata: { name: 'acme', annotations: { 'acme.example/note': 'registered by hand' } },
  spec: {
    capabilities: { engines: ['vllm', 'sglang'], servingModes: ['aggregated'], ...flags },
    selectionRules: [{ condition: 'false', priority: 3 }],
  },
}
const withObjects = (names: string[], fields: object): object[] => names.map((name) => ({ name, ...fields }))

interface Seen {
  uid: string | undefined
  engines: unknown
  beside: Record<string, unknown>
}

const possible = clusterTestsPossible().possible

describe.skipIf(!possible)('between releases that cannot decode each other', () => {
  let cluster: ControlPlane
  let uids: Map<string, string>

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    await cluster.client.create(acme)
    uids = await children()
  })
  afterAll(async () => cluster?.stop())

  const configs = async (): Promise<Map<string, Seen>> => {
    const found = await cluster.client.list<AnyObject>(CONFIGS)
    return new Map(
      found.map(({ metadata, ...fields }) => {
        const { capabilities = {} } = (fields['spec'] ?? {}) as { capabilities?: Record<string, unknown> }
        const { engines, ...beside } = capabilities
        return [metadata.name, { uid: metadata.uid, engines, beside }]
      }),
    )
  }

  const phases = async (): Promise<string[]> =>
    (await cluster.client.list<AnyObject>(MODELS)).map((object) => (object['status'] as { phase: string }).phase)

  /** Provider objects and pods of the models by name: uid and generation. */
  const children = async (): Promise<Map<string, string>> => {
    const kinds = [
      { apiVersion: 'kaito.sh/v1beta1', kind: 'Workspace' },
      { apiVersion: 'ray.io/v1', kind: 'RayService' },
    ]
    const all = await Promise.all(kinds.map(async (kind) => cluster.client.list<AnyObject>(kind)))
    return new Map(
      all.flat().map(({ kind, metadata }) => [`${kind} ${metadata.name}`, `${metadata.uid} ${metadata.generation}`]),
    )
  }

  const upgradeTo = async (to: string): Promise<RunReport> => {
    const result = await upgrade(changeRequest(cluster), {
      to,
      releases: cluster.releases,
      conflicts: 'keep',
      dryRun: false,
    })
    if (result.outcome !== 'ran') throw new Error(result.outcome)
    return result.report
  }

  const goBack = async (): Promise<RunReport> => {
    const result = await rollback(changeRequest(cluster), { dryRun: false })
    if (result.outcome !== 'ran') throw new Error(result.outcome)
    return result.report
  }

  const expectUndisturbed = async (report: RunReport): Promise<void> => {
    expect(report.workloads).toMatchObject({ compared: true, disturbed: 0 })
    expect(await children()).toEqual(uids)
    expect(new Set(await phases())).toEqual(new Set(['Running']))
    const gap = report.measured.find(({ what }) => what.startsWith('Nothing was reconciled'))
    expect(gap?.seconds).toBeLessThan(ANNOUNCED)
  }

  const expectOldConfigs = async (): Promise<void> => {
    const now = await configs()
    expect([...now.keys()].toSorted()).toEqual(['acme', 'kaito', 'kuberay'])
    expect(now.get('acme')).toMatchObject({
      engines: ['vllm', 'sglang'],
      beside: { servingModes: ['aggregated'], ...flags },
    })
    expect(now.get('kaito')).toMatchObject({ engines: ['vllm', 'llamacpp'], beside: flags })
    expect(now.get('kuberay')).toMatchObject({ engines: ['vllm'], beside: { gpuSupport: true, cpuSupport: false } })
  }

  test('up: every flag is kept, also those of a provider that does not register anew', async () => {
    const before = await configs()
    const report = await upgradeTo(NEW)
    const after = await configs()
    expect(after.get('acme')).toEqual({
      uid: before.get('acme')?.uid,
      engines: withObjects(['vllm', 'sglang'], { servingModes: ['aggregated'], ...flags }),
      beside: {},
    })
    expect(after.get('kaito')?.engines).toEqual(
      withObjects(['vllm', 'llamacpp'], { servingModes: ['aggregated'], ...flags }),
    )
    expect(after.get('kuberay')?.engines).toMatchObject([{ name: 'vllm', gpuSupport: true, cpuSupport: false }])
    await expectUndisturbed(report)
    expect(report.wayBack).toEqual({ possible: true })
  })

  /** As the project's page says: `kubectl apply` of one release's files over another one. */
  const byHand = async (version: string): Promise<void> => installRelease(cluster.client, cluster.releases, version)

  test('the release before applied by hand decodes nothing; rollback mends it with the back-up', async () => {
    await byHand('v0.1.0')
    expect((await configs()).get('acme')?.engines).toEqual([{}, {}])
    const report = await goBack()
    expect(report.run).toMatchObject({ kind: 'rollback', from: NEW, to: 'v0.1.0', state: 'succeeded' })
    await expectOldConfigs()
    await expectSettled()
  })

  test('the new release applied by hand loses flags for good; rollback has them in its records', async () => {
    await byHand(NEW)
    const lost = withObjects(['vllm', 'sglang'], { gpuSupport: false, cpuSupport: false })
    await eventually(async () => isDeepStrictEqual((await configs()).get('acme')?.engines, lost))
    await expectSettled()
    const uid = (await configs()).get('acme')?.uid
    const report = await goBack()
    expect(report.run).toMatchObject({ kind: 'rollback', from: NEW, to: 'v0.1.0', state: 'succeeded' })
    await expectOldConfigs()
    expect((await configs()).get('acme')?.uid).toBe(uid)
    await expectUndisturbed(report)
  })

  test('both by hand, without a run to go back from: rollback makes everything readable again', async () => {
    await byHand(NEW)
    await byHand('v0.1.0')
    expect((await configs()).get('kaito')?.engines).toEqual([{}, {}])
    const report = await goBack()
    expect(report.run).toMatchObject({ kind: 'rollback', from: 'v0.1.0', to: 'v0.1.0', state: 'succeeded' })
    await expectOldConfigs()
    await expectSettled()
  })

  const expectSettled = async (): Promise<void> => {
    await eventually(async () => (await phases()).every((phase) => phase === 'Running'))
    expect(await children()).toEqual(uids)
  }
})
