/** Migrations that are killed, interfered with, refused and left without answers, on a real API server. */
import { describe, expect, test } from 'vitest'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import { storageVersionHash } from '../../src/migration/settle.ts'
import { clusterTestsPossible, eventually } from '../support/control-plane.ts'
import { type Proxied, statusBody } from '../support/fault-proxy.ts'
import { definitionKind, group, KeptCheckpoints, LeapingClock, MovingKind } from '../support/migrating.ts'
import { isPage, isTrim, isWrite, proxiedCluster } from '../support/proxied-cluster.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of broken migrations are skipped: ${reason}\n`)

describe.skipIf(!possible)('a migration that is disturbed', () => {
  const at = proxiedCluster()
  /** Does something once, before the so many-eth request of a kind is passed on. */
  const before = (number: number, of: (request: Proxied) => boolean, act: () => Promise<unknown>): void => {
    let seen = 0
    at.proxy.fault = async (request) => {
      if (!of(request)) return undefined
      seen += 1
      if (seen === number) await act()
      return undefined
    }
  }

  test('the storage version is flipped back in the middle: it ends, and trims nothing', async () => {
    const flipped = await at.old('flipped', 120)
    before(40, isWrite, () => flipped.flip('v1alpha1'))
    const result = await at.migrate(flipped)
    expect(result).toMatchObject({ outcome: 'changed meanwhile', reason: expect.stringContaining('v1alpha1') })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(await flipped.storedVersions()).toEqual(expect.arrayContaining(['v1alpha1', 'v1beta1']))
    // What it says of the new storage version has to be found out anew.
    expect(await at.migrate(flipped, {}, { flippedAt: undefined })).toMatchObject({
      outcome: 'migrated',
      storageVersion: 'v1alpha1',
    })
    expect(await flipped.stored()).toEqual({ v1alpha1: 120 })
  })

  test('flipped there and back between the passes: a generation is never the same again', async () => {
    const twice = await at.old('twices', 20)
    before(2, isPage, async () => {
      await twice.flip('v1alpha1')
      await twice.flip('v1beta1')
    })
    expect(await at.migrate(twice)).toMatchObject({ outcome: 'changed meanwhile' })
    expect(await twice.storedVersions()).toHaveLength(2)
  })

  test('the definition is deleted and made again in the middle', async () => {
    const made = await at.old('mades', 60)
    before(20, isWrite, async () => {
      await at.cluster.client.delete({ ...definitionKind, name: made.name })
      await eventually(async () => (await at.cluster.client.find({ ...definitionKind, name: made.name })) === undefined)
      await new MovingKind(at.cluster, 'mades').define()
    })
    expect(await at.migrate(made)).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringMatching(/deleted|made again|storage version/),
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
  })

  test('killed between pages, another process goes on there and comes to the same', async () => {
    const killed = await at.old('killeds', 1_050)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(700, isWrite, async () => control.abort(new Error('killed')))
    await expect(at.migrate(killed, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    const place = checkpoints.saved.at(-1)?.place
    expect(place?.continue).toBeDefined()
    expect(place?.counts).toMatchObject({ rewritten: 500 })
    const sent = at.proxy.requests.length
    const result = await at.migrate(killed, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ failed: 0 }, { rewritten: 0, unchanged: 1_050 }],
      proof: { pass: 2 },
    })
    // Those of the page that was done are not asked about again before the proof.
    const [first] = result.passes
    expect((first?.rewritten ?? 0) + (first?.unchanged ?? 0)).toBe(1_050)
    const writes = Map.groupBy(at.proxy.requests.slice(sent).filter(isWrite), ({ path }) => path)
    expect([...writes.values()].filter(({ length }) => length === 1)).toHaveLength(500)
    expect(await killed.stored()).toEqual({ v1beta1: 1_050 })
    expect(await killed.storedVersions()).toEqual(['v1beta1'])
  })

  test('a checkpoint of another generation is not gone on from', async () => {
    const stale = await at.old('stales', 30)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(10, isWrite, async () => control.abort(new Error('killed')))
    await expect(at.migrate(stale, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    at.proxy.fault = () => undefined
    await stale.flip('v1alpha1')
    await stale.flip('v1beta1')
    const result = await at.migrate(stale, { checkpoints }, { flippedAt: undefined })
    expect(result).toMatchObject({ outcome: 'migrated', notes: [expect.stringContaining('spec of the definition')] })
    expect(await stale.stored()).toEqual({ v1beta1: 30 })
  })

  test('killed between proof and trim: the proof stands, and the next process trims on it', async () => {
    const proved = await at.old('proveds', 15)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    at.proxy.fault = (request) => {
      if (!isTrim(request)) return undefined
      control.abort(new Error('killed'))
      return 'lost'
    }
    await expect(at.migrate(proved, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    expect(checkpoints.saved.at(-1)).toMatchObject({ phase: 'trim', passes: [{ rewritten: 15 }, { unchanged: 15 }] })
    expect(await proved.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
    at.proxy.fault = () => undefined
    const sent = at.proxy.requests.length
    expect(await at.migrate(proved, { checkpoints })).toMatchObject({
      outcome: 'migrated',
      proof: { pass: 2, objects: 15 },
    })
    expect(at.proxy.requests.slice(sent).filter(isWrite)).toEqual([])
    expect(await proved.storedVersions()).toEqual(['v1beta1'])
  })

  test('killed before the proof: nothing is trimmed until there is one', async () => {
    const unproved = await at.old('unproveds', 15)
    const checkpoints = new KeptCheckpoints()
    const control = new AbortController()
    before(2, isPage, async () => control.abort(new Error('killed')))
    await expect(at.migrate(unproved, { checkpoints, signal: control.signal })).rejects.toThrow('killed')
    // Between the two processes somebody writes as before the flip.
    await unproved.storeOld('w-3')
    const result = await at.migrate(unproved, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 15 }, { rewritten: 1 }, { rewritten: 0 }],
    })
    expect(await unproved.stored()).toEqual({ v1beta1: 15 })
  })

  test('an object is deleted in the middle', async () => {
    const going = await at.old('goings', 40)
    before(5, isWrite, () => at.cluster.client.delete(going.reference('w-39')))
    const { outcome, passes } = await at.migrate(going)
    expect(outcome).toBe('migrated')
    expect(passes).toMatchObject([{ gone: 1, rewritten: 39 }, { unchanged: 39 }])
  })

  test('a policy refuses at the main endpoint only: the way is /status', async () => {
    const denied = await at.old('denieds', 12)
    await refuseUpdates('no-denieds', 'denieds')
    expect(await at.migrate(denied)).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 12, throughStatus: 12 }, {}],
    })
    expect(await denied.stored()).toEqual({ v1beta1: 12 })
  })

  test('a policy refuses both: nothing is trimmed, and it says who', async () => {
    const refused = await at.old('refuseds', 6)
    await refuseUpdates('no-refuseds', 'refuseds', 'refuseds/status')
    const checkpoints = new KeptCheckpoints()
    const result = await at.migrate(refused, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('6 by policy no-refuseds'),
      passes: [{ failed: 6, rewritten: 0 }],
      removable: [],
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(await refused.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])

    // Once the policy is gone, the next run looks at all of them again.
    const policies = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' }
    await at.cluster.client.delete({ ...policies, name: 'no-refuseds' })
    await eventually(() => at.cluster.client.patch(refused.reference('w-0'), {}, { type: 'merge', dryRun: true }))
    expect(await at.migrate(refused, { checkpoints })).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 6 }, {}],
    })
  })

  /** Waits until the API server knows the policy as well. */
  const refuseUpdates = async (name: string, plural: string, ...more: string[]): Promise<void> => {
    const kind = new MovingKind(at.cluster, plural)
    const registration = 'admissionregistration.k8s.io/v1'
    const rules = [{ apiGroups: [group], apiVersions: ['*'], operations: ['UPDATE'], resources: [plural, ...more] }]
    await at.cluster.client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'false', message: 'not now' }],
      },
    })
    await at.cluster.client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    })
    await eventually(async () => {
      const look = { type: 'merge' as const, dryRun: true }
      const accepted = await at.cluster.client.patch(kind.reference('w-0'), {}, look).then(
        () => true,
        () => false,
      )
      return !accepted
    })
  }

  test('410 in the middle of the list, and a storm of 429', async () => {
    const stormy = await at.old('stormies', 1_020)
    let pages = 0
    let writes = 0
    at.proxy.fault = (request) => {
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
    const result = await at.migrate(stormy)
    expect(result).toMatchObject({ outcome: 'migrated', proof: { objects: 1_020 } })
    expect(result.passes.every(({ failed }) => failed === 0)).toBe(true)
    expect(await stormy.stored()).toEqual({ v1beta1: 1_020 })
  })

  test.each<'lost' | 'carried out and lost'>(['lost', 'carried out and lost'])(
    'the answer to the trim is %s: what is read back decides',
    async (fault) => {
      const torn = await at.old(`torn${fault.length}s`, 3)
      let lost = 0
      at.proxy.fault = (request) => {
        if (!isTrim(request) || lost > 0) return undefined
        lost += 1
        return fault
      }
      expect(await at.migrate(torn)).toMatchObject({ outcome: 'migrated', after: { storedVersions: ['v1beta1'] } })
      expect(at.proxy.requests.filter(isTrim)).toHaveLength(fault === 'lost' ? 2 : 1)
      expect(await torn.storedVersions()).toEqual(['v1beta1'])
    },
  )

  test('somebody writes the definition just before the trim: it looks again', async () => {
    const touched = await at.old('toucheds', 3)
    const label = { metadata: { labels: { touched: 'yes' } } }
    before(1, isTrim, () =>
      at.cluster.client.patch({ ...definitionKind, name: touched.name }, label, { type: 'merge' }),
    )
    expect(await at.migrate(touched)).toMatchObject({ outcome: 'migrated' })
    expect(at.proxy.requests.filter(isTrim)).toHaveLength(2)
    expect((await touched.read()).metadata.labels).toEqual({ touched: 'yes' })
  })

  test('the trim is refused: it says why, and what was done is told', async () => {
    const barred = await at.old('barreds', 3)
    at.proxy.fault = (request) =>
      isTrim(request) ? { status: 403, body: statusBody(403, 'cannot patch it', { reason: 'Forbidden' }) } : undefined
    const result = await at.migrate(barred)
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('cannot patch it'),
      passes: [{ rewritten: 3 }, { unchanged: 3 }],
      after: { storedVersions: ['v1alpha1', 'v1beta1'] },
    })
    expect(at.proxy.requests.filter(isTrim)).toHaveLength(1)
  })

  test('somebody changes its spec just before the trim: it is not trimmed', async () => {
    const spoiled = await at.old('spoileds', 3)
    before(1, isTrim, () =>
      spoiled.change(({ spec }) => {
        for (const { schema } of spec.versions)
          Object.assign(schema?.openAPIV3Schema?.['properties'] ?? {}, { colour: { type: 'string' } })
      }),
    )
    expect(await at.migrate(spoiled)).toMatchObject({ outcome: 'changed meanwhile' })
    expect(await spoiled.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
  })

  test('an API server that is behind: it waits for it, and counts the window from then on', async () => {
    const behind = await at.old('behinds', 4)
    const target = await behind.target()
    let answers = 0
    let lastBehind = 0
    const clock = new LeapingClock()
    at.proxy.fault = (request) => {
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
    const result = await migrateDefinition(at.client, target, { limits, now: clock.now, wait: clock.wait })
    expect(result).toMatchObject({ outcome: 'migrated' })
    expect(answers).toBe(10)
    expect(Date.parse(result.proof?.startedAt ?? '')).toBeGreaterThanOrEqual(lastBehind + 35_000)
    const asked = at.proxy.requests.filter(({ path }) => path === `/apis/${group}/v1beta1`)
    expect(new Set(asked.map(({ connection }) => connection)).size).toBe(10)
  })

  test.each([
    ['while it is broken', 2],
    ['afterwards', 4],
  ])('the watch of the definition breaks again and again, and a flip %s is noticed', async (_, from) => {
    const watched = await at.old(`watcheds${from}`, 60)
    let watches = 0
    let written = 0
    at.proxy.fault = async (request) => {
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
    expect(await at.migrate(watched)).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringContaining('v1alpha1 now'),
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(watches).toBeGreaterThanOrEqual(from)
  })
})
