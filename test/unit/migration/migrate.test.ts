/** What another process may go on from, how often it is kept, and what of a definition may change meanwhile. */
import { describe, expect, test } from 'vitest'
import { CheckpointKeeper, firstCheckpoint, whyStale } from '../../../src/migration/checkpoint.ts'
import type { MigrationCheckpoint, MigrationTarget } from '../../../src/migration/migration.types.ts'
import { KeptCheckpoints } from '../../support/migrating.ts'
import { target } from './pass-server.ts'

const firstLookAt = '2026-01-01T00:00:00.000Z'

describe('a checkpoint', () => {
  test('begins with what is known', () => {
    expect(firstCheckpoint(target, firstLookAt)).toMatchObject({
      uid: 'u',
      generation: 2,
      phase: 'settle',
      passes: [],
      firstLookAt,
    })
    expect(firstCheckpoint(target, firstLookAt)).not.toHaveProperty('flippedAt')
    expect(firstCheckpoint({ ...target, flippedAt: 'then' }, firstLookAt)).toMatchObject({ flippedAt: 'then' })
  })

  test.each<[string, Partial<MigrationTarget>, string]>([
    ['the same', {}, 'nothing'],
    ['trimmed meanwhile', { storedVersions: ['v1'] }, 'nothing'],
    ['made again', { uid: 'u2' }, 'made again'],
    ['flipped', { storageVersion: 'v1alpha1' }, 'storage version v1'],
    ['changed in its schema', { generation: 3, fingerprint: 'g' }, 'spec of the definition was changed'],
    ['changed in what it prints', { generation: 3 }, 'nothing'],
    ['changed twice while nobody looked, maybe there and back', { generation: 4 }, 'changed 2 times'],
    ['a stored version more', { storedVersions: ['v1alpha1', 'v1', 'v0'] }, 'has v0'],
  ])('of a definition that is %s', (_, changes, why) => {
    const checkpoint = firstCheckpoint(target, firstLookAt)
    expect(whyStale(checkpoint, { ...target, ...changes }) ?? 'nothing').toContain(why)
  })

  test('of a migration that is over is nothing to go on from, and none is none', async () => {
    const store = new KeptCheckpoints()
    const keeper = new CheckpointKeeper(store, () => 0)
    expect(await keeper.load(target)).toEqual({})
    const checkpoint: MigrationCheckpoint = { ...firstCheckpoint(target, firstLookAt), phase: 'prove' }
    await keeper.now(checkpoint)
    expect(await keeper.load(target)).toEqual({ checkpoint })
    expect(await keeper.load({ ...target, uid: 'u2' })).toEqual({ note: expect.stringContaining('done again') })
    await keeper.now({ ...checkpoint, phase: 'done' })
    expect(await keeper.load(target)).toEqual({})
  })

  test('of a place is kept at most every five seconds, the end of a phase at once', async () => {
    const store = new KeptCheckpoints()
    let now = 0
    const keeper = new CheckpointKeeper(store, () => now)
    const checkpoint = firstCheckpoint(target, firstLookAt)
    const kept: number[] = []
    for (now = 0; now <= 12_000; now += 1_000) {
      const before = store.saved.length
      await keeper.place(checkpoint)
      if (store.saved.length > before) kept.push(now)
    }
    expect(kept).toEqual([0, 5_000, 10_000])
    await keeper.now(checkpoint)
    expect(store.saved).toHaveLength(4)
    // What is kept does not change with what is done afterwards.
    checkpoint.phase = 'done'
    expect(store.saved.at(-1)?.phase).toBe('settle')
  })
})
