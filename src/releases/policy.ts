/** The version policy: what kind of step one release to another is. Pure. */
import { compare, major, minor } from 'semver'

/**
 * `patch`: within one minor, no breaking changes. `minor`: to the next minor, what upgrade tests cover.
 * `skips-minors`: over one or more minors, which no upgrade test covers. `major`: to another major version.
 */
export type HopKind = 'same' | 'patch' | 'minor' | 'skips-minors' | 'major'

export interface Hop {
  direction: 'same' | 'forward' | 'back'
  kind: HopKind
  /** minors between both that are left out, lowest first: `0.2` for v0.1.4 to v0.3.0 */
  skipped: string[]
}

/**
 * Classifies the way from one version to another (both with or without `v`). The release policy: upgrade tests run from the last
 * minor, so an upgrade goes one minor at a time, and patches of a minor are compatible with each other.
 * Skipped minors can be named only within one major version.
 */
export function classifyHop(from: string, to: string): Hop {
  const order = compare(from, to)
  if (order === 0) return { direction: 'same', kind: 'same', skipped: [] }
  const direction = order < 0 ? 'forward' : 'back'
  if (major(from) !== major(to)) return { direction, kind: 'major', skipped: [] }
  const [low, high] = [Math.min(minor(from), minor(to)), Math.max(minor(from), minor(to))]
  const skipped: string[] = []
  for (let number = low + 1; number < high; number += 1) skipped.push(`${major(from)}.${number}`)
  if (skipped.length > 0) return { direction, kind: 'skips-minors', skipped }
  return { direction, kind: low === high ? 'patch' : 'minor', skipped }
}

/** Is `version` still supported when `newest` is out? The policy supports the current minor and the one before (n and n-1). */
export function isSupported(version: string, newest: string): boolean {
  return major(version) === major(newest) && minor(newest) - minor(version) <= 1
}
