/** Runs that die half-way, and `abort`: from an upgrade back, from a rollback forward again, and what it refuses. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listRuns } from '../../src/journal/records.ts'
import type { Deployment } from '../../src/kubernetes/objects.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { abort } from '../../src/services/abort.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult, RunReport } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import type { ChangeInput } from '../support/change-program.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { startWriteProxy, type Write } from '../support/write-proxy.ts'
import { writtenObjects } from '../support/written-objects.ts'

const PROGRAM = fileURLToPath(new URL('../support/change-program.ts', import.meta.url))
const CONTROLLER = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'kubeairunway-system',
  name: 'kubeairunway-controller',
}

const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Refusal)) throw new Error('it was not refused', { cause: error })
  return error
}

const ran = ({ outcome, report }: ChangeResult): RunReport => {
  if (outcome !== 'ran') throw new Error(outcome)
  return report
}

describe.skipIf(!clusterTestsPossible().possible)('abort', { timeout: 300_000 }, () => {
  let cluster: ControlPlane
  let request: ChangeRequest

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    request = { ...changeRequest(cluster), requestLimitMs: 300 }
  })
  afterAll(async () => cluster?.stop())

  /** Runs a service in a process of its own that dies just before the write that matches. */
  const dyingAt = async (input: ChangeInput, matches: (write: Write) => boolean): Promise<void> => {
    const env = { ...cluster.env }
    let died = false
    const proxy = await startWriteProxy({ kubeconfig: cluster.kubeconfig, kill: () => child.kill('SIGKILL') })
    const argument = JSON.stringify({ lockSeconds: 3, requestLimitMs: 300, ...input })
    const child = spawn(process.execPath, [PROGRAM, argument], {
      env: { ...env, KUBECONFIG: proxy.kubeconfig },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    proxy.onWrite((write) => {
      died ||= matches(write)
      return died ? 'kill-before' : 'forward'
    })
    await new Promise((resolve) => child.once('close', resolve))
    await proxy.close()
    expect(died).toBe(true)
  }

  const patching = (path: RegExp) => (write: Write) => write.method === 'PATCH' && path.test(write.path)
  const toController = patching(/\/deployments\/kubeairunway-controller$/)
  const image = async (): Promise<string | undefined> =>
    (await cluster.client.get<Deployment>(CONTROLLER)).spec.template.spec.containers[0]?.image?.split(':').at(-1)
  const upgradeInPlace = {
    to: 'v0.2.0',
    tier: 'in-place' as const,
    conflicts: 'keep' as const,
    holdStorage: true,
    dryRun: false,
  }

  test('an upgrade dies and its abort dies: the abort is gone on with, and all is as before', async () => {
    const nothing = await refusal(abort(request, { dryRun: false }))
    expect(nothing).toMatchObject({ kind: 'usage', next: 'kubectl airunway history' })
    const before = await writtenObjects(cluster.client)
    await dyingAt({ service: 'upgrade', options: { to: 'v0.2.0', tier: 'in-place', holdStorage: true } }, toController)
    const planned = await abort(request, { dryRun: true })
    expect(planned).toMatchObject({
      outcome: 'planned',
      report: { plan: { kind: 'abort', from: 'v0.2.0', to: 'v0.1.0' } },
    })
    await dyingAt({ service: 'abort', takeOver: true }, patching(/\/services\/kubeairunway-webhook-service$/))

    const again = await refusal(abort({ ...request, takeOver: true }, { dryRun: false }))
    expect(again).toMatchObject({ kind: 'usage', message: 'Run 2 is itself an abort; it is not aborted.' })
    expect(again.next).toMatch(/resume .* or kubectl airunway rollback/)
    const options = { ...upgradeInPlace, releases: cluster.releases }
    const other = await refusal(upgrade({ ...request, takeOver: true }, options))
    expect(other).toMatchObject({ kind: 'unfinished', next: again.next })

    const { run } = ran(await resume({ ...request, takeOver: true }, { dryRun: false }))
    expect(run).toMatchObject({ number: 2, kind: 'abort', state: 'succeeded', undoes: 1 })
    expect(await writtenObjects(cluster.client)).toEqual(before)
    expect((await listRuns(cluster.client, 'airunway-runs'))[1]).toMatchObject({
      number: 1,
      state: 'superseded',
      supersededBy: 2,
    })
    const gone = await refusal(rollback(request, { dryRun: false }))
    expect(gone).toMatchObject({ kind: 'cannot-go-back', message: expect.stringContaining('went back to v0.1.0') })
  })

  test('a rollback dies: its abort goes forward again, and the upgrade can still be rolled back', async () => {
    const before = await writtenObjects(cluster.client)
    ran(await upgrade(request, { ...upgradeInPlace, releases: cluster.releases }))
    const after = await writtenObjects(cluster.client)
    const finished = await refusal(abort(request, { dryRun: false }))
    expect(finished).toMatchObject({ kind: 'usage', next: expect.stringContaining('kubectl airunway rollback') })

    await dyingAt({ service: 'rollback' }, toController)
    const { run } = ran(await abort({ ...request, takeOver: true }, { dryRun: false }))
    expect(run).toMatchObject({ kind: 'abort', from: 'v0.1.0', to: 'v0.2.0', undoes: 4, state: 'succeeded' })
    expect(await image()).toBe('0.2.0')
    expect(await writtenObjects(cluster.client)).toEqual(after)

    const back = ran(await rollback(request, { dryRun: false }))
    expect(back.run).toMatchObject({ kind: 'rollback', undoes: 3, state: 'succeeded' })
    expect(await writtenObjects(cluster.client)).toEqual(before)
  })
})
