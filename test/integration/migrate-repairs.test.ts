/** Migrations of what should not be: trimmed by hand, stored in versions that are gone, with numbers that JavaScript lacks. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageVersionOf } from '../../src/crds/versions.ts'
import { readKept } from '../../src/journal/records.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { documentOf } from '../../src/report/documents.ts'
import { renderDocument } from '../../src/report/render.ts'
import { abort } from '../../src/services/abort.ts'
import { readRun } from '../../src/services/export-run.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { resume } from '../../src/services/resume.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { storeAs } from '../support/etcd-bytes.ts'
import { planned, ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind, group, MovingKind } from '../support/migrating.ts'

describe.skipIf(!clusterTestsPossible().possible)('migrate', () => {
  let cluster: ControlPlane
  let request: ChangeRequest
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    request = { ...changeRequest(cluster), requestLimitMs: 300 }
  })
  afterAll(() => cluster?.stop())

  const old = async (plural: string, objects: number): Promise<MovingKind> =>
    (await (await new MovingKind(cluster, plural).define()).write('w', objects)).flip()
  const migrate = async (kind: MovingKind, options: Partial<MigrateOptions> = {}): Promise<ChangeResult> =>
    migrateDefinitions(request, { ...usual, names: [kind.name], ...options })
  const listed = (kind: MovingKind): Promise<AnyObject[]> =>
    cluster.client.list<AnyObject>({ apiVersion: `${group}/v1beta1`, kind: kind.kind })
  /** Status does not name the version that objects are stored in, so it may leave the spec. */
  const makeUnreadable = async (kind: MovingKind): Promise<void> => {
    await kind.change(({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name !== 'v1alpha1')
    })
    await eventually(() =>
      listed(kind).then(
        () => false,
        () => true,
      ),
    )
  }

  test('finds what was trimmed by hand, and repairs what nobody can read', async () => {
    const claimed = await old('claimed', 6)
    await claimed.claim(['v1beta1'])
    const unlooked = await migrate(claimed)
    if (unlooked.outcome !== 'nothing-to-migrate') throw new Error(unlooked.outcome)
    // Nobody has looked, and the bytes are old: it says no more than it knows.
    const said = renderDocument(documentOf('NothingToMigrate', unlooked.report), 'human')
    expect(said).toContain(`${claimed.name}: status.storedVersions lists only v1beta1`)
    expect(said.replaceAll(/\s+/g, ' ')).toContain(`kubectl airunway migrate ${claimed.name} --force-scan`)
    expect(await claimed.stored()).toEqual({ v1alpha1: 6 })
    ran(await migrate(claimed, { forceScan: true }))
    expect(await claimed.stored()).toEqual({ v1beta1: 6 })

    const lost = await old('lost', 6)
    await lost.claim(['v1beta1'])
    await makeUnreadable(lost)
    const refused = await refusal(migrate(lost))
    expect(refused).toMatchObject({ kind: 'blocked', next: expect.stringContaining('--repair-unreadable') })
    const report = ran(await migrate(lost, { repairUnreadable: true }))
    expect(report.notes.join(' ')).toContain('v1alpha1 comes back')
    expect(await lost.stored()).toEqual({ v1beta1: 6 })
    expect(await listed(lost)).toHaveLength(6)
  })

  test('makes objects readable, and stops before what only their version has is lost', async () => {
    const moving = await (await new MovingKind(cluster, 'withdrawn').define()).write('w', 3)
    await moving.withoutSize()
    await moving.flip()
    await moving.claim(['v1beta1'])
    await makeUnreadable(moving)
    const stopped = await refusal(migrate(moving, { repairUnreadable: true }))
    const field = `${moving.name}:^.spec.size`
    expect(stopped.why).toContain('^.spec.size of 3 objects, such as w-0')
    expect(stopped.why).toContain(`--accept-loss '${field}=REASON'`)
    expect(await moving.stored()).toEqual({ v1alpha1: 3 })
    expect(await listed(moving)).toHaveLength(3)
    await abort(request, { dryRun: false })
    const report = ran(await migrate(moving, { acceptLoss: [`${field}=nobody reads it`] }))
    const kept = await readKept<{ collections: Record<string, AnyObject[]> }>(
      cluster.client,
      'airunway-runs',
      report.run.number,
      'backup',
    )
    expect(kept?.collections[`${group}/v1alpha1 WITHDRAWN`]?.map(({ spec }) => spec)).toContainEqual(
      expect.objectContaining({ size: expect.anything() }),
    )
    expect(await moving.stored()).toEqual({ v1beta1: 3 })
  })

  test('brings back all versions that objects turn out to be stored in, one after the other', async () => {
    const moving = await (await new MovingKind(cluster, 'scattered').define()).write('w', 8)
    await moving.change(({ spec }) => {
      const [first] = spec.versions
      for (const name of ['v1alpha2', 'v1alpha3']) if (first) spec.versions.push({ ...first, name, storage: false })
    })
    await moving.flip()
    // The last one that is missing is that of the first object, so no list is read before it is back.
    for (const [name, version] of [
      ['w-0', 'v1alpha3'],
      ['w-1', 'v1alpha2'],
      ['w-7', 'v1alpha3'],
    ] as const)
      await storeAs(cluster.etcdUrl, `${moving.prefix}default/${name}`, `${group}/${version}`)
    const before = await moving.stored()
    expect(before).toEqual({ v1alpha1: 5, v1alpha2: 1, v1alpha3: 2 })
    await moving.claim(['v1beta1'])
    await moving.change(({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name === 'v1beta1')
    })
    await eventually(() =>
      listed(moving).then(
        () => false,
        () => true,
      ),
    )
    const report = ran(await migrate(moving, { repairUnreadable: true }))
    expect(report.migrated?.[0]?.notes?.join(' ')).toMatch(/v1alpha\d, v1alpha\d came back into the spec as well/)
    expect(await moving.stored()).toEqual({ v1beta1: 8 })
    expect(await moving.storedVersions()).toEqual(['v1beta1'])
    expect(await listed(moving)).toHaveLength(8)
  })

  test('stops before it drops what a version has that came back on the way', async () => {
    const moving = await (await new MovingKind(cluster, 'strewn').define()).write('w', 4)
    await moving.change(({ spec }) => {
      const [first] = spec.versions
      if (first) spec.versions.push({ ...first, name: 'v1alpha2', storage: false })
    })
    await moving.withoutSize()
    await moving.flip()
    await storeAs(cluster.etcdUrl, `${moving.prefix}default/w-3`, `${group}/v1alpha2`)
    // Those that are named first have nothing to lose.
    for (const name of ['w-0', 'w-1', 'w-2']) {
      const reference = { ...moving.reference(name), apiVersion: `${group}/v1alpha1` }
      await cluster.client.patch(reference, { spec: { size: null } }, { type: 'merge' })
      await moving.storeOld(name)
    }
    await moving.claim(['v1beta1'])
    await moving.change(({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name === 'v1beta1')
    })
    await eventually(() =>
      listed(moving).then(
        () => false,
        () => true,
      ),
    )
    for (const go of [() => migrate(moving, { repairUnreadable: true }), () => resume(request, { dryRun: false })]) {
      const stopped = await refusal(go())
      expect(stopped.why).toContain('^.spec.size of 1 objects, such as w-3')
      expect(await moving.stored()).toEqual({ v1alpha1: 3, v1alpha2: 1 })
    }
    await abort(request, { dryRun: false })
  })

  test('looks for losses in every version where status is not believed', async () => {
    const moving = await (await new MovingKind(cluster, 'disowned').define()).write('w', 4)
    await moving.withoutSize()
    await moving.flip()
    await moving.claim(['v1beta1'])
    const field = `${moving.name}:^.spec.size`
    const refused = await refusal(migrate(moving, { forceScan: true }))
    expect(refused.why).toContain(`${field} in v1alpha1: 4 objects (default/w-0`)
    expect(await moving.stored()).toEqual({ v1alpha1: 4 })
    const report = ran(await migrate(moving, { forceScan: true, acceptLoss: [`${field}=nobody reads it`] }))
    const kept = await readKept<{ collections: Record<string, AnyObject[]> }>(
      cluster.client,
      'airunway-runs',
      report.run.number,
      'backup',
    )
    expect(kept?.collections[`${group}/v1alpha1 DISOWNED`]).toHaveLength(4)
    expect(await moving.stored()).toEqual({ v1beta1: 4 })
  })

  test('finds an object that nobody can read behind the first page', async () => {
    const moving = await new MovingKind(cluster, 'behinds').define()
    await moving.flip()
    await moving.write('w', 510)
    await moving.storeOld('w-99')
    await moving.claim(['v1beta1'])
    await makeUnreadable(moving)
    const refused = await refusal(migrate(moving, { forceScan: true }))
    expect(refused).toMatchObject({ kind: 'blocked', next: expect.stringContaining('--repair-unreadable') })
    ran(await migrate(moving, { repairUnreadable: true }))
    expect(await moving.stored()).toEqual({ v1beta1: 510 })
    expect(await listed(moving)).toHaveLength(510)
  })

  test('keeps who owns what, where the storage version fills in a field that the old one does not have', async () => {
    const moving = await new MovingKind(cluster, 'owned').define()
    await moving.change(({ spec }) => {
      for (const { name, schema } of spec.versions) {
        const fields = schema?.openAPIV3Schema?.['properties'] as Record<string, { properties: object }> | undefined
        if (name === 'v1beta1' && fields?.['spec'])
          fields['spec'].properties = { size: { type: 'string' }, color: { type: 'string', default: 'red' } }
      }
    })
    const [alpha, beta] = ['v1alpha1', 'v1beta1'].map((version) => `${group}/${version}`)
    const object = (apiVersion = '', labels = {}): AnyObject => {
      const metadata = { name: 'o', namespace: 'default', labels }
      return { apiVersion, kind: moving.kind, metadata, spec: { size: 'l' } }
    }
    const apply = async (written: AnyObject): Promise<AnyObject> =>
      cluster.client.apply(written, { fieldManager: 'gitops', force: false })
    await eventually(() => apply(object(alpha, { spare: 'yes' })))
    const status = { type: 'merge', subresource: 'status', fieldManager: 'operator' } as const
    await cluster.client.patch({ ...moving.reference('o'), apiVersion: `${alpha}` }, { status: { seen: 1 } }, status)
    await moving.flip()

    ran(await migrate(moving))
    expect(await moving.stored()).toEqual({ v1beta1: 1 })
    const [moved] = await listed(moving)
    expect(moved).toMatchObject({ spec: { size: 'l', color: 'red' }, status: { seen: 1 } })
    const managers = moved?.metadata.managedFields?.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`)
    // The value that was filled in belongs to whoever wrote the object next.
    expect(managers?.toSorted()).toEqual([`gitops ${beta}`, `kubectl-airunway ${beta}`, `operator ${beta}`])
    // Who still applies the old version can, and what is left out goes, in either.
    await apply(object(alpha, { other: 'yes' }))
    expect((await listed(moving))[0]?.metadata.labels).toEqual({ other: 'yes' })
    await apply(object(alpha))
    expect((await listed(moving))[0]?.metadata.labels).toBeUndefined()
  })

  test('keeps integers that JavaScript does not have, in the definition and in the back-up', async () => {
    const moving = await new MovingKind(cluster, 'integers').define()
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${moving.name}`
    const raw = async (at: string): Promise<string> => (await cluster.client.raw({ method: 'GET', path: at })).text
    const written = (await raw(path)).replaceAll(
      '"size":{"type":"string"}',
      '"size":{"type":"string"},"big":{"type":"integer","format":"int64","default":9007199254740993}',
    )
    await cluster.client.raw({ method: 'PUT', path, body: written })
    await moving.change(({ spec }) => {
      for (const { name, schema } of spec.versions) {
        const fields = schema?.openAPIV3Schema?.['properties'] as Record<string, { properties: object }> | undefined
        if (name === 'v1beta1' && fields?.['spec']) fields['spec'].properties = { size: { type: 'string' } }
      }
    })
    const restored = (await raw(path)).replaceAll('9007199254740992', '9007199254740993')
    await cluster.client.raw({ method: 'PUT', path, body: restored })
    const objects = `/apis/${group}/v1alpha1/namespaces/default/${moving.plural}`
    const object = `{"apiVersion":"${group}/v1alpha1","kind":"${moving.kind}","metadata":{"name":"b"},"spec":{"big":9007199254740995}}`
    await eventually(
      async () => (await cluster.client.raw({ method: 'POST', path: objects, body: object })).status === 201,
    )
    const backupFile = join(tmpdir(), `airunway-integers-${process.pid}.json`)
    const acceptLoss = [`${moving.name}:^.spec.big=nobody reads it`]
    const options = { ...usual, storage: { [moving.name]: 'v1beta1' }, acceptLoss }
    const { run } = ran(await migrateDefinitions({ ...request, backupFile }, options))
    const saved = readFileSync(backupFile, 'utf8')
    rmSync(backupFile)
    expect(saved).toContain('"big":9007199254740995')
    const record = documentOf('RunRecord', await readRun({ ...request, number: run.number, now: new Date() }))
    expect(renderDocument(record, 'json')).toMatch(/"big": ?9007199254740995\b/)
    expect(renderDocument(record, 'yaml')).toMatch(/^ *big: 9007199254740995$/m)
    expect(await raw(path)).toContain('"default":9007199254740993')
  })

  test('takes losses by plurals too, and refuses names that there are not', async () => {
    const moving = await old('lossnames', 1)
    const notes = async (...acceptLoss: string[]) =>
      planned(await migrate(moving, { acceptLoss, dryRun: true })).plan.notes.join(' ')
    expect(await notes(`${moving.plural}:^.spec.none=r`)).toContain(`${moving.name}:^.spec.none was not needed: nobody`)
    for (const name of ['no.such.example.com', 'nosuchkind']) {
      const unknown = migrate(moving, { acceptLoss: [`${name}:^.spec.none=r`] })
      expect(await refusal(unknown)).toMatchObject({ kind: 'usage', message: expect.stringContaining(name) })
    }
    const twice = migrate(moving, { acceptLoss: [`${moving.plural}:^.spec.a=r`, `${moving.name}:^.spec.a=r`] })
    expect((await refusal(twice)).message).toContain('twice')
  })

  test('moves no storage version for a migrator that the cluster does not have', async () => {
    const asked = await (await new MovingKind(cluster, 'nomigrator').define()).write('w', 1)
    const handed = migrate(asked, { engine: 'in-tree', storage: { [asked.name]: 'v1beta1' } })
    expect(await refusal(handed)).toMatchObject({ kind: 'blocked', next: 'the same command without --engine in-tree' })
    expect(await asked.stored()).toEqual({ v1alpha1: 1 })
    expect(storageVersionOf(await cluster.client.get({ ...definitionKind, name: asked.name }))).toBe('v1alpha1')
  })
})
