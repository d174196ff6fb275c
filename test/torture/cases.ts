/** Which runs are killed where, and how it goes on. Pure. */
import type { Tier } from '../../src/plan/plan.types.ts'

/** A run that can be killed: what it does, and by which tier. One line here is all that a new tier needs. */
export interface Trip {
  kind: 'upgrade' | 'rollback'
  tier: Tier
}

export const TIERS: readonly Tier[] = ['in-place', 'standby']

export interface Case extends Trip {
  /** 1 for the first write of the run */
  write: number
  /** `before`: the write never reached the API server; `after`: it did, and its answer never came back */
  when: 'before' | 'after'
  way: 'resume' | 'abort'
}

/** A case whose write is still a share of the writes that its trip has. */
export type Slot = Omit<Case, 'write'> & { share: number }

const KINDS = ['upgrade', 'rollback'] as const
const WHENS = ['before', 'after'] as const
const WAYS = ['resume', 'abort'] as const

export const trips = (tiers: readonly Tier[] = TIERS): Trip[] =>
  tiers.flatMap((tier) => KINDS.map((kind) => ({ kind, tier })))

/** The name that TORTURE_CASE takes. */
export const nameOf = ({ kind, tier, write, when, way }: Case): string => [kind, tier, write, when, way].join('/')

/** Throws Error for what is no case. */
export function parseCase(name: string): Case {
  const [kind, tier, write, when, way] = name.split('/')
  const found = {
    kind: KINDS.find((one) => one === kind),
    tier: TIERS.find((one) => one === tier),
    write: Number(write),
    when: WHENS.find((one) => one === when),
    way: WAYS.find((one) => one === way),
  }
  if (!found.kind || !found.tier || !found.when || !found.way || !(found.write >= 1))
    throw new Error(`"${name}" is no case; one is upgrade/in-place/57/after/abort`)
  return { kind: found.kind, tier: found.tier, write: found.write, when: found.when, way: found.way }
}

/** Every case of a trip that has so many writes. */
export const casesOf = (trip: Trip, writes: number): Case[] =>
  Array.from({ length: writes }, (_, index) => index + 1).flatMap((write) =>
    WHENS.flatMap((when) => WAYS.map((way) => ({ ...trip, write, when, way }))),
  )

/** The `index`-th of `of` parts (`2/8`: the second of eight); neighbours go to different parts. Throws Error for other text. */
export function shardOf<T>(cases: readonly T[], shard: string): T[] {
  const [index = 0, of = 0] = shard.split('/').map(Number)
  if (!(Number.isInteger(index) && Number.isInteger(of) && index >= 1 && index <= of))
    throw new Error(`"${shard}" is no shard; one is 2/8`)
  return cases.filter((_, position) => position % of === index - 1)
}

/** Steps of this size visit a range evenly, however many there are (the golden ratio). */
const EVENLY = 0.618033988749895

/**
 * So many cases by chance, the same for the same seed: each combination of trip, moment and way about equally often, and all
 * together spread evenly over the writes of a run.
 */
export function sample(count: number, seed: number, tiers: readonly Tier[] = TIERS): Slot[] {
  const chance = chanceOf(seed)
  const strata = trips(tiers).flatMap((trip) => WHENS.flatMap((when) => WAYS.map((way) => ({ ...trip, when, way }))))
  const begin = chance()
  const chosen: (typeof strata)[number][] = []
  while (chosen.length < count) chosen.push(...shuffled(strata, chance))
  return chosen.slice(0, count).map((stratum, index) => ({ ...stratum, share: (begin + index * EVENLY) % 1 }))
}

export const caseOf = ({ share, ...rest }: Slot, writes: number): Case => ({
  ...rest,
  write: Math.min(writes, 1 + Math.floor(share * writes)),
})

const shuffled = <T>(values: readonly T[], chance: () => number): T[] =>
  values
    .map((value) => ({ value, at: chance() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value)

/** mulberry32 */
const chanceOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
