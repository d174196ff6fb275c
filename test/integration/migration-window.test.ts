/**
 * The seconds in which a write from before a flip may land, really waited for: everywhere else they are a value that is given or
 * a clock that leaps. Both wait at the same time.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import { migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { ran, usual } from '../support/migrate-stories.ts'
import { MovingKind } from '../support/migrating.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the window are skipped: ${reason}\n`)

/** The API server's limit for writes. */
const limit = 34

describe.skipIf(!possible)('the proof begins when no write from before the flip can land any more', () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
  })
  afterAll(() => cluster?.stop())
  const define = async (plural: string): Promise<MovingKind> =>
    (await new MovingKind(cluster, plural).define()).write('w', 10)

  test.concurrent('counted from the flip, where the run itself has set the storage version', async ({ expect }) => {
    const known = await define('knowns')
    const began = Date.now()
    const options = { ...usual, storage: { [known.name]: 'v1beta1' }, lateWriteSeconds: undefined }
    const { migrated } = ran(await migrateDefinitions(changeRequest(cluster), options))
    expect(Date.now() - began).toBeGreaterThanOrEqual(limit * 1000)
    expect(migrated).toMatchObject([{ outcome: 'migrated', passes: [{ rewritten: 10 }, { unchanged: 10 }] }])
    const { secondsAfterFlip = 0, startedAt = '' } = migrated?.[0]?.proof ?? {}
    expect(secondsAfterFlip).toBeGreaterThanOrEqual(limit)
    // It does not wait for longer than it has to.
    expect(secondsAfterFlip).toBeLessThan(limit + 6)
    expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(began + limit * 1000)
    expect(await known.stored()).toEqual({ v1beta1: 10 })
    expect(await known.storedVersions()).toEqual(['v1beta1'])
  })

  test.concurrent('counted from the first look, where nobody knows when it was set', async ({ expect }) => {
    const unknown = await (await define('unknowns')).flip()
    const target = await unknown.target()
    expect(target.flippedAt).toBeUndefined()
    const began = Date.now()
    const result = await migrateDefinition(cluster.client, target, { limits: { maxInFlight: 8 } })
    expect(result).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 10 }, { unchanged: 10 }] })
    expect(result.proof).not.toHaveProperty('secondsAfterFlip')
    const afterLook = Date.parse(result.proof?.startedAt ?? '') - began
    expect(afterLook).toBeGreaterThanOrEqual(limit * 1000)
    expect(afterLook).toBeLessThan((limit + 6) * 1000)
    expect(await unknown.stored()).toEqual({ v1beta1: 10 })
    expect(await unknown.storedVersions()).toEqual(['v1beta1'])
  })
})
