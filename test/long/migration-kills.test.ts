/**
 * Migrations of 5,000 objects, each killed in another place and gone on with. The seed is in the title; MIGRATION_SEED takes
 * another one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { MovingKind } from '../support/migrating.ts'
import { begin, migrateUntilKilled, runKill, type Stage } from '../torture/killed-migration.ts'
import { type Part, pointsIn, seedFrom, sizesOf, titleOf } from '../torture/migration-points.ts'

const OBJECTS = 5_000
const seed = seedFrom(process.env['MIGRATION_SEED'])
/** Few writes are not of objects, and most of them decide what the next process does. */
const points = pointsIn(
  { begun: 1, flip: 2, noted: 1, rewrite: 4, place: 2, rewritten: 1, proof: 3, proved: 2, trim: 2, recorded: 2 },
  seed,
)

describe.skipIf(!clusterTestsPossible().possible)(
  `${points.length} migrations that are killed (MIGRATION_SEED=${seed})`,
  () => {
    let cluster: ControlPlane
    let stage: Stage
    let sizes: Map<Part, number>
    beforeAll(async () => {
      cluster = await startControlPlane({ nodes: [] })
      const kind = await (await new MovingKind(cluster, 'killed').define()).write('w', OBJECTS)
      stage = { cluster, kind, objects: OBJECTS }
      const { writes } = await migrateUntilKilled(await begin(stage))
      sizes = sizesOf(writes, { definition: kind.name, objects: OBJECTS })
    })
    afterAll(() => cluster?.stop())

    test.each(points.map((point) => [titleOf(point), point] as const))(
      'killed %s, it comes to the same',
      async (_, point) => {
        expect(await runKill(stage, point, sizes)).toBe('')
      },
    )
  },
)
