/** Owners of fields move with their object to a version that stays, and none of them is lost on the way. */
import { describe, expect, test } from 'vitest'
import type { ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import { managersPatch, type PatchOperation } from '../../../src/migration/managed-fields.ts'

const OLD = 'bench.example/v1alpha1'
const NEW = 'bench.example/v1'
const entry = (
  manager: string,
  apiVersion: string,
  fields: string[],
  more: ManagedFieldsEntry = {},
): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  apiVersion,
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
  ...more,
})
const patchOf = (managedFields: ManagedFieldsEntry[]) =>
  managersPatch({ managedFields, resourceVersion: '7' }, new Set([OLD]), NEW)

/** What the operations make of the entries: JSON patch as far as it is used here. */
function applied(entries: ManagedFieldsEntry[], operations: PatchOperation[]): ManagedFieldsEntry[] {
  const result = structuredClone(entries)
  for (const { op, path, value } of operations) {
    const [, index, field] = /^\/metadata\/managedFields\/(\d+)(?:\/(apiVersion))?$/.exec(path) ?? []
    if (index === undefined) continue
    if (op === 'remove') result.splice(Number(index), 1)
    else if (field) result[Number(index)] = { ...result[Number(index)], apiVersion: value as string }
    else result[Number(index)] = value as ManagedFieldsEntry
  }
  return result
}

test('nothing stale, no patch', () => {
  expect(patchOf([entry('kubectl', NEW, ['a'])])).toBeUndefined()
  expect(managersPatch({ resourceVersion: '7' }, new Set([OLD]), NEW)).toBeUndefined()
})

test('only the version of stale entries is replaced, on the resourceVersion that was read', () => {
  const entries = [entry('kubectl', NEW, ['a']), entry('flux', OLD, ['b'], { operation: 'Apply' })]
  expect(patchOf(entries)).toEqual({
    moved: 1,
    from: new Set([OLD]),
    operations: [
      { op: 'replace', path: '/metadata/managedFields/1/apiVersion', value: NEW },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ],
  })
})

describe('a manager that wrote in both versions', () => {
  // The server keeps the last of two entries with one identity, and forgets what the other owned.
  test.each([
    [
      'the stale one first',
      [entry('kubectl', OLD, ['a', 'b']), entry('other', NEW, ['x']), entry('kubectl', NEW, ['b', 'c'])],
    ],
    [
      'the stale one last',
      [entry('kubectl', NEW, ['b', 'c']), entry('other', NEW, ['x']), entry('kubectl', OLD, ['a', 'b'])],
    ],
  ])('becomes one that owns the fields of both: %s', (_, entries) => {
    const patch = patchOf(entries)
    const result = applied(entries, patch?.operations ?? [])
    expect(patch?.moved).toBe(1)
    expect(result).toHaveLength(2)
    const fields = Object.keys(result.find(({ manager }) => manager === 'kubectl')?.fieldsV1?.['f:spec'] ?? {})
    expect(fields.toSorted()).toEqual(['f:a', 'f:b', 'f:c'])
    expect(result.every(({ apiVersion }) => apiVersion === NEW)).toBe(true)
  })

  test('at status and at the main endpoint stays two', () => {
    const entries = [entry('operator', OLD, ['a']), entry('operator', NEW, ['b'], { subresource: 'status' })]
    expect(applied(entries, patchOf(entries)?.operations ?? [])).toEqual([
      { ...entries[0], apiVersion: NEW },
      entries[1],
    ])
  })

  test('keeps the newer time', () => {
    const entries = [
      entry('kubectl', OLD, ['a'], { time: '2026-03-01T00:00:00Z' }),
      entry('kubectl', NEW, ['b'], { time: '2026-02-01T00:00:00Z' }),
    ]
    expect(applied(entries, patchOf(entries)?.operations ?? [])).toMatchObject([{ time: '2026-03-01T00:00:00Z' }])
  })
})

test('three entries of one manager become one, and indexes stay right while entries go', () => {
  const entries = [
    entry('first', NEW, ['z']),
    entry('kubectl', OLD, ['a']),
    entry('kubectl', NEW, ['b']),
    entry('last', OLD, ['y']),
    entry('kubectl', 'bench.example/v1alpha2', ['c']),
  ]
  const patch = managersPatch(
    { managedFields: entries, resourceVersion: '7' },
    new Set([OLD, 'bench.example/v1alpha2']),
    NEW,
  )
  const result = applied(entries, patch?.operations ?? [])
  expect(patch?.moved).toBe(3)
  expect(result.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`)).toEqual([
    `first ${NEW}`,
    `kubectl ${NEW}`,
    `last ${NEW}`,
  ])
  expect(result[1]?.fieldsV1).toEqual({ 'f:spec': { 'f:a': {}, 'f:b': {}, 'f:c': {} } })
})
