/** Breaking changes within one version: what both policies want to see between versions only. */
import type { Change } from '../comparison.types.ts'
import { compareTexts } from '../schema-reading.ts'
import { comparePriority } from '../version-priority.ts'

/** The changes within a version that the rules call errors, by version; the version of the highest priority first. */
export function breaksWithinVersions(changes: readonly Change[]): [version: string, breaks: Change[]][] {
  const versions = new Map<string, Change[]>()
  for (const change of changes) {
    if (change.scope !== 'same-version' || change.level !== 'error') continue
    versions.set(change.version, [...(versions.get(change.version) ?? []), change])
  }
  return [...versions].toSorted(([one], [other]) => comparePriority(one, other))
}

const most = 10

/** Where they are, for one line of a report. */
export function placesOf(changes: readonly Pick<Change, 'path' | 'id'>[]): string[] {
  const places = [...new Set(changes.map(({ path, id }) => (path === '' ? id : path)))].toSorted(compareTexts)
  return places.length > most ? [...places.slice(0, most), `and ${places.length - most} more`] : places
}
