/** Migrations on a real API server; what became of the objects is read in etcd itself. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import type { MigrateOptions } from '../../src/migration/migrate.types.ts'
import type { MigrationResult } from '../../src/migration/migration.types.ts'
import { settle, storageVersionHash } from '../../src/migration/settle.ts'
import { bringVersionsBack, repairOf } from '../../src/migration/unreadable.ts'
import { revisionNow } from '../bench/migrate/stored-bytes.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { writtenSince } from '../support/etcd-bytes.ts'
import { beginWrite, group, KeptCheckpoints, LeapingClock, MovingKind } from '../support/migrating.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the migration are skipped: ${reason}\n`)

describe.skipIf(!possible)('a migration', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    client = cluster.client
  })
  afterAll(() => cluster?.stop())

  const define = (plural: string) => new MovingKind(cluster, plural).define()
  const longAgo = (): string => new Date(Date.now() - 3_600_000).toISOString()
  /** As a command would, in no time: waits are leapt over. */
  const migrate = async (
    kind: MovingKind,
    options: Partial<MigrateOptions> = {},
    flippedAt?: string,
  ): Promise<MigrationResult> => {
    const { now, wait } = new LeapingClock()
    return migrateDefinition(client, await kind.target(flippedAt), {
      limits: { maxInFlight: 8 },
      now,
      wait,
      ...options,
    })
  }

  test('moves 300 objects in both versions, proves it by a pass that begins late enough, and trims', async () => {
    const widgets = await (await define('widgets')).write('old', 200)
    await (await widgets.flip()).write('new', 100)
    expect(await widgets.stored()).toEqual({ v1alpha1: 200, v1beta1: 100 })
    const flippedAt = new Date().toISOString()
    const checkpoints = new KeptCheckpoints()
    const result = await migrate(widgets, { checkpoints }, flippedAt)
    expect(result).toMatchObject({
      outcome: 'migrated',
      before: { storedVersions: ['v1alpha1', 'v1beta1'] },
      after: { storedVersions: ['v1beta1'] },
      passes: [
        { rewritten: 200, unchanged: 100, gone: 0, failed: 0 },
        { rewritten: 0, unchanged: 300, gone: 0, failed: 0 },
      ],
      proof: { pass: 2, objects: 300 },
      removable: ['v1alpha1'],
    })
    expect(result.proof?.secondsAfterFlip).toBeGreaterThanOrEqual(34)
    expect(result.requests).toBeLessThanOrEqual(2 * 300 + 2 + 20)
    expect(await widgets.stored()).toEqual({ v1beta1: 300 })
    expect(await widgets.storedVersions()).toEqual(['v1beta1'])
    expect(checkpoints.saved.at(-1)?.phase).toBe('done')

    // The version may go now, and everything can still be read.
    await widgets.change(({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name !== 'v1alpha1')
    })
    expect(await eventually(() => client.list({ apiVersion: `${group}/v1beta1`, kind: widgets.kind }))).toHaveLength(
      300,
    )
  })

  test('writes nothing at current objects, and one pass is enough where the flip is old', async () => {
    const current = await (await define('currents')).flip()
    await current.write('w', 30)
    const before = await revisionNow(cluster.etcdUrl)
    const result = await migrate(current, {}, longAgo())
    expect(result).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 0, unchanged: 30 }], proof: { pass: 1 } })
    expect(await writtenSince(cluster.etcdUrl, current.prefix, before)).toBe(0)
    expect(await migrate(current, {}, longAgo())).toMatchObject({ outcome: 'nothing to do', passes: [], requests: 0 })
  })

  test('does not take its first pass for a proof where the flip is not known', async () => {
    const unknown = await (await define('unknowns')).flip()
    await unknown.write('w', 3)
    const began = Date.now()
    const { passes, proof } = await migrate(unknown)
    expect(passes).toMatchObject([{ unchanged: 3 }, { unchanged: 3 }])
    expect(Date.parse(proof?.startedAt ?? '')).toBeGreaterThanOrEqual(began + 34_000)
    expect(proof).not.toHaveProperty('secondsAfterFlip')
  })

  test('the window is a value', async () => {
    const windowed = await (await define('windowed')).write('w', 2)
    await windowed.flip()
    const began = Date.now()
    const { proof } = await migrate(windowed, { window: 100 })
    expect(Date.parse(proof?.startedAt ?? '')).toBeGreaterThanOrEqual(began + 100_000)
  })

  test('trims where there are no objects', async () => {
    const empty = await (await define('empties')).flip()
    expect(await migrate(empty)).toMatchObject({ outcome: 'migrated', proof: { pass: 2, objects: 0 } })
    expect(await empty.storedVersions()).toEqual(['v1beta1'])
  })

  test('migrates to a storage version that is not served', async () => {
    const hidden = await (await define('hidden')).write('w', 20)
    await hidden.flip()
    await hidden.change(({ spec }) => {
      for (const version of spec.versions) version.served = version.name === 'v1alpha1'
    })
    expect(await migrate(hidden, {}, longAgo())).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 20 }, {}] })
    expect(await hidden.stored()).toEqual({ v1beta1: 20 })
  })

  test('looks where storedVersions was trimmed by hand, if asked', async () => {
    const claimed = await (await define('claimed')).write('w', 10)
    await claimed.flip()
    await claimed.claim(['v1beta1'])
    expect(await migrate(claimed)).toMatchObject({ outcome: 'nothing to do', passes: [] })
    expect(await claimed.stored()).toEqual({ v1alpha1: 10 })
    const result = await migrate(claimed, { force: true })
    expect(result).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 10 }, { unchanged: 10 }] })
    expect(await claimed.stored()).toEqual({ v1beta1: 10 })
  })

  test('finds what an API server that is behind has written after the first pass, and waits anew', async () => {
    const late = await (await define('lates')).write('w', 30)
    await late.flip()
    // Written when the first pass and, once more, when the one that should have been the proof is over.
    const checkpoints = new KeptCheckpoints()
    const save = checkpoints.save.bind(checkpoints)
    checkpoints.save = async (checkpoint) => {
      if (checkpoint.phase !== 'trim' && checkpoint.place === undefined && [1, 2].includes(checkpoint.passes.length)) {
        const ended = checkpoint.passes.length
        if (checkpoints.saved.every(({ passes }) => passes.length < ended)) await late.storeOld(`w-${ended}`)
      }
      await save(checkpoint)
    }
    const result = await migrate(late, { checkpoints })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 30 }, { rewritten: 1 }, { rewritten: 1 }, { rewritten: 0 }],
      proof: { pass: 4 },
    })
    const [, second, third, fourth] = result.passes.map(({ startedAt }) => Date.parse(startedAt))
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(34_000)
    expect((fourth ?? 0) - (third ?? 0)).toBeGreaterThanOrEqual(34_000)
    expect(await late.stored()).toEqual({ v1beta1: 30 })
  })

  test('finds a write that began before the flip and lands in the old version after the first pass', async () => {
    const torn = await (await define('torns')).write('w', 30)
    const path = `/apis/${group}/v1beta1/namespaces/default/${torn.plural}/w-7`
    const slow = await beginWrite(cluster, path, '{"metadata":{"labels":{"late":"yes"}}}')
    await torn.flip()
    const checkpoints = new KeptCheckpoints()
    const save = checkpoints.save.bind(checkpoints)
    const landed: unknown[] = []
    checkpoints.save = async (checkpoint) => {
      if (checkpoint.passes.length === 1 && landed.length === 0) landed.push(await slow.end(), await torn.stored())
      await save(checkpoint)
    }
    const result = await migrate(torn, { checkpoints })
    expect(landed).toEqual([200, { v1alpha1: 1, v1beta1: 29 }])
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 30 }, { rewritten: 1 }, { rewritten: 0 }],
    })
    expect(await torn.stored()).toEqual({ v1beta1: 30 })
  })

  test('renames managers of a version that goes, and proves it without', async () => {
    const managed = await (await define('managed')).write('w', 5)
    for (let index = 0; index < 5; index++) {
      const ref = { ...managed.reference(`w-${index}`), apiVersion: `${group}/v1alpha1` }
      await client.patch(ref, { metadata: { labels: { a: 'b' } } }, { type: 'merge', fieldManager: 'older' })
    }
    await managed.flip()
    const result = await migrate(managed, { staleVersions: ['v1alpha1'] })
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 5, managersMoved: 5 }, { unchanged: 5 }],
    })
    const { metadata } = await client.get(managed.reference('w-0'))
    expect(metadata.managedFields?.map(({ apiVersion }) => apiVersion)).not.toContain(`${group}/v1alpha1`)
  })

  test('API servers say in discovery what they store in, over connections of their own', async () => {
    const hashed = await (await define('hashes')).write('w', 1)
    const target = await hashed.target()
    expect(target.storageVersion).toBe('v1alpha1')
    const read = async (): Promise<string | undefined> => {
      const { text } = await client.raw({ method: 'GET', path: `/apis/${group}/v1beta1`, fresh: true })
      const { resources } = JSON.parse(text) as { resources: { name: string; storageVersionHash?: string }[] }
      return resources.find(({ name }) => name === hashed.plural)?.storageVersionHash
    }
    expect(await read()).toBe(storageVersionHash(group, 'v1alpha1', hashed.kind))
    const { now, wait } = new LeapingClock()
    expect(await settle(client, target, { now, wait })).toMatchObject({ settled: true, servers: 1 })
    // What it would see of a server that is behind: it never settles.
    const ahead = { ...target, storageVersion: 'v1beta1' }
    expect(await settle(client, ahead, { now, wait })).toMatchObject({ settled: false })
    await hashed.flip()
    await eventually(async () => (await read()) === storageVersionHash(group, 'v1beta1', hashed.kind))
  })

  test('repairs a kind whose objects nobody can read, and its version may go for good', async () => {
    const lost = await (await define('losts')).write('w', 12)
    await lost.flip()
    await lost.claim(['v1beta1'])
    const drop = () =>
      lost.change(({ spec }) => {
        spec.versions = spec.versions.filter(({ name }) => name !== 'v1alpha1')
      })
    await drop()
    const list = async (): Promise<AnyObject[]> => client.list({ apiVersion: `${group}/v1beta1`, kind: lost.kind })
    await eventually(() =>
      list()
        .then(() => false)
        .catch((error: Error) => error.message.includes('invalid group/version')),
    )
    const stuck = await migrate(lost, { force: true })
    expect(stuck).toMatchObject({
      outcome: 'failures left',
      stopped: 'unreadable',
      after: { storedVersions: ['v1beta1'] },
    })

    const repair = repairOf(await lost.read(), ['v1alpha1'])
    if (repair === undefined) throw new Error('it needs one')
    const repaired = await bringVersionsBack(client, repair)
    expect(repaired.status?.storedVersions?.toSorted()).toEqual(['v1alpha1', 'v1beta1'])
    expect(await eventually(list)).toHaveLength(12)
    await expect(drop()).rejects.toThrow('v1alpha1')
    // A second time finds nothing to do.
    const again = await bringVersionsBack(client, repair)
    expect(again.metadata.resourceVersion).toBe(repaired.metadata.resourceVersion)

    expect(await migrate(lost)).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 12 }, { unchanged: 12 }] })
    expect(await lost.stored()).toEqual({ v1beta1: 12 })
    await drop()
    const objects = await eventually(list)
    expect(objects.map(({ spec }) => spec)).toEqual(Array.from({ length: 12 }, () => ({ size: 'l' })))
  })

  test('says that the cluster has no migrator of its own', async () => {
    const handed = await (await define('handed')).write('w', 1)
    await handed.flip()
    const result = await migrate(handed, { engine: 'in-tree' })
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('no migrator'),
      passes: [],
    })
    expect(await handed.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
  })
})
