/**
 * Entries of managedFields in versions that will leave a definition. While one is left there, its manager cannot apply less
 * than before ("request to convert CR to an invalid group/version"), because the server looks for what it no longer wants in
 * that version. They are renamed to a version that stays, with their fields as they are, in the write that re-encodes the
 * object. Pure.
 */
import { type FieldsV1, union } from '../kubernetes/field-set.ts'
import type { ManagedFieldsEntry, ObjectMeta } from '../kubernetes/objects.ts'

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  op: 'replace' | 'remove' | 'test'
  path: string
  value?: unknown
}

export interface ManagersPatch {
  operations: PatchOperation[]
  /** entries that it renames */
  moved: number
  /** the apiVersions that they have */
  from: ReadonlySet<string>
}

/**
 * The patch that renames the object's entries in `stale` apiVersions to `apiVersion`; undefined where there is none. It
 * holds the resourceVersion as read, so that indexes are those of the object that is patched: otherwise 409, or 422 where
 * an index is gone.
 */
export function managersPatch(
  metadata: Pick<ObjectMeta, 'managedFields' | 'resourceVersion'>,
  stale: ReadonlySet<string>,
  apiVersion: string,
): ManagersPatch | undefined {
  const entries = metadata.managedFields ?? []
  if (!entries.some((entry) => isStale(entry, stale))) return undefined
  const places = new Map<string, number>()
  const replacements = new Map<number, ManagedFieldsEntry>()
  const removed: number[] = []
  const operations: PatchOperation[] = []
  const from = new Set<string>()
  let moved = 0
  entries.forEach((entry, index) => {
    const renamed = isStale(entry, stale) ? { ...entry, apiVersion } : entry
    if (renamed !== entry) {
      moved += 1
      from.add(entry.apiVersion ?? '')
    }
    const first = places.get(identity(renamed))
    if (first === undefined) {
      places.set(identity(renamed), index)
      if (renamed !== entry) replacements.set(index, renamed)
      return
    }
    const kept = replacements.get(first) ?? entries[first] ?? renamed
    replacements.set(first, merged(kept, renamed))
    removed.push(index)
  })
  for (const [index, entry] of replacements) operations.push(...replacement(index, entries[index], entry))
  for (const index of removed.toReversed()) operations.push({ op: 'remove', path: `/metadata/managedFields/${index}` })
  operations.push({ op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion })
  return { operations, moved, from }
}

function replacement(
  index: number,
  before: ManagedFieldsEntry | undefined,
  after: ManagedFieldsEntry,
): PatchOperation[] {
  const path = `/metadata/managedFields/${index}`
  if (before?.fieldsV1 !== after.fieldsV1) return [{ op: 'replace', path, value: after }]
  return [{ op: 'replace', path: `${path}/apiVersion`, value: after.apiVersion }]
}

const isStale = (entry: ManagedFieldsEntry, stale: ReadonlySet<string>): boolean =>
  entry.apiVersion !== undefined && stale.has(entry.apiVersion)

// By what the API server tells managers apart. Of two entries with the same identity it would keep the last and forget what
// the other owned, so they become one. An applier is the same in all versions.
function identity({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource ?? ''])
}

function merged(first: ManagedFieldsEntry, second: ManagedFieldsEntry): ManagedFieldsEntry {
  const fieldsV1: FieldsV1 = union(first.fieldsV1 ?? {}, second.fieldsV1 ?? {})
  const time = [first.time, second.time]
    .filter((each) => each !== undefined)
    .toSorted()
    .at(-1)
  const { apiVersion } = second.operation === 'Apply' ? first : second
  return { ...first, ...(apiVersion !== undefined && { apiVersion }), ...(time !== undefined && { time }), fieldsV1 }
}
