/** Where a migration is killed: in which part of its writes, and how far into that one. Pure. */
import { type Chance, chanceOf } from '../support/seeded.ts'
import type { Write } from '../support/write-proxy.ts'

/**
 * The parts of a migration that sets another storage version first, by its writes:
 *
 * - `begun`: lock and records, until the definition is written
 * - `flip`: the one write that sets the storage version
 * - `noted`: records, until the first object is written
 * - `rewrite`, `proof`: the first and the second write of all objects
 * - `place`: records while objects are written
 * - `rewritten`: records between the two passes
 * - `proved`: records between the last object and the trim
 * - `trim`: the one write of status.storedVersions
 * - `recorded`: records and the lock, to the end
 */
export type Part =
  | 'begun'
  | 'flip'
  | 'noted'
  | 'rewrite'
  | 'place'
  | 'rewritten'
  | 'proof'
  | 'proved'
  | 'trim'
  | 'recorded'

/** What is migrated. */
export interface Moved {
  /** `plural.group` */
  definition: string
  objects: number
}

/** Where to kill. */
export interface Point {
  part: Part
  /** how far into the part: from 0 to below 1 */
  share: number
  when: 'before' | 'after'
}

type Sent = Pick<Write, 'method' | 'path'>

/** A write of an object of the definition. */
export const isObjectWrite = ({ method, path }: Sent, { definition }: Pick<Moved, 'definition'>): boolean => {
  const [plural, ...group] = definition.split('.')
  return method === 'PATCH' && path.startsWith(`/apis/${group.join('.')}/`) && path.includes(`/${plural}/`)
}

/** The write that sets the storage version. */
export const isFlip = ({ method, path }: Sent, { definition }: Pick<Moved, 'definition'>): boolean =>
  method === 'PUT' && path.endsWith(`/customresourcedefinitions/${definition}`)

/** The write of status.storedVersions. */
export const isTrim = ({ method, path }: Sent, { definition }: Pick<Moved, 'definition'>): boolean =>
  method === 'PATCH' && path.endsWith(`/customresourcedefinitions/${definition}/status`)

/** Tells of the writes of one migration, given in their order, in which part each is, and its number there from 1. */
export function partsOf(moved: Moved): (write: Sent) => { part: Part; number: number } {
  const seen = new Map<Part, number>()
  const count = (part: Part): number => seen.get(part) ?? 0
  const partOf = (write: Sent): Part => {
    if (isTrim(write, moved)) return 'trim'
    if (isFlip(write, moved)) return 'flip'
    if (isObjectWrite(write, moved)) return count('rewrite') < moved.objects ? 'rewrite' : 'proof'
    if (count('trim') > 0) return 'recorded'
    if (count('proof') === moved.objects) return 'proved'
    if (count('proof') > 0) return 'place'
    if (count('rewrite') === moved.objects) return 'rewritten'
    if (count('rewrite') > 0) return 'place'
    return count('flip') > 0 ? 'noted' : 'begun'
  }
  return (write) => {
    const part = partOf(write)
    seen.set(part, count(part) + 1)
    return { part, number: count(part) }
  }
}

/** How many writes a migration has in each part. */
export function sizesOf(writes: readonly Sent[], moved: Moved): Map<Part, number> {
  const tell = partsOf(moved)
  return new Map(writes.map(tell).map(({ part, number }) => [part, number]))
}

/** The write that a point names. What of a part depends on the time that the run took is named a little earlier. */
export function numberAt({ part, share }: Point, sizes: ReadonlyMap<Part, number>): number {
  const size = sizes.get(part) ?? 0
  if (size === 0) throw new Error(`an undisturbed migration has no write that is "${part}"`)
  const sure = part === 'place' ? Math.ceil(size / 2) : size
  return 1 + Math.floor(share * sure)
}

/** Points in these parts, the same for the same seed: those of one part spread over it, before and after a write in turns. */
export function pointsIn(parts: Partial<Record<Part, number>>, seed: number): Point[] {
  const chance = chanceOf(seed)
  return Object.entries(parts).flatMap(([part, count]) => {
    const begin = fraction(chance)
    const first = chance.below(2)
    return Array.from({ length: count }, (_, index) => ({
      part: part as Part,
      share: (index + begin) / count,
      when: (index + first) % 2 === 0 ? ('before' as const) : ('after' as const),
    }))
  })
}

const fraction = (chance: Chance): number => chance.below(1_000_000) / 1_000_000

/** As the title of a test. */
export const titleOf = ({ part, share, when }: Point): string =>
  `${when} a write of its part "${part}", ${Math.round(share * 100)} % of the way`

/** Of an environment variable, or of the moment. Throws Error for what is no number. */
export function seedFrom(value: string | undefined): number {
  const seed = Number(value ?? Math.floor(Date.now() / 1000))
  if (!Number.isSafeInteger(seed)) throw new Error(`"${value}" is no seed`)
  return seed
}
