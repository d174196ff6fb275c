import { describe, expect, test } from 'vitest'
import { caseOf, casesOf, nameOf, parseCase, sample, shardOf } from '../../torture/cases.ts'

describe('cases of killed runs', () => {
  const every = casesOf({ kind: 'upgrade', tier: 'standby' }, 9)

  test('every write, moment and way has one, and its name says which', () => {
    expect(every.length).toBe(9 * 2 * 2)
    expect(new Set(every.map(nameOf)).size).toBe(every.length)
    expect(every.map(nameOf).map(parseCase)).toEqual(every)
  })

  test.each([
    '',
    'upgrade',
    'upgrade/standby/0/after/abort',
    'upgrade/standby/x/after/abort',
    'downgrade/standby/1/after/abort',
  ])('"%s" is no case', (name) => {
    expect(() => parseCase(name)).toThrow('is no case')
  })

  test('shards have all cases together, and none twice', () => {
    const shards = ['1/5', '2/5', '3/5', '4/5', '5/5'].map((shard) => shardOf(every, shard))
    expect(shards.flat().map(nameOf).toSorted()).toEqual(every.map(nameOf).toSorted())
    for (const shard of ['', '0/5', '6/5', 'a/b']) expect(() => shardOf(every, shard)).toThrow('is no shard')
  })

  test.each([1, 2, 77])('a sample (seed %i) has every combination, and the same for the same seed', (seed) => {
    const slots = sample(24, seed)
    expect(sample(24, seed)).toEqual(slots)
    expect(slots.length).toBe(24)
    const strata = Map.groupBy(slots, ({ kind, tier, when, way }) => `${kind} ${tier} ${when} ${way}`)
    expect(strata.size).toBe(16)
    for (const group of strata.values()) expect(group.length).toBeLessThanOrEqual(2)
    // Each sixth of a run has some.
    expect(new Set(slots.map(({ share }) => Math.floor(share * 6))).size).toBe(6)
    for (const slot of slots) {
      const { write } = caseOf(slot, 100)
      expect(write).toBeGreaterThanOrEqual(1)
      expect(write).toBeLessThanOrEqual(100)
    }
  })
})
