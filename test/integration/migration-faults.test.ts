/** Migrations that are killed, interfered with, refused and left without answers, on a real API server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import type { MigrateOptions } from '../../src/migration/migrate.types.ts'
import type { MigrationResult } from '../../src/migration/migration.types.ts'
import { storageVersionHash } from '../../src/migration/settle.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { type FaultProxy, type Proxied, startFaultProxy, statusBody } from '../support/fault-proxy.ts'
import { definitionKind, group, KeptCheckpoints, LeapingClock, MovingKind } from '../support/migrating.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of broken migrations are skipped: ${reason}\n`)

const isWrite = ({ method, path }: Proxied): boolean => method === 'PATCH' && path.startsWith(`/apis/${group}/`)
const isTrim = ({ method, path }: Proxied): boolean =>
  method === 'PATCH' && path.includes('/customresourcedefinitions/')
const isPage = ({ method, path, query }: Proxied): boolean =>
  method === 'GET' && path.startsWith(`/apis/${group}/`) && query.has('limit')

describe.skipIf(!possible)('a migration that is disturbed', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  let proxy: FaultProxy
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    proxy = await startFaultProxy(cluster.kubeconfig)
    client = await connect({ kubeconfig: proxy.kubeconfig }, { env: {} })
  })
  afterEach(async () => {
    await client.close()
    await proxy.close()
  })

  /** A kind with objects in the old version, the flip long over. */
  const old = async (plural: string, objects: number): Promise<MovingKind> =>
    (await (await new MovingKind(cluster, plural).define()).write('w', objects)).flip()
  const longAgo = (): string => new Date(Date.now() - 3_600_000).toISOString()
  const migrate = async (
    kind: MovingKind,
    options: Partial<MigrateOptions> = {},
    flippedAt: string | undefined = longAgo(),
  ): Promise<MigrationResult> => {
    const { now, wait } = new LeapingClock()
    return migrateDefinition(client, await kind.target(flippedAt), {
      limits: { maxInFlight: 8 },
      now,
      wait,
      ...options,
    })
  }
  /** Does something once, before the so many-eth request of a kind is passed on. */
  const before = (number: number, of: (request: Proxied) => boolean, act: () => Promise<unknown>): void => {
    let seen = 0
    proxy.fault = async (request) => {
      if (!of(request)) return undefined
      seen += 1
      if (seen === number) await act()
      return undefined
    }
  }

  test('the storage version is flipped back in the middle: it ends, and trims nothing', async () => {
    const flipped = await old('flipped', 120)
    before(40, isWrite, () => flipped.flip('v1alpha1'))
    const result = await migrate(flipped)
    expect(result).toMatchObject({ outcome: 'changed meanwhile', reason: expect.stringContaining('v1alpha1') })
    expect(proxy.requests.filter(isTrim)).toEqual([])
    expect(await flipped.storedVersions()).toEqual(expect.arrayContaining(['v1alpha1', 'v1beta1']))
    // What it says of the new storage version has to be found out anew.
    expect(await migrate(flipped, {}, undefined)).toMatchObject({ outcome: 'migrated', storageVersion: 'v1alpha1' })
    expect(await flipped.stored()).toEqual({ v1alpha1: 120 })
  })

  test('flipped there and back between the passes: a generation is never the same again', async () => {
    const twice = await old('twices', 20)
    before(2, isPage, async () => {
      await twice.flip('v1alpha1')
      await twice.flip('v1beta1')
    })
    expect(await migrate(twice)).toMatchObject({ outcome: 'changed meanwhile' })
    expect(await twice.storedVersions()).toHaveLength(2)
  })

  test('the definition is deleted and made again in the middle', async () => {
    const made = await old('mades', 60)
    before(20, isWrite, async () => {
      await cluster.client.delete({ ...definitionKind, name: made.name })
      await eventually(async () => (await cluster.client.find({ ...definitionKind, name: made.name })) === undefined)
      await new MovingKind(cluster, 'mades').define()
    })
    expect(await migrate(made)).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringMatching(/deleted|made again|storage version/),
    })
    expect(proxy.requests.filter(isTrim)).toEqual([])
  })

  test('killed between pages, another process goes on there and comes to the same', async () => {
    const killed = await old('killeds', 1_050)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(700, isWrite, async () => control.abort(new Error('killed')))
    await expect(migrate(killed, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    const place = checkpoints.saved.at(-1)?.place
    expect(place?.continue).toBeDefined()
    expect(place?.counts).toMatchObject({ rewritten: 500 })
    const sent = proxy.requests.length
    const result = await migrate(killed, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ failed: 0 }, { rewritten: 0, unchanged: 1_050 }],
      proof: { pass: 2 },
    })
    // Those of the page that was done are not asked about again before the proof.
    const [first] = result.passes
    expect((first?.rewritten ?? 0) + (first?.unchanged ?? 0)).toBe(1_050)
    const writes = Map.groupBy(proxy.requests.slice(sent).filter(isWrite), ({ path }) => path)
    expect([...writes.values()].filter(({ length }) => length === 1)).toHaveLength(500)
    expect(await killed.stored()).toEqual({ v1beta1: 1_050 })
    expect(await killed.storedVersions()).toEqual(['v1beta1'])
  })

  test('a checkpoint of another generation is not gone on from', async () => {
    const stale = await old('stales', 30)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(10, isWrite, async () => control.abort(new Error('killed')))
    await expect(migrate(stale, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    proxy.fault = () => undefined
    await stale.flip('v1alpha1')
    await stale.flip('v1beta1')
    const result = await migrate(stale, { checkpoints }, undefined)
    expect(result).toMatchObject({ outcome: 'migrated', notes: [expect.stringContaining('spec of the definition')] })
    expect(await stale.stored()).toEqual({ v1beta1: 30 })
  })

  test('killed between proof and trim: the proof stands, and the next process trims on it', async () => {
    const proved = await old('proveds', 15)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    proxy.fault = (request) => {
      if (!isTrim(request)) return undefined
      control.abort(new Error('killed'))
      return 'lost'
    }
    await expect(migrate(proved, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    expect(checkpoints.saved.at(-1)).toMatchObject({ phase: 'trim', passes: [{ rewritten: 15 }, { unchanged: 15 }] })
    expect(await proved.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
    proxy.fault = () => undefined
    const sent = proxy.requests.length
    expect(await migrate(proved, { checkpoints })).toMatchObject({
      outcome: 'migrated',
      proof: { pass: 2, objects: 15 },
    })
    expect(proxy.requests.slice(sent).filter(isWrite)).toEqual([])
    expect(await proved.storedVersions()).toEqual(['v1beta1'])
  })

  test('killed before the proof: nothing is trimmed until there is one', async () => {
    const unproved = await old('unproveds', 15)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(2, isPage, async () => control.abort(new Error('killed')))
    await expect(migrate(unproved, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    // Between the two processes somebody writes as before the flip.
    await unproved.storeOld('w-3')
    const result = await migrate(unproved, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 15 }, { rewritten: 1 }, { rewritten: 0 }],
    })
    expect(await unproved.stored()).toEqual({ v1beta1: 15 })
  })

  test('an object is deleted in the middle', async () => {
    const going = await old('goings', 40)
    before(5, isWrite, () => cluster.client.delete(going.reference('w-39')))
    const { outcome, passes } = await migrate(going)
    expect(outcome).toBe('migrated')
    expect(passes).toMatchObject([{ gone: 1, rewritten: 39 }, { unchanged: 39 }])
  })

  test('a policy refuses at the main endpoint only: the way is /status', async () => {
    const denied = await old('denieds', 12)
    await refuseUpdates('no-denieds', 'denieds')
    expect(await migrate(denied)).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 12, throughStatus: 12 }, {}],
    })
    expect(await denied.stored()).toEqual({ v1beta1: 12 })
  })

  test('a policy refuses both: nothing is trimmed, and it says who', async () => {
    const refused = await old('refuseds', 6)
    await refuseUpdates('no-refuseds', 'refuseds', 'refuseds/status')
    const checkpoints = new KeptCheckpoints()
    const result = await migrate(refused, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('6 by policy no-refuseds'),
      passes: [{ failed: 6, rewritten: 0 }],
      removable: [],
    })
    expect(proxy.requests.filter(isTrim)).toEqual([])
    expect(await refused.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])

    // Once the policy is gone, the next run looks at all of them again.
    const policies = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' }
    await cluster.client.delete({ ...policies, name: 'no-refuseds' })
    await eventually(() => cluster.client.patch(refused.reference('w-0'), {}, { type: 'merge', dryRun: true }))
    expect(await migrate(refused, { checkpoints })).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 6 }, {}],
    })
  })

  /** Waits until the API server knows the policy as well. */
  const refuseUpdates = async (name: string, plural: string, ...more: string[]): Promise<void> => {
    const kind = new MovingKind(cluster, plural)
    const registration = 'admissionregistration.k8s.io/v1'
    const rules = [{ apiGroups: [group], apiVersions: ['*'], operations: ['UPDATE'], resources: [plural, ...more] }]
    await cluster.client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'false', message: 'not now' }],
      },
    })
    await cluster.client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    })
    await eventually(async () => {
      const look = { type: 'merge' as const, dryRun: true }
      const accepted = await cluster.client.patch(kind.reference('w-0'), {}, look).then(
        () => true,
        () => false,
      )
      return !accepted
    })
  }

  test('410 in the middle of the list, and a storm of 429', async () => {
    const stormy = await old('stormies', 1_020)
    let pages = 0
    let writes = 0
    proxy.fault = (request) => {
      if (isPage(request) && request.query.has('continue')) {
        pages += 1
        if (pages === 1) return { status: 410, body: statusBody(410, 'The provided continue parameter is too old') }
      }
      if (isWrite(request)) {
        writes += 1
        if (writes % 100 < 5) return { status: 429, body: statusBody(429, 'too many'), headers: { 'retry-after': '0' } }
      }
      return undefined
    }
    const result = await migrate(stormy)
    expect(result).toMatchObject({ outcome: 'migrated', proof: { objects: 1_020 } })
    expect(result.passes.every(({ failed }) => failed === 0)).toBe(true)
    expect(await stormy.stored()).toEqual({ v1beta1: 1_020 })
  })

  test.each<'lost' | 'carried out and lost'>(['lost', 'carried out and lost'])(
    'the answer to the trim is %s: what is read back decides',
    async (fault) => {
      const torn = await old(`torn${fault.length}s`, 3)
      let lost = 0
      proxy.fault = (request) => {
        if (!isTrim(request) || lost > 0) return undefined
        lost += 1
        return fault
      }
      expect(await migrate(torn)).toMatchObject({ outcome: 'migrated', after: { storedVersions: ['v1beta1'] } })
      expect(proxy.requests.filter(isTrim)).toHaveLength(fault === 'lost' ? 2 : 1)
      expect(await torn.storedVersions()).toEqual(['v1beta1'])
    },
  )

  test('somebody writes the definition just before the trim: it looks again', async () => {
    const touched = await old('toucheds', 3)
    const label = { metadata: { labels: { touched: 'yes' } } }
    before(1, isTrim, () => cluster.client.patch({ ...definitionKind, name: touched.name }, label, { type: 'merge' }))
    expect(await migrate(touched)).toMatchObject({ outcome: 'migrated' })
    expect(proxy.requests.filter(isTrim)).toHaveLength(2)
    expect((await touched.read()).metadata.labels).toEqual({ touched: 'yes' })
  })

  test('the trim is refused: it says why, and what was done is told', async () => {
    const barred = await old('barreds', 3)
    proxy.fault = (request) =>
      isTrim(request) ? { status: 403, body: statusBody(403, 'cannot patch it', { reason: 'Forbidden' }) } : undefined
    const result = await migrate(barred)
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('cannot patch it'),
      passes: [{ rewritten: 3 }, { unchanged: 3 }],
      after: { storedVersions: ['v1alpha1', 'v1beta1'] },
    })
    expect(proxy.requests.filter(isTrim)).toHaveLength(1)
  })

  test('somebody changes its spec just before the trim: it is not trimmed', async () => {
    const spoiled = await old('spoileds', 3)
    before(1, isTrim, () =>
      spoiled.change(({ spec }) => {
        for (const { schema } of spec.versions)
          Object.assign(schema?.openAPIV3Schema?.['properties'] ?? {}, { colour: { type: 'string' } })
      }),
    )
    expect(await migrate(spoiled)).toMatchObject({ outcome: 'changed meanwhile' })
    expect(await spoiled.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
  })

  test('an API server that is behind: it waits for it, and counts the window from then on', async () => {
    const behind = await old('behinds', 4)
    const target = await behind.target()
    let answers = 0
    let lastBehind = 0
    const clock = new LeapingClock()
    proxy.fault = (request) => {
      if (request.path !== `/apis/${group}/v1beta1`) return undefined
      answers += 1
      if (answers > 8 || answers % 2 === 0) return undefined
      lastBehind = clock.now()
      const hash = storageVersionHash(group, 'v1alpha1', behind.kind)
      return {
        status: 200,
        body: { kind: 'APIResourceList', resources: [{ name: behind.plural, storageVersionHash: hash }] },
      }
    }
    const limits = { maxInFlight: 8 }
    const result = await migrateDefinition(client, target, { limits, now: clock.now, wait: clock.wait })
    expect(result).toMatchObject({ outcome: 'migrated' })
    expect(answers).toBe(10)
    expect(Date.parse(result.proof?.startedAt ?? '')).toBeGreaterThanOrEqual(lastBehind + 35_000)
    const asked = proxy.requests.filter(({ path }) => path === `/apis/${group}/v1beta1`)
    expect(new Set(asked.map(({ connection }) => connection)).size).toBe(10)
  })

  test.each([
    ['while it is broken', 2],
    ['afterwards', 4],
  ])('the watch of the definition breaks again and again, and a flip %s is noticed', async (_, from) => {
    const watched = await old(`watcheds${from}`, 60)
    let watches = 0
    let written = 0
    proxy.fault = async (request) => {
      if (request.query.get('watch') === 'true') {
        watches += 1
        if (watches < 4) return watches === 2 ? expired : 'lost'
      }
      if (isWrite(request)) {
        written += 1
        if (written === 30) {
          await eventually(() => watches >= from)
          await watched.flip('v1alpha1')
        }
      }
      return undefined
    }
    const expired = { status: 410, body: statusBody(410, 'too old resource version', { reason: 'Expired' }) }
    expect(await migrate(watched)).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringContaining('v1alpha1 now'),
    })
    expect(proxy.requests.filter(isTrim)).toEqual([])
    expect(watches).toBeGreaterThanOrEqual(from)
  })
})
