/** Properties over random cases. A seed names its case: the same seed gives the same case everywhere. */
import { expect, test } from 'vitest'

export interface Chance {
  /** a whole number from 0 to below this */
  below(limit: number): number
  flip(): boolean
  pick<T>(choices: readonly T[]): T
  /** in half of the cases nothing */
  maybe<T>(make: () => T): T | undefined
  /** up to `most` of them, none included */
  several<T>(most: number, make: () => T): T[]
  text(): string
}

/** Something that holds for every case that chance can make; throws where it does not. */
export interface Property {
  title: string
  holds: (chance: Chance) => void | Promise<void>
}

const texts = ['', 'a', 'B c', 'nvidia.com/gpu', 'ünïcode ✓ 𝄞', '"quoted", \\ and so on', '{}', 'line\nbreak']

/** mulberry32 */
export function chanceOf(seed: number): Chance {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <T>(choices: readonly T[]): T => {
    if (choices.length === 0) throw new Error('there is no choice')
    return choices[below(choices.length)] as T
  }
  return {
    below,
    pick,
    flip: () => next() < 0.5,
    maybe: (make) => (next() < 0.5 ? make() : undefined),
    several: (most, make) => Array.from({ length: below(most + 1) }, make),
    text: () => pick(texts),
  }
}

export interface Cases {
  /** of the first case; each further one has the next */
  seed: number
  cases: number
}

/** What the unit tests try of a property: always the same cases, so that they never fail by chance. */
const shortForm: Cases = { seed: 1, cases: 1000 }

/** One test for each property. A failure names the seed of its case. */
export function testProperties(properties: readonly Property[], { seed, cases }: Cases = shortForm): void {
  for (const { title, holds } of properties) {
    test(`${title} (from SEED=${seed})`, async () => {
      let tried = 0
      for (; tried < cases; tried++) await tryCase(holds, seed + tried)
      expect(tried).toBe(cases)
    })
  }
}

async function tryCase(holds: Property['holds'], seed: number): Promise<void> {
  try {
    await holds(chanceOf(seed))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`with SEED=${seed}: ${message}`, { cause: error })
  }
}

/** The fields that have a value. */
export const defined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
