/** What a run interrupts while components change hands, measured: reconciles, admission, and who writes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tier } from '../../src/plan/plan.types.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeResult, RunReport } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { type Outcome, startBystander } from '../support/bystander.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { type ComponentGap, oneAtATime, reconcileGap, startNudging } from '../support/reconcile-gap.ts'
import { overlapping, slowReconciles } from '../support/reconciles.ts'

const ACCOUNT = 'system:serviceaccount:kubeairunway-system:kubeairunway-'
/** One ModelDeployment per namespace, by the components that have to restore it. */
const COMPONENTS = {
  controller: ['team-a/llama-8b', 'team-b/mixtral', 'team-c/embed-cpu'],
  'kaito-provider': ['team-a/llama-8b', 'team-c/embed-cpu'],
  'kuberay-provider': ['team-b/mixtral'],
}
/** Paused, so that only the bystander writes it: admission is called for it all the same. */
const BYSTANDERS = 'team-c/frozen'

/**
 * The API server keeps connections to a webhook's old pod after the Service has moved, and does not repeat a POST whose
 * connection closes while it is on its way: each of the pods that go may take one such call along, and mostly takes none.
 */
const TORN = 2
const torn = /EOF|server closed idle connection|connection reset by peer|use of closed network connection/

const unexplained = ({ messages }: Outcome): string[] => Object.keys(messages).filter((text) => !torn.test(text))

interface Measured {
  report: RunReport
  gaps: Record<string, ComponentGap>
  creates: Outcome
  updates: Outcome
}

const referenceTo = (path: string) => {
  const [namespace = '', name = ''] = path.split('/')
  return { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment', namespace, name }
}

describe.skipIf(!clusterTestsPossible().possible)('while components change hands', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy' })
  })
  afterAll(async () => cluster?.stop())

  const measured = async (run: () => Promise<ChangeResult>): Promise<Measured> => {
    const began = Date.now()
    const nudging = startNudging(cluster.client, COMPONENTS.controller.map(referenceTo))
    const bystander = await startBystander(cluster.client, referenceTo(BYSTANDERS))
    try {
      const result = await run()
      if (result.outcome !== 'ran') throw new Error(result.outcome)
      const outcomes = await bystander.stop()
      await nudging.stop()
      const events = cluster.auditEvents(({ stageTimestamp }) => Date.parse(stageTimestamp) >= began)
      const gaps = Object.entries(COMPONENTS).map(([name, objects]) => [
        name,
        reconcileGap(events, `${ACCOUNT}${name}`, objects),
      ])
      return { report: result.report, gaps: Object.fromEntries(gaps), ...outcomes }
    } finally {
      await Promise.all([nudging.stop(), bystander.stop()])
    }
  }

  const told = (what: string, { report, gaps, creates, updates }: Measured): void => {
    const seconds = Object.entries(gaps).map(
      ([name, { longestMs, object, tenures }]) =>
        `${name} ${longestMs} ms (${object}; ${tenures.map(({ pod, writes }) => `${pod} ${writes}`).join(', ')})`,
    )
    const refused = [creates, updates].map(
      ({ requests, failures, longestOutageMs, messages }) =>
        `${failures} of ${requests}, ${longestOutageMs} ms ${JSON.stringify(messages)}`,
    )
    process.stderr.write(`${what}: ${report.seconds} s; gaps: ${seconds.join('; ')}; refused: ${refused.join('; ')}\n`)
  }

  const upgradeBy = async (tier: Tier): Promise<ChangeResult> =>
    upgrade(changeRequest(cluster), {
      to: 'v0.2.0',
      tier,
      holdStorage: true,
      releases: cluster.releases,
      conflicts: 'keep',
      dryRun: false,
    })
  const goBack = async (): Promise<ChangeResult> => rollback(changeRequest(cluster), { dryRun: false })

  test('by standby: at most 5 s without a reconcile, and nothing is refused but what a closing connection tears', async () => {
    for (const [what, run] of [
      ['standby to v0.2.0', async () => upgradeBy('standby')],
      ['and back', goBack],
    ] as const) {
      const seen = await measured(run)
      told(what, seen)
      expect.soft(unexplained(seen.creates)).toEqual([])
      expect.soft(unexplained(seen.updates)).toEqual([])
      expect.soft(seen.creates.failures + seen.updates.failures).toBeLessThanOrEqual(TORN)
      for (const gap of Object.values(seen.gaps)) {
        expect.soft(oneAtATime(gap)).toBe(true)
        expect.soft(gap.longestMs).toBeLessThan(5000)
      }
      expect.soft(seen.report.workloads.disturbed).toBe(0)
    }
  }, 240_000)

  test('in place: no longer than the plan says', async () => {
    const seen = await measured(async () => upgradeBy('in-place'))
    told('in place to v0.2.0', seen)
    const [, announced] = /up to (\d+) s where the old pod does not go/.exec(seen.report.notes.join('\n')) ?? []
    for (const gap of Object.values(seen.gaps)) {
      expect.soft(oneAtATime(gap)).toBe(true)
      expect.soft(gap.longestMs).toBeLessThan(Number(announced) * 1000)
    }
  }, 240_000)

  test('a reconcile that lasts is finished by the pod that began it, and begun by no other meanwhile', async () => {
    const slow = referenceTo('team-b/qwen-32b')
    const annotate = async (seconds: string | null): Promise<unknown> =>
      cluster.client.patch(
        slow,
        { metadata: { annotations: { 'kubeairunway.ai/reconcile-seconds': seconds } } },
        { type: 'merge' },
      )
    const began = Date.now()
    await annotate('5')
    // Each nudge that is answered is followed by the next: one is always being worked on.
    const nudging = startNudging(cluster.client, [slow])
    try {
      const result = await goBack()
      expect(result.outcome).toBe('ran')
    } finally {
      await nudging.stop()
      await annotate(null)
    }
    for (const component of ['kubeairunway-controller', 'kubeairunway-kuberay-provider']) {
      const reconciles = slowReconciles(cluster.dir, component, began)
      const [first, last] = [reconciles[0]?.pod, reconciles.at(-1)?.pod]
      expect(first).not.toBe(last)
      expect(reconciles.filter(({ pod, ended }) => pod === first && ended === undefined)).toEqual([])
      expect(overlapping(reconciles)).toEqual([])
    }
  }, 240_000)
})
