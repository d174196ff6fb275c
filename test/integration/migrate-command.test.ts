/** The verb `migrate` after an upgrade that held the storage version, on a real API server. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listRuns } from '../../src/journal/records.ts'
import type { CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { appliedConfiguration } from '../../src/kubernetes/ownership.ts'
import { documentOf } from '../../src/report/documents.ts'
import { renderDocument } from '../../src/report/render.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { status } from '../../src/services/status.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { prefixOf, storedVersionsUnder } from '../support/etcd-bytes.ts'
import { planned, ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind, MovingKind } from '../support/migrating.ts'
import { placeOf, versionsOfManagers } from '../support/object-contents.ts'
import { PACE } from '../support/pace.ts'
import { beta } from '../support/sample-objects.ts'
import { schemaErrors } from '../support/schemas.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of migrate are skipped: ${reason}\n`)

const page = join(import.meta.dirname, '..', '..', 'docs', 'migration.md')
const wide = { color: false, unicode: true, width: 120 }

/** As it is shown there: no port of this moment. What differs from run to run (times, requests, hashes) stays as it was. */
const reproducible = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:6443')
const steady = (text: string): string =>
  text
    .replaceAll(/\b\d+(\.\d+)? s\b/g, 'N s')
    .replaceAll(/\b\d+ requests/g, 'N requests')
    .replaceAll(/plan {5}\S+/g, 'plan     HASH')
    .replaceAll(/ +/g, ' ')

/** Written with the API server's own limit, looked at with a shorter one. */
const asShown: MigrateOptions = process.env['UPDATE_DOCS'] ? { ...usual, lateWriteSeconds: undefined } : usual

/** The page shows what was really printed; UPDATE_DOCS=1 writes it. */
const expectShown = (command: string, text: string): void => {
  const actual = reproducible(text)
  const before = readFileSync(page, 'utf8')
  const [start, end] = [`<!-- output: ${command} -->\n\`\`\`text\n`, '```']
  const at = before.indexOf(start) + start.length
  if (process.env['UPDATE_DOCS']) {
    writeFileSync(page, `${before.slice(0, at)}${actual}${before.slice(before.indexOf(end, at))}`)
    return
  }
  expect(before).toContain(start)
  expect(steady(before.slice(at, before.indexOf(end, at)))).toBe(steady(actual))
}

describe.skipIf(!possible)('migrate after an upgrade', () => {
  let cluster: ControlPlane
  let request: ChangeRequest
  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    request = { ...changeRequest(cluster), requestLimitMs: 300 }
  })
  afterAll(() => cluster?.stop())

  const models = 'modeldeployments.kubeairunway.ai'
  const configs = 'inferenceproviderconfigs.kubeairunway.ai'
  const stored = async (plural: string) => storedVersionsUnder(cluster.etcdUrl, prefixOf('kubeairunway.ai', plural))
  const storedVersions = async (name: string): Promise<string[] | undefined> =>
    (await cluster.client.get<CustomResourceDefinition>({ ...definitionKind, name })).status?.storedVersions

  /** What somebody wrote of the release's objects, by their names, as it is read in v1beta1. */
  const written = async (): Promise<Record<string, unknown>> => {
    const found: Record<string, unknown> = {}
    for (const kind of ['ModelDeployment', 'InferenceProviderConfig'])
      for (const object of await cluster.client.list({ apiVersion: beta, kind }))
        found[`${kind} ${placeOf(object)}`] = { uid: object.metadata.uid, spec: object['spec'] }
    return found
  }
  let before: Record<string, unknown>

  test('there is nothing to do before, and nothing is written', async () => {
    const result = await migrateDefinitions(request, usual)
    expect(result).toMatchObject({ outcome: 'nothing-to-migrate' })
    if (result.outcome !== 'nothing-to-migrate') return
    expect(result.report.definitions.map(({ definition }) => definition)).toEqual([models, configs])
    const document = documentOf('NothingToMigrate', result.report)
    expect(schemaErrors(renderDocument(document, 'json'))).toEqual([])
    expect(renderDocument(document, 'human')).toContain('By status.storedVersions there is nothing to migrate.')
    expect(await listRuns(cluster.client, 'airunway-runs')).toEqual([])
  })

  test('what the upgrade has held moves, is proved, and cannot be rolled back', async () => {
    const options = { to: 'v0.2.0', tier: 'in-place', conflicts: 'keep', holdStorage: true, dryRun: false } as const
    ran(await upgrade(request, { ...options, releases: cluster.releases }))
    expect(await stored('modeldeployments')).toEqual({ 'kubeairunway.ai/v1alpha1': 7 })
    before = await written()

    // Tidying up somebody else's definitions does not give up the way back.
    const all = await migrateDefinitions(request, { ...usual, all: true })
    expect(all).toMatchObject({
      outcome: 'nothing-to-migrate',
      report: { notes: expect.arrayContaining([expect.stringContaining(models)]) },
    })

    const dryRun = planned(await migrateDefinitions(request, { ...asShown, dryRun: true }))
    expectShown('migrate --dry-run', renderDocument(documentOf('Plan', dryRun), 'human', wide))
    const { plan, survey } = dryRun
    expect(plan.wayBack).toMatchObject({ possible: false })
    expect(plan.steps.map(({ id }) => id)).toEqual(['01-flip-storage', '02-flip-storage', '03-migrate', '04-migrate'])
    expect(survey).toMatchObject([
      { definition: models, storageVersion: 'v1alpha1', flipTo: 'v1beta1', objects: 7 },
      { definition: configs, storageVersion: 'v1alpha1', flipTo: 'v1beta1' },
    ])
    expect(await storedVersions(models)).toEqual(['v1alpha1'])

    const report = ran(await migrateDefinitions(request, asShown))
    expectShown('migrate --yes', renderDocument(documentOf('Run', report), 'human', wide))
    expect(report.run).toMatchObject({
      number: 2,
      kind: 'migration',
      from: 'v1alpha1',
      to: 'v1beta1',
      state: 'succeeded',
    })
    expect(report.migrated).toMatchObject([
      { definition: models, outcome: 'migrated', after: { storedVersions: ['v1beta1'] }, removable: ['v1alpha1'] },
      { definition: configs, outcome: 'migrated', after: { storedVersions: ['v1beta1'] } },
    ])
    for (const { proof } of report.migrated ?? []) expect(proof?.secondsAfterFlip).toBeGreaterThanOrEqual(1)
    expect(await stored('modeldeployments')).toEqual({ 'kubeairunway.ai/v1beta1': 7 })
    expect(Object.keys(await stored('inferenceproviderconfigs'))).toEqual(['kubeairunway.ai/v1beta1'])
    expect(await storedVersions(models)).toEqual(['v1beta1'])
    expect(await storedVersions(configs)).toEqual(['v1beta1'])

    const back = await refusal(rollback(request, { dryRun: false }))
    expect(back).toMatchObject({ kind: 'cannot-go-back', message: expect.stringContaining('stores v1beta1') })
    const seen = await status({ ...request, now: new Date() })
    expect(seen).toMatchObject({ lastRun: { kind: 'migration' }, rollback: { possible: false } })
    expect(await migrateDefinitions(request, usual)).toMatchObject({ outcome: 'nothing-to-migrate' })
    const events = await cluster.client.list({ apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: 'default' })
    expect(events.map((event) => event['reason'])).toEqual(
      expect.arrayContaining(['MigrationStarted', 'MigrationFinished']),
    )
  })

  test('a migration of somebody else keeps nobody from going back', async () => {
    expect((await listRuns(cluster.client, 'airunway-runs')).map(({ kind }) => kind)).toEqual(['migration', 'upgrade'])
    const moving = await (await (await new MovingKind(cluster, 'others').define()).write('w', 3)).flip()
    ran(await migrateDefinitions(request, { ...usual, names: ['OTHERS'] }))
    expect(await moving.stored()).toEqual({ v1beta1: 3 })
    // Still for the reason that its objects are stored in another version, not because of the run in between.
    const back = await refusal(rollback(request, { dryRun: true }))
    expect(back.message).toContain('kubeairunway.ai stores v1beta1')
  })

  test('releases that drop the old version can be gone to', async () => {
    const goTo = async (to: string): Promise<ChangeResult> =>
      upgrade(request, {
        to,
        tier: 'in-place',
        conflicts: 'keep',
        // An upgrade that is not told to hold would do itself what is looked at here.
        holdStorage: true,
        dryRun: false,
        releases: cluster.releases,
      })
    ran(await goTo('v0.3.0'))
    // Nobody is served v1alpha1 any more: what managedFields still say of it goes as well.
    const report = ran(await migrateDefinitions(request, { ...usual, forceScan: true }))
    const moved = report.migrated?.flatMap(({ passes }) => passes.map(({ managersMoved }) => managersMoved)) ?? []
    expect(Math.max(...moved)).toBeGreaterThan(0)
    ran(await goTo('v0.4.0'))
    const live = await cluster.client.get<CustomResourceDefinition>({ ...definitionKind, name: models })
    expect(live.spec.versions.map(({ name }) => name)).toEqual(['v1beta1'])
    const objects = await cluster.client.list({ apiVersion: 'kubeairunway.ai/v1beta1', kind: 'ModelDeployment' })
    expect(objects).toHaveLength(7)
    expect(versionsOfManagers(objects)).toEqual(new Set([beta]))

    // Every one of them reads as before v1alpha1 went, and who has applied it can apply it again.
    expect(Object.keys(before)).toHaveLength(9)
    expect(await written()).toEqual(before)
    const configurations = await cluster.client.list({ apiVersion: beta, kind: 'InferenceProviderConfig' })
    for (const object of [...objects, ...configurations]) {
      const managers = object.metadata.managedFields?.filter(({ subresource }) => subresource === undefined) ?? []
      expect(managers.length, placeOf(object)).toBeGreaterThan(0)
      for (const { manager = '' } of managers)
        await cluster.client.apply(appliedConfiguration(object, [manager]), { fieldManager: manager })
    }
    expect(await written()).toEqual(before)
  })
})
