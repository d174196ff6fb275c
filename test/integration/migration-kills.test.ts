/**
 * Migrations that are killed, at points that chance picks in three of their parts; and between proof and trim, while others
 * go on writing. The seed is in the title; MIGRATION_SEED takes another one. `npm run test:long` has every part.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { MovingKind } from '../support/migrating.ts'
import { begin, goOn, leftOf, migrateUntilKilled, runKill, type Stage } from '../torture/killed-migration.ts'
import {
  isObjectWrite,
  isTrim,
  type Part,
  type Point,
  pointsIn,
  seedFrom,
  sizesOf,
  titleOf,
} from '../torture/migration-points.ts'

const OBJECTS = 500
const seed = seedFrom(process.env['MIGRATION_SEED'])
const points = pointsIn({ rewrite: 1, proof: 1, proved: 1 }, seed)

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of killed migrations are skipped: ${reason}\n`)

describe.skipIf(!possible)(`migrations that are killed (MIGRATION_SEED=${seed})`, () => {
  let cluster: ControlPlane
  let stage: Stage
  let sizes: Map<Part, number>
  const holding = async (plural: string, objects: number): Promise<Stage> => ({
    cluster,
    objects,
    kind: await (await new MovingKind(cluster, plural).define()).write('w', objects),
  })
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    stage = await holding('killed', OBJECTS)
    const small = await holding('small', 1)
    const { writes } = await migrateUntilKilled(await begin(small))
    sizes = sizesOf(writes, { definition: small.kind.name, objects: 1 })
    for (const part of ['rewrite', 'proof'] as const) sizes.set(part, OBJECTS)
  })
  afterAll(() => cluster?.stop())

  test.each(points.map((point) => [titleOf(point), point] as const))(
    'killed %s, it comes to the same',
    async (_, point) => {
      expect(await runKill(stage, point, sizes)).toBe('')
    },
  )

  /** Killed there, with what it left, `meanwhile` somebody did something, and what the next process sent then. */
  const killedAt = async (plural: string, point: Point, meanwhile: (kind: MovingKind) => Promise<unknown>) => {
    const begun = await begin(await holding(plural, 40))
    const moved = { definition: begun.kind.name, objects: begun.objects }
    await migrateUntilKilled(begun, { point, sizes })
    const left = await leftOf(begun)
    expect(left.storedVersions).toEqual(['v1alpha1', 'v1beta1'])
    await meanwhile(begun.kind)
    const wentOn = await goOn(begun, left)
    const writes = wentOn?.writes ?? []
    const trims = writes.filter((write) => isTrim(write, moved))
    const [trimmed] = trims
    return {
      ...begun,
      left,
      migrated: wentOn?.report.migrated?.[0],
      trims: trims.length,
      written: writes.filter((write) => isObjectWrite(write, moved)).length,
      writtenBeforeTrim: writes.filter((write) => isObjectWrite(write, moved) && write.number < (trimmed?.number ?? 0))
        .length,
    }
  }

  test('killed when all was proved and nothing of it recorded: what was stored as before since is found first', async () => {
    const story = await killedAt('unproved', { part: 'proved', share: 0, when: 'before' }, async (kind) => {
      for (const name of ['w-3', 'w-17', 'w-39']) await kind.storeOld(name)
    })
    expect(story.left.checkpoint).toMatchObject({ phase: 'prove', passes: [{ rewritten: 40 }] })
    expect(story.migrated).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 40 }, { rewritten: 3, unchanged: 37 }, { rewritten: 0, unchanged: 40 }],
      proof: { pass: 3, objects: 40 },
    })
    expect(story).toMatchObject({ trims: 1, written: 80, writtenBeforeTrim: 80 })
    expect(await story.kind.stored()).toEqual({ v1beta1: 40 })
    expect(await story.kind.storedVersions()).toEqual(['v1beta1'])
  })

  test('killed between proof and trim: the proof stands, for whatever was written since is stored as it says', async () => {
    const story = await killedAt('proved', { part: 'trim', share: 0, when: 'before' }, async (kind) => {
      const old = {
        ...kind.reference('w-3'),
        apiVersion: kind.reference('w-3').apiVersion.replace('v1beta1', 'v1alpha1'),
      }
      await cluster.client.patch(old, { spec: { size: 'xl' } }, { type: 'merge' })
      await kind.write('new', 2)
    })
    expect(story.left.checkpoint).toMatchObject({ phase: 'trim', passes: [{ rewritten: 40 }, { unchanged: 40 }] })
    expect(story.migrated).toMatchObject({ outcome: 'migrated', proof: { pass: 2, objects: 40 } })
    expect(story).toMatchObject({ trims: 1, written: 0 })
    expect(await story.kind.stored()).toEqual({ v1beta1: 42 })
    expect(await story.kind.storedVersions()).toEqual(['v1beta1'])
  })

  test('killed between proof and trim, and the storage version was another one since: it is proved anew', async () => {
    const story = await killedAt('restored', { part: 'trim', share: 0, when: 'before' }, async (kind) => {
      await kind.flip('v1alpha1')
      await cluster.client.patch(kind.reference('w-3'), { spec: { size: 'xl' } }, { type: 'merge' })
      await kind.flip('v1beta1')
      expect(await kind.stored()).toEqual({ v1alpha1: 1, v1beta1: 39 })
    })
    expect(story.left.checkpoint).toMatchObject({ phase: 'trim' })
    expect(story.migrated).toMatchObject({
      outcome: 'migrated',
      passes: [
        { rewritten: 1, unchanged: 39 },
        { rewritten: 0, unchanged: 40 },
      ],
      notes: [expect.stringContaining('spec of the definition was changed')],
    })
    expect(story).toMatchObject({ trims: 1, written: 80, writtenBeforeTrim: 80 })
    expect(await story.kind.stored()).toEqual({ v1beta1: 40 })
    expect(await story.kind.storedVersions()).toEqual(['v1beta1'])
  })
})
