/** One order for what is found, whatever the order in the files. */
import type { Change, Scope } from './comparison.types.ts'
import { canonical, compareTexts } from './schema-reading.ts'
import { comparePriority } from './version-priority.ts'

const scopes: readonly Scope[] = ['definition', 'same-version', 'storage-pair', 'served-pair']

/** Definition, versions, pairs; versions by Kubernetes' priority; then by path and id. */
export function inOrder<Some extends Change>(changes: readonly Some[]): Some[] {
  return changes.toSorted(
    (one, other) =>
      scopes.indexOf(one.scope) - scopes.indexOf(other.scope) ||
      compareVersions(one.version, other.version) ||
      compareTexts(one.path, other.path) ||
      compareTexts(one.id, other.id) ||
      compareTexts(canonical([one.before, one.after]), canonical([other.before, other.after])),
  )
}

function compareVersions(one: string, other: string): number {
  if (one === '' || other === '') return Number(other === '') - Number(one === '')
  const [a, b] = [one.split(' -> '), other.split(' -> ')]
  return comparePriority(a[0] ?? '', b[0] ?? '') || comparePriority(a[1] ?? '', b[1] ?? '')
}
