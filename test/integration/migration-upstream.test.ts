/**
 * Real definitions of operators on a real API server: their objects move with the next release, go on being read and applied when
 * the old version has left the definition; and what a release drops without a conversion is named, kept, and brought back.
 * The definitions are other projects' files and not in this repository: where they do not lie beside it, this is skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, CustomResourceDefinition, ObjectReference } from '../../src/kubernetes/objects.ts'
import type { LossReport } from '../../src/migration/survey.types.ts'
import { memoryFolder } from '../../src/playground/playground.ts'
import { documentOf } from '../../src/report/documents.ts'
import { renderDocument } from '../../src/report/render.ts'
import { exportRun, readRun } from '../../src/services/export-run.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { prefixOf, storedVersionsUnder } from '../support/etcd-bytes.ts'
import { ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind } from '../support/migrating.ts'
import { contentsOf, placeOf, versionsOfManagers } from '../support/object-contents.ts'
import { alike, definitionsAbsent, objectOf, ragengines, type UpstreamKind } from '../support/upstream-kinds.ts'
import { withoutConflict } from '../support/without-conflict.ts'

if (definitionsAbsent !== undefined) process.stderr.write(`skipped: ${definitionsAbsent}\n`)

const page = join(import.meta.dirname, '..', '..', 'docs', 'migration.md')
const TEAMS = ['team-a', 'team-b']
const KEEP = 'example.com/keep'

describe.skipIf(definitionsAbsent !== undefined || !clusterTestsPossible().possible)('definitions of operators', () => {
  let cluster: ControlPlane
  let request: ChangeRequest
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-upstream-'))
    cluster = await startControlPlane({ nodes: [] })
    request = { ...changeRequest(cluster), requestLimitMs: 300 }
    for (const team of TEAMS) kubectl(['create', 'namespace', team])
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const kubectl = (args: string[], input = ''): string =>
    execFileSync('kubectl', args, { env: cluster.env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] })
  const migrate = async (options: Partial<MigrateOptions>, more: Partial<ChangeRequest> = {}): Promise<RunReport> =>
    ran(await migrateDefinitions({ ...request, ...more }, { ...usual, ...options }))

  const definition = async ({ name }: UpstreamKind): Promise<CustomResourceDefinition> =>
    cluster.client.get<CustomResourceDefinition>({ ...definitionKind, name })
  const isServed = async ({ group, plural }: UpstreamKind, version: string): Promise<boolean> =>
    (await cluster.client.raw({ method: 'GET', path: `/apis/${group}/${version}/${plural}?limit=1` })).status === 200
  /** As it is installed: the next one stores another version from then on. */
  const install = async (kind: UpstreamKind, file: string, version: string): Promise<void> => {
    kubectl(['apply', '--server-side', '-f', file])
    const discovered = async () => cluster.client.findResource(`${kind.group}/${version}`, kind.kind)
    await eventually(async () => (await isServed(kind, version)) && (await discovered()) !== undefined)
  }
  const stored = async ({ group, plural }: UpstreamKind): Promise<Record<string, number>> =>
    storedVersionsUnder(cluster.etcdUrl, prefixOf(group, plural))
  const listed = async ({ group, kind }: UpstreamKind, version: string): Promise<AnyObject[]> =>
    cluster.client.list({ apiVersion: `${group}/${version}`, kind })
  const contents = async ({ group, kind }: UpstreamKind, version: string): Promise<Record<string, unknown>> =>
    contentsOf(cluster.client, `${group}/${version}`, kind)
  const at = ({ group, kind }: UpstreamKind, version: string, place: string): ObjectReference => {
    const [namespace = '', name = ''] = place.split('/')
    return { apiVersion: `${group}/${version}`, kind, namespace, name }
  }
  const apply = async (fieldManager: string, object: AnyObject): Promise<AnyObject> =>
    cluster.client.apply(object, { fieldManager, force: false })

  /** What is applied of an object by whom: by two, by kubectl in the old way, and one that is being deleted. */
  const written = (kind: UpstreamKind, version: string, namespace: string, fields = kind.fields) => {
    const object = (name: string, more: object = {}): AnyObject =>
      objectOf(kind, version, { name, namespace, labels: { team: namespace }, ...more }, fields)
    return {
      applied: object('applied'),
      shared: object('shared'),
      beside: objectOf(kind, version, { name: 'shared', namespace, labels: { tuned: 'yes' } }, {}),
      byKubectl: object('by-kubectl'),
      created: object('created'),
      going: object('going', { finalizers: [KEEP] }),
    }
  }

  const write = async (kind: UpstreamKind, version: string, namespace: string): Promise<void> => {
    const { applied, shared, beside, byKubectl, created, going } = written(kind, version, namespace)
    for (const object of [applied, shared, going]) await apply('gitops', object)
    await apply('tuner', beside)
    kubectl(['apply', '-f', '-'], JSON.stringify(byKubectl))
    await cluster.client.create(created, { fieldManager: 'console' })
    for (const object of [applied, shared, byKubectl, created, going])
      await cluster.client.patch(
        at(kind, version, placeOf(object)),
        { status: kind.status },
        { type: 'merge', subresource: 'status', fieldManager: 'operator' },
      )
    await cluster.client.delete(at(kind, version, placeOf(going)))
  }

  const change = async (kind: UpstreamKind, edit: (found: CustomResourceDefinition) => void): Promise<void> =>
    withoutConflict(async () => {
      const found = await definition(kind)
      edit(found)
      await cluster.client.replace(found)
    })

  /** Takes the version out of the definition, as the report of a migration says; returns when the API server is without it. */
  const withdraw = async (kind: UpstreamKind, gone: string, stays: string): Promise<RunReport> => {
    await change(kind, ({ spec }) => {
      for (const version of spec.versions) if (version.name === gone) version.served = false
    })
    await eventually(async () => !(await isServed(kind, gone)))
    const again = await migrate({ names: [kind.name], forceScan: true })
    await change(kind, ({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name !== gone)
      // Whoever answers with this column answers by the new definition.
      for (const version of spec.versions)
        version['additionalPrinterColumns'] = [{ name: 'Alone', type: 'date', jsonPath: '.metadata.creationTimestamp' }]
    })
    await eventually(async () => {
      const { columns } = await cluster.client.table({ apiVersion: `${kind.group}/${stays}`, kind: kind.kind })
      return columns.some((column) => column.toLowerCase() === 'alone')
    })
    return again
  }

  test.each(alike)('$name, $releases: the old version leaves, and every object is what it was', async (kind) => {
    const [from, to] = kind.versions
    await install(kind, kind.files[0], from)
    for (const team of TEAMS) await write(kind, from, team)
    const before = await contents(kind, from)
    expect(Object.keys(before)).toHaveLength(10)
    await install(kind, kind.files[1], to)
    expect(await stored(kind)).toEqual({ [`${kind.group}/${from}`]: 10 })

    const report = await migrate({ names: [kind.name] })
    expect(report.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: 10 }, removable: [from] }])
    expect(await stored(kind)).toEqual({ [`${kind.group}/${to}`]: 10 })
    expect((await definition(kind)).status?.storedVersions).toEqual([to])
    for (const version of kind.versions) expect(await contents(kind, version)).toEqual(before)

    const again = await withdraw(kind, from, to)
    // In each namespace gitops three times, tuner, kubectl, console, and the operator five times: those of objects that the
    // first migration knew to be old, and then the rest.
    const moved = [report, again].flatMap(({ migrated = [] }) => migrated.flatMap(({ passes }) => passes))
    expect(moved.reduce((sum, { managersMoved }) => sum + managersMoved, 0)).toBe(22)
    expect((await definition(kind)).spec.versions.map(({ name }) => name)).toEqual([to])
    expect(await contents(kind, to)).toEqual(before)
    expect(versionsOfManagers(await listed(kind, to))).toEqual(new Set([`${kind.group}/${to}`]))
    await expectOwners(kind, to, before)
  })

  /** Who applied it before can do so now: the same again changes nothing, and what is left out goes. */
  const expectOwners = async (kind: UpstreamKind, version: string, before: Record<string, unknown>): Promise<void> => {
    for (const team of TEAMS) {
      const { applied, shared, beside, byKubectl, going } = written(kind, version, team)
      for (const object of [applied, shared, going]) await apply('gitops', object)
      await apply('tuner', beside)
      kubectl(['apply', '-f', '-'], JSON.stringify(byKubectl))
    }
    expect(await contents(kind, version)).toEqual(before)
    for (const team of TEAMS) {
      const fewer = written(kind, version, team, kind.fewer)
      await apply('gitops', fewer.applied)
      await apply('gitops', fewer.shared)
      kubectl(['apply', '-f', '-'], JSON.stringify(fewer.byKubectl))
      for (const object of [fewer.applied, fewer.shared, fewer.byKubectl]) {
        const live = await cluster.client.get<AnyObject>(at(kind, version, placeOf(object)))
        for (const [field, value] of Object.entries(kind.fewer)) expect(live[field]).toEqual(value)
        expect(live['status']).toEqual(kind.status)
        expect(live.metadata.labels).toMatchObject(object === fewer.shared ? { tuned: 'yes' } : { team })
      }
      await cluster.client.patch(
        at(kind, version, placeOf(fewer.going)),
        { metadata: { finalizers: [] } },
        { type: 'merge' },
      )
    }
    const left = (await listed(kind, version)).map(placeOf)
    expect(left.filter((place) => place.endsWith('/going'))).toEqual([])
    expect(left).toHaveLength(8)
  }

  const [ALPHA, BETA] = ragengines.versions
  /** The fields that v1beta1 lacks, and who has them. */
  const lost: Record<string, string[]> = {
    'spec.storage.mountPath': ['team-a/gone', 'team-a/on-disk', 'team-b/both'],
    'spec.storage.persistentVolumeClaim': ['team-a/gone', 'team-a/on-disk', 'team-b/both', 'team-b/going'],
    'spec.indexServiceName': ['team-a/named', 'team-b/both'],
    'spec.queryServiceName': ['team-a/named'],
  }
  const engines: Record<string, object> = {
    'team-a/gone': { storage: { mountPath: '/gone', persistentVolumeClaim: 'gone' } },
    'team-a/named': { indexServiceName: 'index', queryServiceName: 'query' },
    'team-a/on-disk': { storage: { mountPath: '/data', persistentVolumeClaim: 'vectors' } },
    'team-b/both': { indexServiceName: 'both', storage: { mountPath: '/both', persistentVolumeClaim: 'both' } },
    'team-b/going': { storage: { persistentVolumeClaim: 'going' } },
    'team-b/plain': {},
  }
  const engine = (place: string, version: string, more: object = {}): AnyObject => {
    const { namespace = '', name } = at(ragengines, version, place)
    return objectOf(ragengines, version, { name, namespace }, { spec: { ...engineSpec, ...more } })
  }
  const engineSpec = ragengines.fields['spec'] as object
  const specs = async (version: string): Promise<Record<string, unknown>> =>
    Object.fromEntries((await listed(ragengines, version)).map((each) => [placeOf(each), each['spec']]))
  const acceptLoss = Object.keys(lost).map((path) => `${ragengines.name}:^.${path}=set anew by hand`)
  const give = (up: readonly string[]): Partial<MigrateOptions> => ({ names: [ragengines.name], acceptLoss: [...up] })
  const bytes = (version: string): Record<string, number> => ({ [`${ragengines.group}/${version}`]: 6 })
  const backupFile = (): string => join(folder, 'ragengines.json')

  /** What the page says how to do, done by a shell in this folder. */
  const asDocumented = (name: string, cwd: string): { status: number | null; stderr: string } => {
    const [, script] = readFileSync(page, 'utf8').split(`<!-- restore: ${name} -->\n\`\`\`sh\n`)
    if (script === undefined) throw new Error(`the page does not say how to restore ${name}`)
    const { status, stderr } = spawnSync('sh', ['-c', script.slice(0, script.indexOf('```'))], {
      cwd,
      env: cluster.env,
      encoding: 'utf8',
    })
    return { status, stderr }
  }

  test('RAGEngine, v0.8.0 to v0.9.0: stops with the fields that would be lost, and gives them up by name', async () => {
    await install(ragengines, ragengines.files[0], ALPHA)
    for (const [place, more] of Object.entries(engines)) await apply('gitops', engine(place, ALPHA, more))
    const going = at(ragengines, ALPHA, 'team-b/going')
    await cluster.client.patch(going, { metadata: { finalizers: [KEEP] } }, { type: 'merge' })
    await cluster.client.delete(going)
    const before = await contents(ragengines, ALPHA)
    await install(ragengines, ragengines.files[1], BETA)

    const refused = await refusal(migrateDefinitions(request, { ...usual, ...give([]) }))
    expect(refused).toMatchObject({ kind: 'blocked', message: expect.stringContaining('4 fields') })
    const { losses } = refused.details as { losses: LossReport[] }
    const named = losses.flatMap(({ fields }) => fields).filter(({ objects }) => objects > 0)
    expect(Object.fromEntries(named.map(({ path, examples }) => [path, examples.map(nameOf).toSorted()]))).toEqual(lost)
    for (const [path, places] of Object.entries(lost)) {
      expect(refused.why).toContain(`${ragengines.name}:^.${path} in v1alpha1: ${places.length} object`)
      expect(refused.next).toContain(`--accept-loss '${ragengines.name}:^.${path}=REASON'`)
    }
    const [one, ...others] = acceptLoss
    const still = await refusal(migrateDefinitions(request, { ...usual, ...give(others) }))
    expect(still).toMatchObject({ kind: 'blocked', message: expect.stringContaining('1 field') })
    expect(`${one}`).toContain(/'([^=']+)=REASON'/.exec(still.next ?? '')?.[1])
    expect(await stored(ragengines)).toEqual(bytes(ALPHA))
    expect(await contents(ragengines, ALPHA)).toEqual(before)

    const report = await migrate(give(acceptLoss), { backupFile: backupFile() })
    expect(report.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: 6 } }])
    expect(await stored(ragengines)).toEqual(bytes(BETA))
    expect((await definition(ragengines)).status?.storedVersions).toEqual([BETA])
    const left = Object.entries(engines).map(([place, more]) => [
      place,
      { ...engineSpec, ...('storage' in more && { storage: {} }) },
    ])
    expect(await specs(ALPHA)).toEqual(Object.fromEntries(left))
    expect(await specs(BETA)).toEqual(await specs(ALPHA))
  })

  /** Who reads the page has it; who works on this project need not. */
  const withJq = spawnSync('sh', ['-c', 'command -v jq']).status === 0 ? ['jq'] : []

  test.each(withJq)('what was given up comes back where it was, with the old version', async () => {
    expect(asDocumented('program', folder)).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(page, 'utf8')).toContain(`kubectl airunway migrate --storage ${ragengines.name}=${ALPHA}`)
    await migrate({ storage: { [ragengines.name]: ALPHA } })
    expect(await stored(ragengines)).toEqual(bytes(ALPHA))
    const { status, stderr } = asDocumented('as before', folder)
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Warning: '))).toEqual([])
    expect(status).toBe(0)
    const whole = Object.entries(engines).map(([place, more]) => [place, { ...engineSpec, ...more }])
    expect(await specs(ALPHA)).toEqual(Object.fromEntries(whole))
    // Whoever writes it in the version that lacks them takes them again.
    const named = at(ragengines, BETA, 'team-a/named')
    await cluster.client.patch(named, { metadata: { labels: { written: 'yes' } } }, { type: 'merge' })
    expect((await specs(ALPHA))['team-a/named']).toEqual(engineSpec)
  })

  /** What v1alpha1 lacks is not applied where it is named, and a plain patch of it makes the API server forget all managers. */
  const expectNotYet = async (): Promise<void> => {
    const spec = { storage: { persistentVolume: { persistentVolumeClaim: 'new' } } }
    const { namespace = '', name } = at(ragengines, BETA, 'team-a/on-disk')
    const applied = apply('newcomer', objectOf(ragengines, BETA, { name, namespace }, { spec }))
    await expect(applied).rejects.toThrow('field not declared in schema')
    const plain = at(ragengines, BETA, 'team-b/plain')
    const patched = await cluster.client.patch(plain, { spec }, { type: 'merge' })
    expect(patched.metadata.managedFields ?? []).toEqual([])
  }

  test.each(withJq)('what was given up goes to its new place, and nowhere else', async () => {
    const { run } = await migrate({ ...give(acceptLoss), storage: { [ragengines.name]: BETA } })
    expect(await stored(ragengines)).toEqual(bytes(BETA))
    rmSync(backupFile())
    const record = await readRun({ ...request, number: run.number, now: new Date() })
    await exportRun(record, backupFile(), renderDocument(documentOf('RunRecord', record), 'json'))

    await expectNotYet()
    expect(asDocumented('not served', folder).status).toBe(0)
    await eventually(async () => !(await isServed(ragengines, ALPHA)))
    const unseen = await refusal(migrateDefinitions(request, { ...usual, ...give([]), forceScan: true }))
    expect(unseen.why).toContain('v1alpha1 is not served, so nobody can see which objects have these fields')
    expect(unseen.next).not.toContain('backed up')
    await migrate({ ...give(acceptLoss), forceScan: true })

    const recreated = engine('team-a/gone', BETA)
    await cluster.client.delete(at(ragengines, BETA, 'team-a/gone'))
    await cluster.client.create(recreated)
    const set = { storage: { persistentVolume: { mountPath: '/new', persistentVolumeClaim: 'both' } } }
    await cluster.client.patch(at(ragengines, BETA, 'team-b/both'), { spec: set }, { type: 'merge' })
    const others = await specs(BETA)

    const { status, stderr } = asDocumented('elsewhere', folder)
    expect(status).toBe(1)
    expect(stderr).toContain('"gone" is invalid: metadata.uid')
    expect(stderr).toContain('.spec.storage.persistentVolume.mountPath')
    expect(await specs(BETA)).toEqual({
      ...others,
      'team-a/on-disk': {
        ...engineSpec,
        storage: { persistentVolume: { mountPath: '/data', persistentVolumeClaim: 'vectors' } },
      },
      'team-b/going': { ...engineSpec, storage: { persistentVolume: { persistentVolumeClaim: 'going' } } },
    })
    expect(others).toMatchObject({ 'team-b/both': set, 'team-a/gone': engineSpec })
  })
})

const nameOf = ({ namespace, name }: { namespace?: string; name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`
