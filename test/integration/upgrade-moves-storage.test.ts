/** The last steps of an upgrade move stored objects: what comes of it, what keeps it from beginning, and how one goes on. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { listRuns, readKept } from '../../src/journal/records.ts'
import type { CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import type { Plan } from '../../src/plan/plan.types.ts'
import { memoryFolder } from '../../src/playground/playground.ts'
import { documentOf } from '../../src/report/documents.ts'
import { type Progress, silentProgress } from '../../src/report/progress.ts'
import { renderDocument } from '../../src/report/render.ts'
import { abort } from '../../src/services/abort.ts'
import { readRun } from '../../src/services/export-run.ts'
import { history } from '../../src/services/history.ts'
import { migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import { status } from '../../src/services/status.ts'
import { type UpgradeOptions, upgrade } from '../../src/services/upgrade.ts'
import type { ChangeInput } from '../support/change-program.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { prefixOf, storedVersionsUnder } from '../support/etcd-bytes.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { planned, ran, refusal, usual } from '../support/migrate-stories.ts'
import { PACE } from '../support/pace.ts'
import { saveCluster } from '../support/saved-cluster.ts'
import { settled } from '../support/settled.ts'
import { startWriteProxy } from '../support/write-proxy.ts'
import { isFlip } from '../torture/last-wave.ts'
import { fillSmallCluster, releasesFolder } from '../torture/small-cluster.ts'

const PROGRAM = fileURLToPath(new URL('../support/change-program.ts', import.meta.url))
const RECORDS = 'airunway-runs'
const models = 'modeldeployments.kubeairunway.ai'
const configs = 'inferenceproviderconfigs.kubeairunway.ai'
const human = { color: false, unicode: true, width: 120 }

describe.skipIf(!clusterTestsPossible().possible)('an upgrade that moves stored objects', () => {
  const folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-moves-storage-'))
  const saved = join(folder, 'before')

  beforeAll(async () => {
    await using cluster = await startControlPlane({ pace: PACE })
    await fillSmallCluster(cluster.client, 'v0.1.0')
    await settled(cluster.client)
    await saveCluster(cluster, saved)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const start = async (): Promise<ControlPlane> => {
    const cluster = await startControlPlane({ saved, pace: PACE })
    await settled(cluster.client)
    return cluster
  }
  const requestTo = (cluster: ControlPlane, rest: Partial<ChangeRequest> = {}): ChangeRequest => ({
    ...changeRequest(cluster),
    requestLimitMs: 100,
    ...rest,
  })
  const to = (version: string, rest: Partial<UpgradeOptions> = {}): UpgradeOptions => ({
    to: version,
    tier: 'in-place',
    conflicts: 'keep',
    releases: releasesFolder(),
    lateWriteSeconds: 1,
    dryRun: false,
    ...rest,
  })
  const bytes = async ({ etcdUrl }: ControlPlane): Promise<Record<string, number>[]> =>
    Promise.all(
      ['modeldeployments', 'inferenceproviderconfigs'].map(async (plural) =>
        storedVersionsUnder(etcdUrl, prefixOf('kubeairunway.ai', plural)),
      ),
    )
  const IN_ALPHA = [{ 'kubeairunway.ai/v1alpha1': 4 }, { 'kubeairunway.ai/v1alpha1': 2 }]
  const IN_BETA = [{ 'kubeairunway.ai/v1beta1': 4 }, { 'kubeairunway.ai/v1beta1': 2 }]
  const definition = async ({ client }: ControlPlane, name: string): Promise<CustomResourceDefinition> =>
    client.get({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name })
  const storedVersions = async (cluster: ControlPlane): Promise<unknown[]> =>
    Promise.all([models, configs].map(async (name) => (await definition(cluster, name)).status?.storedVersions))
  const statusOf = async (cluster: ControlPlane) => status({ ...requestTo(cluster), now: new Date() })

  type Version = CustomResourceDefinition['spec']['versions'][number]
  type Schema = { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } }
  const propertiesOf = (schema: Version['schema']): Record<string, unknown> =>
    (schema as unknown as Schema).openAPIV3Schema.properties.spec.properties

  /** A folder of releases with this one in it, its provider configs defined in another way. */
  const changedRelease = (version: string, name: string, change: (version: Version) => void): string => {
    const releases = join(folder, name)
    cpSync(join(releasesFolder(), version), join(releases, version), { recursive: true })
    const file = join(releases, version, 'manifests', 'install.yaml')
    const documents = parseAllDocuments(readFileSync(file, 'utf8')).map(
      (each) => each.toJS() as CustomResourceDefinition,
    )
    for (const { metadata, spec } of documents)
      if (metadata.name === configs) for (const each of spec.versions) change(each)
    writeFileSync(file, documents.map((each) => stringify(each)).join('---\n'))
    return releases
  }

  /** Somebody's rule that lets nobody write one of the models. */
  const forbidWrites = async ({ client }: ControlPlane): Promise<void> => {
    const apiVersion = 'admissionregistration.k8s.io/v1'
    const rules = [
      {
        apiGroups: ['kubeairunway.ai'],
        apiVersions: ['*'],
        operations: ['UPDATE'],
        resources: ['modeldeployments', 'modeldeployments/status'],
      },
    ]
    await client.create({
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'hands-off' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules },
        matchConditions: [{ name: 'asked-by-people', expression: "!request.userInfo.username.startsWith('system:')" }],
        validations: [{ expression: "object.metadata.name != 'phi'", message: 'phi is mine' }],
      },
    })
    await client.create({
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'hands-off' },
      spec: { policyName: 'hands-off', validationActions: ['Deny'] },
    })
    const phi = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment', namespace: 'team-b', name: 'phi' }
    await eventually(async () =>
      client.patch(phi, {}, { type: 'merge', dryRun: true }).then(
        () => false,
        (error: Error) => error.message.includes('phi is mine'),
      ),
    )
  }
  const allowWrites = async ({ client }: ControlPlane): Promise<void> => {
    const apiVersion = 'admissionregistration.k8s.io/v1'
    await client.delete({ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', name: 'hands-off' })
    const phi = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment', namespace: 'team-b', name: 'phi' }
    await eventually(async () =>
      client.patch(phi, {}, { type: 'merge', dryRun: true }).then(
        () => true,
        () => false,
      ),
    )
  }

  /** Requests through it are held while `wait` waits. */
  const proxyOf = async ({ kubeconfig }: ControlPlane, wait: () => Promise<void> | undefined) => {
    const proxy = await startFaultProxy(kubeconfig)
    proxy.fault = async () => {
      await wait()
      return undefined
    }
    return { kubeconfig: proxy.kubeconfig, [Symbol.asyncDispose]: async () => proxy.close() }
  }

  /** Does something as soon as a step of this name begins. */
  const atStep = (title: string, work: () => unknown): Progress => ({
    task: (name) => {
      if (name.includes(title)) work()
      return silentProgress.task(name)
    },
  })

  test('ends with all of it proved, and the next releases follow by upgrades alone', async () => {
    await using cluster = await start()
    const request = requestTo(cluster)
    const shown = planned(await upgrade(request, to('v0.2.0', { dryRun: true })))
    expect(shown.survey).toMatchObject([{ flipTo: 'v1beta1' }, { flipTo: 'v1beta1', objects: 4, blockers: [] }])
    const text = renderDocument(documentOf('Plan', shown), 'human', human)
    expect(text).toMatch(/To move and prove 6 stored objects takes about \d+ requests and 35 s/)
    expect(text).toMatch(/there is no rollback to v0\.1\.0; until then abort goes back/)
    expect(await bytes(cluster)).toEqual(IN_ALPHA)

    const report = ran(await upgrade(request, to('v0.2.0')))
    expect(report.migrated).toMatchObject([
      { definition: configs, outcome: 'migrated', proof: { objects: 2 }, removable: ['v1alpha1'] },
      { definition: models, outcome: 'migrated', proof: { objects: 4 }, removable: ['v1alpha1'] },
    ])
    for (const { proof } of report.migrated ?? []) expect(proof?.secondsAfterFlip).toBeGreaterThanOrEqual(1)
    expect(report).toMatchObject({ workloads: { compared: true, disturbed: 0 }, wayBack: { possible: false } })
    expect(renderDocument(documentOf('Run', report), 'human', human)).toContain('4 rewritten to v1beta1')
    expect(await bytes(cluster)).toEqual(IN_BETA)
    expect(await storedVersions(cluster)).toEqual([['v1beta1'], ['v1beta1']])
    expect(await refusal(rollback(request, { dryRun: false }))).toMatchObject({ kind: 'cannot-go-back' })
    expect(await statusOf(cluster)).toMatchObject({ unfinished: false, waysOn: [], rollback: { possible: false } })
    expect(await migrateDefinitions(request, { ...usual, all: true })).toMatchObject({ outcome: 'nothing-to-migrate' })

    const next = ran(await upgrade(request, to('v0.3.0')))
    // Nobody is served v1alpha1 any more: who is named in it is renamed, so that it can leave.
    expect(next.migrated?.flatMap(({ passes }) => passes.map((pass) => pass.managersMoved))).toContain(4)
    ran(await upgrade(request, to('v0.4.0')))
    expect((await definition(cluster, models)).spec.versions.map(({ name }) => name)).toEqual(['v1beta1'])
    const objects = await cluster.client.list({ apiVersion: 'kubeairunway.ai/v1beta1', kind: 'ModelDeployment' })
    const named = objects.flatMap(({ metadata }) => metadata.managedFields?.map(({ apiVersion }) => apiVersion) ?? [])
    expect(new Set(named)).toEqual(new Set(['kubeairunway.ai/v1beta1']))
    const last = ran(await upgrade(request, to('v0.5.0')))
    expect(last.migrated?.map(({ storageVersion }) => storageVersion)).toEqual(['v1', 'v1'])
    expect(await bytes(cluster)).toEqual([{ 'kubeairunway.ai/v1': 4 }, { 'kubeairunway.ai/v1': 2 }])
  })

  test('with its storage held can be gone back from; later upgrades move it, or are refused where they would drop it', async () => {
    await using cluster = await start()
    const request = requestTo(cluster)
    const held = { holdStorage: true }
    const report = ran(await upgrade(request, to('v0.2.0', held)))
    expect(report).toMatchObject({
      wayBack: { possible: true },
      heldStorage: { [models]: 'v1beta1', [configs]: 'v1beta1' },
    })
    expect(report.migrated).toBeUndefined()
    const text = renderDocument(documentOf('Run', report), 'human', human).replaceAll(/\s+/g, ' ')
    expect(text).toContain('kubectl airunway migrate moves them; from then on there is no rollback to v0.1.0.')
    expect(text).toContain('Next: kubectl airunway migrate, or go back with kubectl airunway rollback')
    expect(await bytes(cluster)).toEqual(IN_ALPHA)
    const again = await upgrade(request, to('v0.2.0'))
    if (again.outcome !== 'nothing-to-do') throw new Error(again.outcome)
    expect(again.report.toMigrate?.toSorted()).toEqual([configs, models])
    expect(renderDocument(documentOf('NothingToDo', again.report), 'human', human)).toContain(
      'Next: kubectl airunway migrate',
    )
    ran(await rollback(request, { dryRun: false }))

    ran(await upgrade(request, to('v0.2.0', held)))
    ran(await upgrade(request, to('v0.3.0', held)))
    const dropped = await refusal(upgrade(request, to('v0.4.0')))
    expect(dropped).toMatchObject({ kind: 'blocked', why: expect.stringContaining('stored-version-dropped') })
    expect(dropped.why).toContain('v0.4.0 drops v1alpha1')
    expect(dropped.why).toContain('Move every object to v1beta1')
    ran(await migrateDefinitions(request, usual))
    expect(await bytes(cluster)).toEqual(IN_BETA)
    ran(await upgrade(request, to('v0.4.0')))
  })

  test('knows of a version that ends serving what nobody will be able to see then', async () => {
    await using cluster = await start()
    const request = requestTo(cluster)
    ran(await upgrade(request, to('v0.2.0', { holdStorage: true })))
    // Fields of v1alpha1 that nobody has can be given up without a word; after the upgrade nobody could look for them.
    const releases = changedRelease('v0.3.0', 'ending', ({ name, schema }) => {
      if (name === 'v1alpha1') propertiesOf(schema)['note'] = { type: 'string' }
    })
    const report = ran(await upgrade(request, to('v0.3.0', { releases })))
    expect(report.migrated).toMatchObject([{ outcome: 'migrated' }, { outcome: 'migrated' }])
    expect(await bytes(cluster)).toEqual(IN_BETA)
  })

  test('is not begun where somebody refuses the writes, or a field would be lost that nobody gave up', async () => {
    await using cluster = await start()
    const request = requestTo(cluster)
    const releases = changedRelease('v0.2.0', 'lossy', ({ name, schema }) => {
      if (name === 'v1beta1') Reflect.deleteProperty(propertiesOf(schema), 'selectionRules')
    })
    await cluster.client.create({
      apiVersion: 'kubeairunway.ai/v1alpha1',
      kind: 'InferenceProviderConfig',
      metadata: { name: 'by-hand' },
      spec: { capabilities: { engines: ['vllm'] }, selectionRules: [{ condition: 'true', priority: 3 }] },
    })
    const lossy = await refusal(upgrade(request, to('v0.2.0', { releases })))
    expect(lossy).toMatchObject({ kind: 'blocked', message: expect.stringContaining('1 field') })
    expect(lossy.why).toContain('^.spec.selectionRules in v1alpha1')
    expect(lossy.next).toContain(`--accept-loss '${configs}:^.spec.selectionRules=REASON'`)
    expect(lossy.next).toContain('kubectl airunway upgrade --to v0.2.0 --hold-storage')
    const acceptLoss = [`${configs}:^.spec.selectionRules=nobody reads them`]
    const shown = planned(await upgrade(request, to('v0.2.0', { releases, acceptLoss, dryRun: true })))
    expect(shown.plan.accepted).toMatchObject([{ reason: 'nobody reads them' }])

    await forbidWrites(cluster)
    const denied = await refusal(upgrade(request, to('v0.2.0')))
    expect(denied).toMatchObject({ kind: 'blocked', why: expect.stringContaining('policy hands-off') })
    expect(denied.next).toContain('--hold-storage')
    expect(await listRuns(cluster.client, RECORDS)).toEqual([])
    expect(planned(await upgrade(request, to('v0.2.0', { holdStorage: true, dryRun: true }))).survey).toBeUndefined()

    // What is given up by name is kept as it was right before it went.
    await allowWrites(cluster)
    const { run, migrated } = ran(await upgrade(request, to('v0.2.0', { releases, acceptLoss })))
    expect(migrated).toMatchObject([{ outcome: 'migrated' }, { outcome: 'migrated' }])
    const { lost } = await readRun({ ...request, number: run.number, now: new Date() })
    expect(lost?.map(({ definition: of }) => of)).toEqual([configs])
    expect(lost?.[0]?.values.filter(({ isDefault }) => !isDefault)).toMatchObject([
      {
        name: 'by-hand',
        version: 'v1alpha1',
        path: ['spec', 'selectionRules'],
        value: [{ condition: 'true', priority: 3 }],
      },
    ])
  })

  test('stops before the first storage version moves where that shows late: gone back from, or ended as it is', async () => {
    await using cluster = await start()
    let forbidden: Promise<void> | undefined
    // The last shim's own proof writes no object that it is about. Nothing goes on until the rule is heeded.
    const progress = atStep('Update the kuberay shim', () => (forbidden ??= forbidWrites(cluster)))
    await using proxy = await proxyOf(cluster, () => forbidden)
    const through = { progress, connection: { kubeconfig: proxy.kubeconfig } }
    const gently = { maxInFlight: 2, maxQps: 500, preflight: 'all' } as const
    const stopped = await refusal(upgrade(requestTo(cluster, through), to('v0.2.0', gently)))
    expect(stopped).toMatchObject({ kind: 'failed', message: expect.stringContaining('check-migration') })
    expect(stopped.why).toContain('refused by policy hands-off, such as team-b/phi')
    expect(stopped.why).toContain('No storage version has moved')
    expect(stopped.next).toMatch(/airunway abort .* or kubectl airunway resume --hold-storage/)
    expect(await storedVersions(cluster)).toEqual([['v1alpha1'], ['v1alpha1']])
    const seen = await statusOf(cluster)
    expect(seen).toMatchObject({ unfinished: true, rollback: { possible: true } })
    expect(seen.waysOn.join('\n')).toContain('kubectl airunway abort')
    expect(planned(await abort(requestTo(cluster), { dryRun: true })).plan).toMatchObject({ to: 'v0.1.0' })
    // Whoever goes on with it goes as gently.
    const recorded = await readKept<Plan>(cluster.client, RECORDS, 1, 'plan')
    expect(recorded?.steps).toContainEqual(expect.objectContaining({ kind: 'check-migration', tryAll: true }))
    const limits = { maxInFlight: 2, maxQps: 500 }
    expect(recorded?.steps).toContainEqual(expect.objectContaining({ kind: 'migrate', limits }))

    const stop = new AbortController()
    const midway: Progress = {
      task: (name) => ({
        ...silentProgress.task(name),
        update: () => name.includes('Check the migration') && stop.abort(new DOMException('stop', 'AbortError')),
      }),
    }
    const again = requestTo(cluster, { progress: midway, signal: stop.signal })
    expect(await refusal(resume(again, { dryRun: false }))).toMatchObject({
      kind: 'interrupted',
      message: expect.stringContaining('check-migration'),
    })

    const ended = ran(await resume(requestTo(cluster), { dryRun: false, holdStorage: true }))
    expect(ended).toMatchObject({
      run: { state: 'succeeded' },
      wayBack: { possible: true },
      heldStorage: { [models]: 'v1beta1', [configs]: 'v1beta1' },
    })
    expect(await bytes(cluster)).toEqual(IN_ALPHA)
    await allowWrites(cluster)
    expect(planned(await rollback(requestTo(cluster), { dryRun: true })).plan).toMatchObject({ to: 'v0.1.0' })
    // What it has not moved is known to whoever moves it later.
    ran(await migrateDefinitions(requestTo(cluster), usual))
    expect(await bytes(cluster)).toEqual(IN_BETA)
  })

  test('killed right after a storage version moved is gone on with, and with nothing else', async () => {
    await using cluster = await start()
    const proxy = await startWriteProxy({ kubeconfig: cluster.kubeconfig, kill: () => child.kill('SIGKILL') })
    const { dryRun: _dryRun, ...options } = to('v0.2.0')
    const input: ChangeInput = { service: 'upgrade', options, lockSeconds: 3, requestLimitMs: 100 }
    proxy.onWrite((write) => (isFlip(write) && write.path.endsWith(configs) ? 'kill-after' : 'forward'))
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(input)], {
      env: { ...cluster.env, KUBECONFIG: proxy.kubeconfig },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await new Promise((resolve) => child.once('close', resolve))
    await proxy.close()
    expect(await storedVersions(cluster)).toEqual([['v1alpha1'], ['v1alpha1', 'v1beta1']])

    const request = requestTo(cluster, { takeOver: true, lockSeconds: 3 })
    const seen = await statusOf(cluster)
    expect(seen).toMatchObject({ unfinished: true, rollback: { possible: false } })
    for (const service of [abort, rollback]) {
      const refused = await refusal(service(request, { dryRun: false }))
      expect(refused).toMatchObject({
        kind: 'cannot-go-back',
        next: expect.stringContaining('kubectl airunway resume'),
      })
      expect(refused.message).toContain(`${configs} stores v1beta1`)
    }
    const interrupted = new AbortController()
    const progress = atStep('Migrate InferenceProviderConfig', () =>
      interrupted.abort(new DOMException('stop', 'AbortError')),
    )
    const again = await refusal(resume({ ...request, progress, signal: interrupted.signal }, { dryRun: false }))
    expect(again).toMatchObject({ kind: 'interrupted', next: expect.not.stringContaining('abort') })
    expect((await statusOf(cluster)).waysOn).toEqual([
      expect.stringContaining('kubectl airunway resume (go on'),
      expect.stringContaining('kubectl airunway resume --hold-storage'),
    ])
    const runs = await history({ ...requestTo(cluster), now: new Date() })
    expect(renderDocument(documentOf('RunHistory', runs), 'human', human)).toContain(
      'it can be gone on with, and not gone back from',
    )

    const report = ran(await resume(request, { dryRun: false }))
    // When the first one moved is known to nobody any more: its seconds count from the first look.
    expect(report.migrated).toMatchObject([{ outcome: 'migrated' }, { outcome: 'migrated' }])
    expect(await bytes(cluster)).toEqual(IN_BETA)
    expect(await storedVersions(cluster)).toEqual([['v1beta1'], ['v1beta1']])
  })
})
