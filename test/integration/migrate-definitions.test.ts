/** The verb `migrate` for definitions of anybody, on a real API server: interrupted, killed, refused, repaired. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listRuns, readKept } from '../../src/journal/records.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import type { MigrationCheckpoint } from '../../src/migration/migration.types.ts'
import { documentOf } from '../../src/report/documents.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { renderDocument } from '../../src/report/render.ts'
import { abort } from '../../src/services/abort.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { wordOf } from '../../src/steps/flip-storage.ts'
import type { ChangeInput } from '../support/change-program.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { type FaultProxy, type Proxied, startFaultProxy } from '../support/fault-proxy.ts'
import { planned, ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind, group, MovingKind } from '../support/migrating.ts'
import { schemaErrors } from '../support/schemas.ts'
import { startWriteProxy, type Write } from '../support/write-proxy.ts'
import { letLockExpire } from '../torture/run-case.ts'

const PROGRAM = fileURLToPath(new URL('../support/change-program.ts', import.meta.url))

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of migrate are skipped: ${reason}\n`)

describe.skipIf(!possible)('migrate', () => {
  let cluster: ControlPlane
  let request: ChangeRequest
  const proxies: FaultProxy[] = []
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    request = { ...changeRequest(cluster), requestLimitMs: 300 }
  })
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close()
  })
  afterAll(() => cluster?.stop())

  const old = async (plural: string, objects: number): Promise<MovingKind> =>
    (await (await new MovingKind(cluster, plural).define()).write('w', objects)).flip()
  const migrate = async (kind: MovingKind, options: Partial<MigrateOptions> = {}): Promise<ChangeResult> =>
    migrateDefinitions(request, { ...usual, names: [kind.name], ...options })

  test('stops in the middle, refuses others, goes on from there, and proves it', async () => {
    const moving = await old('stopped', 1200)
    const proxy = await startFaultProxy(cluster.kubeconfig)
    proxies.push(proxy)
    const interruption = new AbortController()
    let writes = 0
    const isWrite = ({ method, path, query }: Proxied): boolean =>
      method === 'PATCH' && path.startsWith(`/apis/${group}/`) && !query.has('dryRun')
    proxy.fault = async (sent) => {
      if (isWrite(sent)) writes += 1
      if (writes === 700) interruption.abort(new DOMException('stop', 'AbortError'))
      return undefined
    }
    const through = { ...request, connection: { kubeconfig: proxy.kubeconfig }, signal: interruption.signal }
    const stopped = await refusal(migrateDefinitions(through, { ...usual, names: [moving.name] }))
    expect(stopped).toMatchObject({ kind: 'interrupted', next: expect.stringContaining('resume') })
    const half = await moving.stored()
    expect(half['v1alpha1']).toBeGreaterThan(0)
    expect(half['v1beta1']).toBeGreaterThanOrEqual(690)
    expect(await moving.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])

    expect(await refusal(migrate(moving))).toMatchObject({ kind: 'unfinished' })
    expect(await refusal(rollback(request, { dryRun: false }))).toMatchObject({
      kind: 'cannot-go-back',
      next: expect.stringContaining('abort'),
    })
    writes = 0
    proxy.fault = async (sent) => {
      if (isWrite(sent)) writes += 1
      return undefined
    }
    const again = { ...request, connection: { kubeconfig: proxy.kubeconfig } }
    const report = ran(await resume(again, { dryRun: false }))
    expect(report.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: 1200 } }])
    // The first page was done; its objects are not written again before the proof.
    expect(writes).toBeLessThanOrEqual(2 * 1200 - 200)
    expect(await moving.stored()).toEqual({ v1beta1: 1200 })
    expect(await moving.storedVersions()).toEqual(['v1beta1'])
  })

  test('is gone on with from its records when it was killed', async () => {
    const moving = await old('killed', 600)
    let writes = 0
    const proxy = await startWriteProxy({ kubeconfig: cluster.kubeconfig, kill: () => child.kill('SIGKILL') })
    const input: ChangeInput = {
      service: 'migrate',
      requestLimitMs: 300,
      // The first page takes longer than the five seconds after which a place is recorded.
      migrate: { ...usual, names: [moving.name], maxQps: 80 },
    }
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(input)], {
      env: { ...cluster.env, KUBECONFIG: proxy.kubeconfig },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const isRewrite = ({ method, path }: Write): boolean => method === 'PATCH' && path.includes(`/${moving.plural}/w-`)
    proxy.onWrite((write) => {
      if (isRewrite(write)) writes += 1
      return writes > 550 ? 'kill-before' : 'forward'
    })
    await new Promise((resolve) => child.once('close', resolve))
    await proxy.close()
    expect(writes).toBeGreaterThan(550)
    const half = await moving.stored()
    expect(half['v1alpha1']).toBeGreaterThan(0)
    const [{ number } = { number: 0 }] = await listRuns(cluster.client, 'airunway-runs')
    const name = `checkpoint-${wordOf(moving.name)}`
    const kept = await readKept<MigrationCheckpoint>(cluster.client, 'airunway-runs', number, name)
    expect(kept).toMatchObject({ phase: 'rewrite', passes: [], place: { continue: expect.any(String) } })
    await letLockExpire(cluster)
    const report = ran(await resume(request, { dryRun: false }))
    const [first, second] = report.migrated?.[0]?.passes ?? []
    expect(first).toMatchObject({ failed: 0 })
    // What the killed process had done and recorded counts with what this one did.
    expect((first?.rewritten ?? 0) + (first?.unchanged ?? 0)).toBe(600)
    expect(first?.startedAt).toBe(kept?.place?.startedAt)
    expect(first?.rewritten).toBeGreaterThanOrEqual(kept?.place?.counts.rewritten ?? Number.POSITIVE_INFINITY)
    expect(second).toMatchObject({ rewritten: 0, unchanged: 600 })
    expect(await moving.stored()).toEqual({ v1beta1: 600 })
  })

  test('a kill in the middle of 500 objects costs the writes that were done, and nothing more', async () => {
    const broken = await old('brokens', 500)
    const proxy = await startFaultProxy(cluster.kubeconfig)
    proxies.push(proxy)
    const connection = { kubeconfig: proxy.kubeconfig }
    const isRewrite = ({ method, path, query }: Proxied): boolean =>
      method === 'PATCH' && path.startsWith(`/apis/${group}/`) && !query.has('dryRun')
    const cost = async (act: () => Promise<unknown>): Promise<{ writes: number; others: number }> => {
      const before = proxy.requests.length
      await act()
      const sent = proxy.requests.slice(before)
      const writes = sent.filter(isRewrite).length
      return { writes, others: sent.length - writes }
    }
    const killed = await cost(async () => {
      const input: ChangeInput = {
        service: 'migrate',
        lockSeconds: 3,
        requestLimitMs: 300,
        migrate: { ...usual, names: [broken.name] },
      }
      const child = spawn(process.execPath, [PROGRAM, JSON.stringify(input)], {
        env: { ...cluster.env, KUBECONFIG: proxy.kubeconfig },
        stdio: 'ignore',
      })
      let writes = 0
      proxy.fault = (sent) => {
        if (isRewrite(sent)) writes += 1
        if (writes === 300) child.kill('SIGKILL')
        return undefined
      }
      await new Promise((resolve) => child.once('close', resolve))
    })
    proxy.fault = () => undefined
    const resumed = await cost(async () =>
      ran(await resume({ ...request, connection, takeOver: true, lockSeconds: 3 }, { dryRun: false })),
    )
    process.stderr.write(`requests: ${JSON.stringify({ killed, resumed })}\n`)
    expect(killed.writes).toBeGreaterThanOrEqual(300)
    // As many as without the kill: those that it had done are found done. Besides: reading, records, lock and settling.
    expect(resumed.writes).toBe(1000)
    expect(resumed.others).toBeLessThanOrEqual(80)
    expect(await broken.stored()).toEqual({ v1beta1: 500 })
  })

  test('is gone on with when it was killed right after it had set the storage version', async () => {
    const moving = await (await new MovingKind(cluster, 'flipped').define()).write('w', 3)
    const proxy = await startWriteProxy({ kubeconfig: cluster.kubeconfig, kill: () => child.kill('SIGKILL') })
    const input: ChangeInput = {
      service: 'migrate',
      lockSeconds: 3,
      requestLimitMs: 300,
      migrate: { ...usual, storage: { [moving.name]: 'v1beta1' } },
    }
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(input)], {
      env: { ...cluster.env, KUBECONFIG: proxy.kubeconfig },
      stdio: 'ignore',
    })
    proxy.onWrite(({ method, path }) =>
      method === 'PUT' && path.endsWith(`/customresourcedefinitions/${moving.name}`) ? 'kill-after' : 'forward',
    )
    await new Promise((resolve) => child.once('close', resolve))
    await proxy.close()
    expect(await moving.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
    expect(await moving.stored()).toEqual({ v1alpha1: 3 })
    const seen = await abort({ ...request, takeOver: true }, { dryRun: true })
    expect(seen).toMatchObject({ report: { stays: [expect.stringContaining('no object was rewritten')] } })
    const report = ran(await resume({ ...request, takeOver: true, lockSeconds: 3 }, { dryRun: false }))
    // When it was set is known to nobody any more: the seconds count from the first look.
    expect(report.migrated?.[0]?.proof).not.toHaveProperty('secondsAfterFlip')
    expect(await moving.stored()).toEqual({ v1beta1: 3 })
    expect(await moving.storedVersions()).toEqual(['v1beta1'])
  })

  test('is closed by abort, which says what stays; the next one goes on from what is done', async () => {
    const moving = await old('closed', 40)
    const proxy = await startFaultProxy(cluster.kubeconfig)
    proxies.push(proxy)
    const interruption = new AbortController()
    proxy.fault = async ({ method, path, query }) => {
      if (method === 'PATCH' && path.endsWith('/w-7') && !query.has('dryRun'))
        interruption.abort(new DOMException('stop', 'AbortError'))
      return undefined
    }
    const through = { ...request, connection: { kubeconfig: proxy.kubeconfig }, signal: interruption.signal }
    expect(await refusal(migrateDefinitions(through, { ...usual, names: [moving.name] }))).toMatchObject({
      kind: 'interrupted',
    })
    const seen = await abort(request, { dryRun: true })
    expect(seen).toMatchObject({ outcome: 'closed', report: { closed: false, run: { state: 'interrupted' } } })
    const closed = await abort(request, { dryRun: false })
    if (closed.outcome !== 'closed') throw new Error(closed.outcome)
    const stays = [expect.stringContaining('storedVersions v1alpha1, v1beta1')]
    expect(closed.report).toMatchObject({ stays, next: `kubectl airunway migrate ${moving.name}` })
    expect(schemaErrors(renderDocument(documentOf('ClosedRun', closed.report), 'json'))).toEqual([])
    const report = ran(await migrate(moving))
    expect(report.migrated?.[0]?.passes[0]?.unchanged).toBeGreaterThan(0)
    expect(await moving.stored()).toEqual({ v1beta1: 40 })
  })

  test('refuses to lose a field, and gives it up by name with its values backed up', async () => {
    const moving = await (await new MovingKind(cluster, 'lossy').define()).write('w', 4)
    await moving.withoutSize()
    await moving.flip()
    const field = `${moving.name}:^.spec.size`
    const refused = await refusal(migrate(moving))
    expect(refused).toMatchObject({ kind: 'blocked', message: expect.stringContaining('1 field') })
    expect(refused.why).toContain(`${field} in v1alpha1: 4 objects (default/w-0`)
    expect(refused.next).toContain(`--accept-loss '${field}=REASON'`)
    const shown = planned(await migrate(moving, { dryRun: true }))
    expect(shown.blocked?.message).toBe(refused.message)
    expect(await refusal(migrate(moving, { acceptLoss: [field] }))).toMatchObject({ kind: 'usage' })
    const other = await refusal(migrate(moving, { acceptLoss: ['other.example.com:^.spec.size=why'] }))
    expect([other.kind, other.message]).toEqual(['usage', expect.stringContaining('other.example.com is not migrated')])
    expect(await moving.stored()).toEqual({ v1alpha1: 4 })

    const backupFile = join(tmpdir(), `airunway-lossy-${process.pid}.json`)
    const runs = await listRuns(cluster.client, 'airunway-runs')
    const report = ran(
      await migrateDefinitions(
        { ...request, backupFile },
        { ...usual, names: [moving.name], acceptLoss: [`${moving.plural}:^.spec.size=nobody reads it`] },
      ),
    )
    const saved = readFileSync(backupFile, 'utf8')
    rmSync(backupFile)
    expect(saved.match(/"size":\s*"l"/g)).toHaveLength(4)
    expect(report.run.number).toBe((runs[0]?.number ?? 0) + 1)
    const kept = await readKept<{ collections: Record<string, AnyObject[]> }>(
      cluster.client,
      'airunway-runs',
      report.run.number,
      'backup',
    )
    expect(kept?.collections[`${group}/v1alpha1 LOSSY`]?.map(({ spec }) => spec)).toEqual(
      Array.from({ length: 4 }, () => ({ size: 'l' })),
    )
    expect(await moving.stored()).toEqual({ v1beta1: 4 })
  })

  test('names who would refuse, before anything is written', async () => {
    const moving = await old('denied', 5)
    const api = 'admissionregistration.k8s.io/v1'
    await cluster.client.create({
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'hands-off' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [group], apiVersions: ['*'], operations: ['UPDATE'], resources: ['denied', 'denied/status'] },
          ],
        },
        validations: [{ expression: "object.metadata.name != 'w-2'", message: 'w-2 is mine' }],
      },
    })
    await cluster.client.create({
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'hands-off' },
      spec: { policyName: 'hands-off', validationActions: ['Deny'] },
    })
    const runs = await listRuns(cluster.client, 'airunway-runs')
    // The API server takes a moment to heed a policy.
    const patch = { type: 'merge', dryRun: true } as const
    await eventually(() =>
      cluster.client
        .patch(moving.reference('w-2'), {}, patch)
        .then(() => false)
        .catch((error: Error) => error.message.includes('w-2 is mine')),
    )
    const refused = await refusal(migrate(moving))
    expect(refused).toMatchObject({ kind: 'blocked' })
    expect(refused.why).toContain('policy hands-off')
    expect(refused.why).toContain('default/w-2')
    expect(await moving.stored()).toEqual({ v1alpha1: 5 })
    expect(await listRuns(cluster.client, 'airunway-runs')).toEqual(runs)
  })

  test('all of them: what ails one that needs nothing is passed over, what blocks one that needs it is told', async () => {
    const dying = await new MovingKind(cluster, 'dying').define()
    await dying.change(({ metadata }) => {
      metadata.finalizers = ['example.com/stay']
    })
    await cluster.client.delete({ ...definitionKind, name: dying.name })
    const { survey = [], blocked } = planned(await migrateDefinitions(request, { ...usual, all: true, dryRun: true }))
    expect(survey.map(({ definition }) => definition)).toEqual([`denied.${group}`])
    expect(blocked?.why).toContain('policy hands-off')
    await dying.change(({ metadata }) => {
      metadata.finalizers = []
    })
  })

  test('waits for the late writes of several definitions at the same time', async () => {
    const kinds = [await old('firsts', 2), await old('seconds', 2)]
    const names = kinds.map(({ name }) => name)
    const { migrated = [] } = ran(await migrateDefinitions(request, { ...usual, names, lateWriteSeconds: 4 }))
    const [first, second] = migrated
    expect(first?.seconds.settle).toBeGreaterThan(3)
    expect(second?.seconds.settle).toBeLessThan(3)
    for (const kind of kinds) expect(await kind.stored()).toEqual({ v1beta1: 2 })
  })

  test('needs just the rights that --print-rbac prints', async () => {
    const moving = await old('guarded', 10)
    const user = { name: 'migrator' }
    const connection = { kubeconfig: await cluster.kubeconfigFor(user) }
    const theirs = { ...request, connection }
    const lacking = await refusal(migrateDefinitions(theirs, { ...usual, names: [moving.name] }))
    expect(lacking).toMatchObject({ kind: 'blocked' })
    const printed = await migrateDefinitions(
      { ...request, printRbac: { user: user.name } },
      { ...usual, names: [moving.name] },
    )
    if (printed.outcome !== 'rights') throw new Error(printed.outcome)
    expect(await moving.stored()).toEqual({ v1alpha1: 10 })
    for (const object of printed.report.objects) if (object.kind !== 'Namespace') await cluster.client.create(object)
    const report = await eventually(async () => {
      try {
        return ran(await migrateDefinitions(theirs, { ...usual, names: [moving.name] }))
      } catch (error) {
        // The authorizer hears of new roles a moment later.
        if (error instanceof Refusal && error.kind === 'blocked') return undefined
        throw error
      }
    })
    expect(report?.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: 10 } }])
    expect(await moving.stored()).toEqual({ v1beta1: 10 })
  })

  test('asks little besides: survey, rights, dry runs, records and lock', async () => {
    const objects = 400
    const moving = await old('counted', objects)
    const proxy = await startFaultProxy(cluster.kubeconfig)
    proxies.push(proxy)
    const sent: string[] = []
    proxy.fault = async ({ method, path, query }) => {
      sent.push(`${method} ${path}?${query.toString()}`)
      return undefined
    }
    const through = { ...request, connection: { kubeconfig: proxy.kubeconfig } }
    const { migrated = [], seconds } = ran(await migrateDefinitions(through, { ...usual, names: [moving.name] }))
    const requests = migrated[0]?.requests ?? 0
    expect(requests).toBeLessThanOrEqual(2 * objects + (2 * objects) / 500 + 20)
    const dryRuns = sent.filter((each) => each.includes('dryRun')).length
    const records = sent.filter((each) => each.includes('/airunway-runs')).length
    const besides = sent.length - requests - records
    process.stderr.write(
      `${sent.length} requests in ${seconds} s: ${requests} of the engine, ${dryRuns} dry runs, ${records} of records and lock\n`,
    )
    expect(besides).toBeLessThanOrEqual(40 + objects / 500)
  })

  test('moves what is named to the version that is asked for, and refuses versions that there are not', async () => {
    const asked = await (await new MovingKind(cluster, 'asked').define()).write('w', 2)
    const to = async (storage: Record<string, string>) => refusal(migrate(asked, { names: [], storage }))
    expect(await to({ [asked.name]: 'v9' })).toMatchObject({ kind: 'usage', message: expect.stringContaining('v9') })
    expect((await to({ [asked.name]: 'v1beta1', [asked.plural]: 'v1alpha1' })).message).toContain('twice')
    ran(await migrate(asked, { names: [], storage: { [asked.plural]: 'v1beta1' } }))
    expect(await asked.stored()).toEqual({ v1beta1: 2 })
    expect(await refusal(migrate(asked, { names: ['nosuchkind'] }))).toMatchObject({ kind: 'usage' })
    expect(await refusal(migrate(asked, { names: ['no.such.example.com'] }))).toMatchObject({ kind: 'blocked' })
  })
})
