/** Since when a version has been deprecated, by the definitions of earlier releases. */
import type { ReleasedDefinition } from '../comparison.types.ts'

export interface Deprecation {
  /** the release that deprecated it, without a break since */
  since?: string
  /** from that release to the one after the last of the history */
  releases: number
  /** the first release that may withdraw it */
  earliest: string
}

/** `history` is oldest first and ends with the release before the one that is judged. */
export function deprecatedSince(version: string, history: readonly ReleasedDefinition[], needed: number): Deprecation {
  const last = history.findLastIndex(({ definition }) =>
    definition.spec.versions.every(({ name, deprecated }) => name !== version || deprecated !== true),
  )
  const since = history[last + 1]?.release
  const releases = history.length - (last + 1)
  return { ...(since !== undefined && { since }), releases, earliest: earliestAfter(since, needed, needed - releases) }
}

function earliestAfter(since: string | undefined, needed: number, missing: number): string {
  const match = /^(v?)(\d+)\.(\d+)\./.exec(since ?? '')
  if (match === null) return `${missing} more release${missing === 1 ? '' : 's'} from now`
  const [, prefix, major, minor] = match
  return `${prefix}${major}.${Number(minor) + needed}.0`
}
