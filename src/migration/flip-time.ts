/**
 * When the storage version of a definition became what it is. A write that the API server had begun before may land in the old
 * version up to 34 s later, so a time that is too early would let a proof begin too early: what is given here is a time at which
 * the flip was over, or nothing. Pure.
 */
import { storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'

/** Two clocks at one moment: ours (ms), and the API server's as its `Date` header says. */
export interface Clocks {
  local: number
  server: number
}

/** What whoever moved the storage flag knows: no earlier than the answer to that write, by our own clock. */
export interface KnownFlip {
  uid: string
  /** of the definition in that answer */
  generation: number
  answeredAt: string
}

export interface StorageFlip {
  /** The flip was over by then: by our own clock. */
  at: string
  source: 'own write' | 'managedFields'
}

/**
 * Times of managedFields count only when they are that old. They are taken while the API server works on a write (it may land
 * 34 s later), have no fractions of a second, and come from the clock of whichever API server it was: in ten minutes there
 * is room for all of that. Nothing is lost by it: of a younger flip we know that it was over at our own first look.
 */
const certainAge = 600_000

/**
 * When the flip was over; undefined where nothing proves it. Without the server's clock only our own write does.
 *
 * `spec.versions` is an atomic list, so managedFields tell who owns it as a whole. Whoever changes it owns it from then on, and
 * the time of his entry moves on with each change that he makes to anything he owns: the newest time of the owners is never before
 * the last change of the list, and the storage flag is part of it. An annotation of our own would not do: it has to travel in the
 * write that flips, so its time would be before the flip, and it would outlive a flip back by somebody else.
 */
export function storageFlip(
  crd: CustomResourceDefinition,
  clocks: Clocks | undefined,
  known?: KnownFlip,
): StorageFlip | undefined {
  // Each change of the spec counts the generation up: with the same one it is still our write that is in force.
  if (known !== undefined && known.uid === crd.metadata.uid && known.generation === crd.metadata.generation) {
    return { at: known.answeredAt, source: 'own write' }
  }
  const changed = lastChangeOfVersions(crd)
  if (clocks === undefined || changed === undefined || storageVersionOf(crd) === undefined) return undefined
  const age = clocks.server - changed
  // A Date header is cut to whole seconds and older than the moment at which it arrives: the age is rather more than this.
  return age >= certainAge ? { at: new Date(clocks.local - age).toISOString(), source: 'managedFields' } : undefined
}

/** The newest time of the entries that own spec.versions; undefined where nobody does, or an owner has no time. */
function lastChangeOfVersions(crd: CustomResourceDefinition): number | undefined {
  const owners = (crd.metadata.managedFields ?? []).filter(({ fieldsV1 }) => {
    const spec = fieldsV1?.['f:spec']
    return typeof spec === 'object' && spec !== null && 'f:versions' in spec
  })
  const times = owners.map(({ time }) => Date.parse(time ?? ''))
  return times.length === 0 || times.some(Number.isNaN) ? undefined : Math.max(...times)
}
