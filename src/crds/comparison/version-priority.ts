/** Kubernetes' own order of versions, and what the name of one promises. */
import { compareTexts } from './schema-reading.ts'

export type Stability = 'alpha' | 'beta' | 'stable'

export interface VersionName {
  major: number
  stability: Stability
  minor: number
}

/** The order of promises: a version may be deprecated only in favour of one that promises as much. */
export const ranks: Readonly<Record<Stability, number>> = { alpha: 0, beta: 1, stable: 2 }

/** What `v1alpha1`, `v1beta1` or `v1` says. A name that is no Kubernetes version promises nothing: alpha. */
export function stabilityOf(version: string): Stability {
  return parseVersion(version)?.stability ?? 'alpha'
}

/**
 * Sorts the version of the highest priority first, as the API server does in discovery: stable before beta before alpha, then
 * newer before older; other names come last, in the order of the alphabet.
 */
export function comparePriority(one: string, other: string): number {
  const [a, b] = [parseVersion(one), parseVersion(other)]
  if (a === undefined || b === undefined) {
    if (a !== undefined || b !== undefined) return a === undefined ? 1 : -1
    return compareTexts(one, other)
  }
  return ranks[b.stability] - ranks[a.stability] || b.major - a.major || b.minor - a.minor
}

/** The parts of a Kubernetes version's name; undefined where the name is none. */
export function parseVersion(version: string): VersionName | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (match === null) return undefined
  const [, major, stability, minor] = match
  return {
    major: Number(major),
    stability: stability === 'alpha' || stability === 'beta' ? stability : 'stable',
    minor: Number(minor ?? 0),
  }
}
