/**
 * Two processes, one installation. The first is stopped in the middle: between two writes, between its look and its write, or
 * between its write and the answer. The second takes over and finishes. Then the first wakes: nothing of it may land.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Lock, LockHeld } from '../../src/journal/lock.ts'
import { ensureRecordNamespace, listRuns } from '../../src/journal/records.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import type { Deployment, Lease } from '../../src/kubernetes/objects.ts'
import { RUN_LABEL } from '../../src/plan/run-label.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import type { ChangeInput } from '../support/change-program.ts'
import {
  type AuditEvent,
  type ControlPlane,
  clusterTestsPossible,
  eventually,
  startControlPlane,
} from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { startWriteProxy, type Verdict, type Write, type WriteProxy } from '../support/write-proxy.ts'
import { writtenObjects } from '../support/written-objects.ts'

const PROGRAM = fileURLToPath(new URL('../support/change-program.ts', import.meta.url))
const RECORDS = 'airunway-runs'
/** What the upgrade creates: somebody had deleted it before. */
const ROLE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  name: 'kubeairunway-modeldeployment-viewer-role',
}
const LOCK = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'run-lock' }
const CONTROLLER = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'kubeairunway-system',
  name: 'kubeairunway-controller',
}

interface Ended {
  code: number | null
  result?: { outcome: string; report: RunReport }
  error?: { kind: string; message: string; next?: string }
  stderr: string
}

interface Process {
  child: ChildProcess
  ended: Promise<Ended>
}

const start = (env: NodeJS.ProcessEnv, input: ChangeInput): Process => {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(input)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const told = stdout === '' ? {} : (JSON.parse(stdout) as Pick<Ended, 'result' | 'error'>)
      resolve({ code, ...told, stderr })
    })
  })
  return { child, ended }
}

const isOn = (method: string, path: RegExp) => (write: Write) => write.method === method && path.test(write.path)

describe.skipIf(!clusterTestsPossible().possible)('two runs', { timeout: 300_000 }, () => {
  let cluster: ControlPlane
  let proxy: WriteProxy
  let first: Process | undefined

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    // A user of its own, so that the audit log tells its writes from all others.
    const kubeconfig = await cluster.kubeconfigFor({ name: 'first', groups: ['system:masters'] })
    proxy = await startWriteProxy({ kubeconfig, kill: () => first?.child.kill('SIGSTOP') })
    await cluster.client.delete(ROLE)
  })
  afterEach(async () => {
    first?.child.kill('SIGKILL')
    first = undefined
  })
  afterAll(async () => {
    await proxy?.close()
    await cluster?.stop()
  })

  /** The first process, stopped at the write that matches; what becomes of that write is the verdict. */
  const stoppedAt = async (
    input: ChangeInput,
    matches: (write: Write) => boolean,
    verdict: Verdict,
  ): Promise<Process & { write: Write }> => {
    const begun = start({ ...cluster.env, KUBECONFIG: proxy.kubeconfig }, { lockSeconds: 4, ...input })
    first = begun
    const write = await new Promise<Write>((resolve, reject) => {
      let seen = false
      proxy.onWrite((each) => {
        if (seen || !matches(each)) return 'forward'
        seen = true
        begun.child.kill('SIGSTOP')
        resolve(each)
        return verdict
      })
      void begun.ended.then(({ error, stderr }) => reject(new Error(error?.message ?? `it ended\n${stderr}`)), reject)
    })
    return { ...begun, write }
  }

  /** The second process: waits until the lock of the first has expired, and finishes. */
  const second = async (input: ChangeInput): Promise<RunReport> => {
    if (input.takeOver !== true) await expired()
    const { code, result, error, stderr } = await start(cluster.env, { requestLimitMs: 300, ...input }).ended
    expect(code, `${error?.message}\n${stderr}`).toBe(0)
    if (result?.outcome !== 'ran') throw new Error(result?.outcome)
    return result.report
  }

  const expired = async (): Promise<unknown> =>
    eventually(async () => {
      const { spec } = await cluster.client.get<Lease>({ ...LOCK, namespace: RECORDS })
      return Date.now() > Date.parse(spec?.renewTime ?? '') + (spec?.leaseDurationSeconds ?? 0) * 1000
    })

  /** Wakes the first and lets its write go; gives what the API server answered to it since. */
  const wake = async (stopped: Process & { write: Write }): Promise<AuditEvent[]> => {
    const before = new Set(ofFirst().map(({ auditID }) => auditID))
    proxy.release(stopped.write.number)
    stopped.child.kill('SIGCONT')
    const { code, error } = await stopped.ended
    expect({ code, error }).toMatchObject({ code: 5, error: { kind: 'locked', next: expect.any(String) } })
    return ofFirst().filter(({ auditID }) => !before.has(auditID))
  }

  const ofFirst = (): AuditEvent[] =>
    cluster.auditEvents(({ user, requestURI }) => user.username === 'first' && !requestURI.includes('dryRun'))

  const answers = (events: AuditEvent[]): string[] =>
    events.map(({ verb, objectRef, responseStatus }) => `${verb} ${objectRef?.resource} ${responseStatus?.code}`)

  const image = async (): Promise<string | undefined> =>
    (await cluster.client.get<Deployment>(CONTROLLER)).spec.template.spec.containers[0]?.image?.split(':').at(-1)

  const upgrade: ChangeInput = { service: 'upgrade', options: { to: 'v0.2.0', tier: 'in-place', holdStorage: true } }
  let untouched: Awaited<ReturnType<typeof writtenObjects>>

  test('a create that waited while the other went back lands, is recognised, and goes with the next command', async () => {
    untouched = await writtenObjects(cluster.client)
    const stopped = await stoppedAt(upgrade, isOn('POST', /\/clusterroles$/), 'hold')
    expect((await second({ service: 'abort' })).run).toMatchObject({ kind: 'abort', undoes: 1, state: 'succeeded' })
    expect(await writtenObjects(cluster.client)).toEqual(untouched)
    expect(answers(await wake(stopped))).toEqual(['create clusterroles 201'])
    expect((await cluster.client.get(ROLE)).metadata.labels?.[RUN_LABEL]).toBe('1')
    expect((await listRuns(cluster.client, RECORDS))[1]).toMatchObject({ state: 'superseded', supersededBy: 2 })
  })

  test('an apply that waited while the other went back is refused, though the object was as it had read it', async () => {
    const stopped = await stoppedAt(upgrade, isOn('PATCH', /\/deployments\/kubeairunway-controller$/), 'hold')
    const { run, notes } = await second({ service: 'abort' })
    expect(run).toMatchObject({ undoes: 3, state: 'succeeded' })
    expect(notes.join()).not.toContain('too late')
    expect(answers(await wake(stopped))).toEqual(['patch deployments 409'])
    expect((await stopped.ended).stderr).toContain(
      `ClusterRole ${ROLE.name} was created by a stopped process of run 1 after that run had ended; it was removed.`,
    )
    expect(await image()).toBe('0.1.0')
    expect(await writtenObjects(cluster.client)).toEqual(untouched)
  })

  test.each<[string, ChangeInput, Partial<RunReport['run']>]>([
    ['went back', { service: 'abort' }, { kind: 'abort', to: 'v0.1.0' }],
    [
      'ended the upgrade without it',
      { service: 'resume', options: { holdStorage: true } },
      { kind: 'upgrade', to: 'v0.2.0' },
    ],
  ])('a storage version that was about to move stays when the other %s', async (_what, other, run) => {
    const options = { to: 'v0.2.0', tier: 'in-place' as const, lateWriteSeconds: 1 }
    const stopped = await stoppedAt(
      { service: 'upgrade', options },
      isOn('PUT', /\/customresourcedefinitions\//),
      'hold',
    )
    expect((await second(other)).run).toMatchObject({ ...run, state: 'succeeded' })
    expect(answers(await wake(stopped))).toEqual(['update customresourcedefinitions 409'])
    if (other.service === 'resume') await second({ service: 'rollback', takeOver: true })
    expect(await writtenObjects(cluster.client)).toEqual(untouched)
  })

  test('a lock that has not expired is taken only when asked; a write that was accepted counts, and nothing after it', async () => {
    const stopped = await stoppedAt(
      // Long enough to be refused while it lasts.
      { ...upgrade, lockSeconds: 15 },
      isOn('PATCH', /\/customresourcedefinitions\/modeldeployments/),
      'kill-after',
    )
    const refused = await start(cluster.env, { service: 'abort' }).ended
    expect(refused).toMatchObject({
      code: 5,
      error: { kind: 'locked', next: expect.stringContaining('--take-over') },
    })
    expect((await second({ service: 'abort', takeOver: true })).run.state).toBe('succeeded')
    expect(answers(await wake(stopped))).toEqual([])
    expect(await writtenObjects(cluster.client)).toEqual(untouched)
  })

  test('a nudge that waited does not land after the other went on with the run', async () => {
    const stopped = await stoppedAt(upgrade, isOn('PATCH', /\/modeldeployments\/[^/]+\/status$/), 'hold')
    expect((await second({ service: 'resume' })).run.state).toBe('succeeded')
    // Several are on their way at a time.
    expect(new Set(answers(await wake(stopped)))).toEqual(new Set(['patch modeldeployments 409']))
    expect(await image()).toBe('0.2.0')
  })

  test('a deletion that waited finds nothing to delete', async () => {
    const stopped = await stoppedAt({ service: 'rollback' }, isOn('DELETE', /\/clusterroles\//), 'hold')
    expect((await second({ service: 'resume' })).run).toMatchObject({ kind: 'rollback', state: 'succeeded' })
    expect(answers(await wake(stopped))).toEqual(['delete clusterroles 404'])
    expect(await writtenObjects(cluster.client)).toEqual(untouched)
  })

  test.each<[string, Verdict, string[]]>([
    ['a write of the records that waited is refused', 'hold', ['update secrets 409']],
    ['a process that was stopped between two writes sends nothing', 'forward', []],
  ])('%s', async (_title, verdict, expected) => {
    const stopped = await stoppedAt(upgrade, isOn('PUT', /\/secrets\/run-\d+$/), verdict)
    await expired()
    const { code, result } = await start(cluster.env, { service: 'abort', requestLimitMs: 300 }).ended
    expect({ code, outcome: result?.outcome }).toEqual({ code: 0, outcome: 'closed' })
    expect(answers(await wake(stopped))).toEqual(expected)
  })

  test('a renewal that waited does not take the lock back', async () => {
    const client = await connect({ kubeconfig: proxy.kubeconfig })
    const namespace = 'other-runs'
    await ensureRecordNamespace(cluster.client, namespace)
    const held = Promise.withResolvers<Write>()
    let waiting: Write | undefined
    const lock = await Lock.acquire(client, namespace, { lockSeconds: 2 })
    proxy.onWrite((write) => {
      const waits = waiting === undefined && isOn('PUT', /\/leases\//)(write)
      if (waits) waiting = write
      if (waits) held.resolve(write)
      return waits ? 'hold' : 'forward'
    })
    const { number } = await held.promise
    const taken = await Lock.acquire(cluster.client, namespace, { takeOver: true, requestLimitMs: 300 })
    expect(() => lock.check()).toThrow(LockHeld)
    proxy.release(number)
    await lock.release()
    const lease = await cluster.client.get<Lease>({ ...LOCK, namespace })
    expect(lease.spec?.holderIdentity).toBe(taken.identity)
    await taken.release()
    await client.close()
  })
})
