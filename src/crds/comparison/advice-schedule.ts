/** When a version that is followed by another one may be withdrawn, by the rules of a profile. Releases are counted from the next one. */
import type { ProfileName } from './comparison.types.ts'
import { ranks, type Stability, stabilityOf } from './version-priority.ts'

/** Counted from the release that adds the new version. What is missing never happens. */
export interface Schedule {
  deprecate: boolean
  /** objects are stored in the new version from then on */
  store?: number
  /** the old version is no longer served */
  withdraw?: number
  /** the old version leaves the definition */
  remove?: number
  why: string
  /** why it leaves the definition no earlier, where that is another reason */
  whyRemove?: string
}

const flipLater =
  'Objects are stored in a version only one release after it was served, so that the release before can always be gone back to.'

const byKubernetes: Readonly<Record<Stability, Schedule>> = {
  alpha: {
    deprecate: true,
    store: 1,
    withdraw: 1,
    remove: 2,
    why: `An alpha version may go without notice. ${flipLater}`,
  },
  beta: {
    deprecate: true,
    store: 1,
    withdraw: 3,
    remove: 4,
    why: `A beta version is served for 9 months or 3 releases after it was deprecated, whichever is longer. ${flipLater}`,
  },
  stable: {
    deprecate: true,
    store: 1,
    why: `A stable version is served as long as the product has the same major version. ${flipLater}`,
  },
}

const stays: Schedule = {
  deprecate: false,
  why: 'No version is deprecated in favour of one that promises less; it stays the one that objects are stored in.',
}

const byAIRunway: Schedule = {
  deprecate: true,
  store: 1,
  withdraw: 1,
  remove: 2,
  why: `Whoever uses it has been warned for a release, and has been migrated. ${flipLater}`,
}

const byNgf: Schedule = {
  deprecate: true,
  store: 3,
  withdraw: 3,
  remove: 4,
  why: 'The old version is removed after 3 releases, and the new one is not stored before that. One update cannot do both: the API server refuses a definition without a version that status.storedVersions names. So objects move first.',
  whyRemove:
    'Only now does status.storedVersions no longer name it. As a second step of the release before, after the migration, it is possible too.',
}

/** The schedule by which `to` takes the place of `from`. */
export function scheduleOf(profile: ProfileName, from: string, to: string): Schedule {
  if (profile === 'ngf') return byNgf
  const [old, now] = [stabilityOf(from), stabilityOf(to)]
  if (ranks[now] < ranks[old]) return stays
  if (profile !== 'kubeairunway') return byKubernetes[old]
  const supported: Schedule = {
    deprecate: false,
    store: 1,
    why: `v1 has long-term support: it is served as it is. ${flipLater}`,
  }
  return old === 'stable' ? supported : byAIRunway
}

/** The number of a release that comes so many minor releases after the next one. */
export function releaseAfter(next: string | undefined, later: number): string | undefined {
  const match = /^(v?)(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(next ?? '')
  if (match === null || later === 0) return match === null ? undefined : next
  const [, prefix, major, minor] = match
  return `${prefix}${major}.${Number(minor) + later}.0`
}
