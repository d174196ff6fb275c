/** Field sets and ownership. The managedFields are of the kind that kubectl and API servers write. */
import { describe, expect, test } from 'vitest'
import { difference, type FieldsV1, isEmpty, paths, project, union } from '../../../src/kubernetes/field-set.ts'
import type { AnyObject, ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import {
  appliedConfiguration,
  lastAppliedAnnotation,
  takeOver,
  takeOverPatch,
} from '../../../src/kubernetes/ownership.ts'
import { fieldSetProperties } from '../../support/properties/field-sets.ts'
import { testProperties } from '../../support/seeded.ts'

describe('sets', () => {
  const a: FieldsV1 = { 'f:m': { '.': {}, 'f:x': {} }, 'f:l': { 'k:{"n":"1"}': { '.': {}, 'f:v': {} } } }
  const b: FieldsV1 = { 'f:m': { 'f:y': {} }, 'f:l': {}, 'f:z': {} }
  test.each<[string, FieldsV1, FieldsV1]>([
    [
      'union',
      union(a, b),
      {
        'f:m': { '.': {}, 'f:x': {}, 'f:y': {} },
        'f:l': { '.': {}, 'k:{"n":"1"}': { '.': {}, 'f:v': {} } },
        'f:z': {},
      },
    ],
    ['union with nothing', union(a, {}), a],
    ['of nothing', union(), {}],
    ['difference', difference(union(a, b), a), { 'f:m': { 'f:y': {} }, 'f:l': {}, 'f:z': {} }],
    [
      'difference keeps what is below a field that goes',
      difference({ 'f:m': { '.': {}, 'f:x': {} } }, { 'f:m': {} }),
      { 'f:m': { 'f:x': {} } },
    ],
    ['difference leaves no hollow parents', difference({ 'f:m': { 'f:x': {} } }, { 'f:m': { 'f:x': {} } }), {}],
    [
      'difference keeps a parent that is a member',
      difference({ 'f:m': { '.': {}, 'f:x': {} } }, { 'f:m': { 'f:x': {} } }),
      { 'f:m': {} },
    ],
  ])('%s', (_, set, expected) => {
    expect(set).toEqual(expected)
  })
  test('operations change none of their arguments', () => {
    const before = JSON.stringify([a, b])
    union(a, b)
    difference(a, b)
    expect(JSON.stringify([a, b])).toBe(before)
    expect([isEmpty({}), isEmpty(a)]).toEqual([true, false])
  })
  test('paths', () => {
    const set = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:a/b.c': {} }, 'f:finalizers': { 'v:"x/y"': {} } },
      'f:l': { 'k:{"port":80,"protocol":"TCP"}': { 'f:name': {} }, 'i:2': {} },
    }
    expect(paths(set)).toEqual([
      '.metadata.labels["a/b.c"]',
      '.metadata.finalizers[="x/y"]',
      '.l[port=80,protocol="TCP"].name',
      '.l[2]',
    ])
  })
})

testProperties(fieldSetProperties)

describe('what a set keeps of an object', () => {
  const containers = [
    { name: 'a', image: '1', args: ['x', 'y'], ports: [{ containerPort: 80, protocol: 'TCP', name: 'web' }] },
    { name: 'b', image: '2' },
  ]
  const cases: [name: string, value: unknown, set: FieldsV1, kept: unknown][] = [
    ['a field', { a: 1, b: 2 }, { 'f:a': {} }, { a: 1 }],
    ['null and false are values', { a: null, b: false }, { 'f:a': {}, 'f:b': {} }, { a: null, b: false }],
    ['an atomic map whole', { s: { x: 1, y: 2 } }, { 'f:s': {} }, { s: { x: 1, y: 2 } }],
    ['a map by its fields', { s: { x: 1, y: 2 } }, { 'f:s': { '.': {}, 'f:x': {} } }, { s: { x: 1 } }],
    ['nothing', { a: 1 }, { 'f:b': {} }, undefined],
    ['nothing of a map whose fields are gone', { s: { y: 2 } }, { 'f:s': { '.': {}, 'f:x': {} } }, undefined],
    ['nothing of what is no map any more', { s: 'text' }, { 'f:s': { 'f:x': {} } }, undefined],
    ['the empty set', { a: 1 }, {}, undefined],
    [
      'items by their keys, in the object’s order, keys kept',
      { c: containers },
      { 'f:c': { 'k:{"name":"b"}': { 'f:image': {} }, 'k:{"name":"a"}': { '.': {}, 'f:args': {} } } },
      {
        c: [
          { name: 'a', args: ['x', 'y'] },
          { name: 'b', image: '2' },
        ],
      },
    ],
    ['an item whole', { c: containers }, { 'f:c': { 'k:{"name":"b"}': {} } }, { c: [containers[1]] }],
    [
      'several keys',
      { c: containers[0]?.ports },
      { 'f:c': { 'k:{"containerPort":80,"protocol":"TCP"}': { 'f:name': {} } } },
      { c: [{ containerPort: 80, protocol: 'TCP', name: 'web' }] },
    ],
    ['an item that is not there', { c: containers }, { 'f:c': { 'k:{"name":"z"}': { 'f:image': {} } } }, undefined],
    ['members of a set', { f: ['x', 'y', 'z'] }, { 'f:f': { 'v:"z"': {}, 'v:"x"': {} } }, { f: ['x', 'z'] }],
    [
      'members that are objects',
      { f: [{ a: 1, b: 2 }] },
      { 'f:f': { 'v:{"b":2,"a":1}': {} } },
      { f: [{ a: 1, b: 2 }] },
    ],
    ['an index', { f: ['x', 'y'] }, { 'f:f': { 'i:1': {} } }, { f: ['y'] }],
  ]
  test.each(cases)('%s', (_, value, set, kept) => {
    expect(project(value, set)).toEqual(kept)
  })
})

const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  fieldsV1: FieldsV1,
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})
const annotated: FieldsV1 = {
  'f:metadata': { 'f:annotations': { '.': {}, [`f:${lastAppliedAnnotation}`]: {} } },
  'f:data': { 'f:a': {} },
}
const objectOf = (...managedFields: ManagedFieldsEntry[]): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'c',
    namespace: 'n',
    uid: 'u',
    resourceVersion: '5',
    labels: { l: '1' },
    annotations: { [lastAppliedAnnotation]: '{}', other: 'x' },
    managedFields,
  },
  data: { a: '1', b: '2', c: '3' },
})
const options = { installers: ['kubectl-client-side-apply', 'helm', 'me'], manager: 'me' }
const data = (...names: string[]): FieldsV1 => ({
  'f:data': Object.fromEntries(names.map((name) => [`f:${name}`, {}])),
})
const stranger = entry('stranger', 'Update', data('c'))
const scaled = entry('helm', 'Update', data('b'), { subresource: 'scale' })

describe('taking over', () => {
  const cases: [name: string, before: ManagedFieldsEntry[], after: ManagedFieldsEntry[] | undefined][] = [
    [
      'from client-side apply, without the last-applied annotation',
      [entry('kubectl-client-side-apply', 'Update', annotated), stranger],
      [entry('me', 'Apply', data('a')), stranger],
    ],
    ['from an apply', [entry('helm', 'Apply', data('a'))], [entry('me', 'Apply', data('a'))]],
    [
      'into what is ours',
      [stranger, entry('me', 'Apply', data('b')), entry('helm', 'Update', data('a'))],
      [entry('me', 'Apply', data('b', 'a')), stranger],
    ],
    ['from our own updates', [entry('me', 'Update', data('a'))], [entry('me', 'Apply', data('a'))]],
    [
      'from several: the latest gives version and time',
      [
        entry('helm', 'Update', data('a'), { time: '2026-01-01T00:00:00Z', apiVersion: 'v1' }),
        entry('me', 'Update', data('b'), { time: '2026-02-01T00:00:00Z' }),
      ],
      [entry('me', 'Apply', data('b', 'a'), { time: '2026-02-01T00:00:00Z' })],
    ],
    [
      'a set of another version goes',
      [entry('me', 'Apply', data('b')), entry('helm', 'Update', data('a'), { apiVersion: 'v0' })],
      [entry('me', 'Apply', data('b'))],
    ],
    ['subresources stay', [entry('helm', 'Update', data('a')), scaled], [entry('me', 'Apply', data('a')), scaled]],
    ['nothing: ours already', [entry('me', 'Apply', data('a')), stranger], undefined],
    ['nothing: others, and subresources', [stranger, scaled], undefined],
    ['nothing: none', [], undefined],
  ]
  test.each(cases)('%s', (_, before, after) => {
    const object = objectOf(...before)
    const copy = structuredClone(object)
    expect(takeOver(object, options)).toEqual(after && { managedFields: after })
    expect(object).toEqual(copy)
  })
  test('as a patch, on what was read', () => {
    const object = objectOf(entry('helm', 'Update', annotated))
    expect(takeOverPatch(object, options)).toEqual([
      { op: 'replace', path: '/metadata/managedFields', value: [entry('me', 'Apply', data('a'))] },
      { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
      { op: 'replace', path: '/metadata/resourceVersion', value: '5' },
    ])
    expect(takeOverPatch(objectOf(stranger), options)).toBeUndefined()
  })
})

describe('what was applied', () => {
  const identity = { apiVersion: 'v1', kind: 'ConfigMap' }
  const metadata = { name: 'c', namespace: 'n' }
  test.each<[string, ManagedFieldsEntry[], object]>([
    [
      'the fields of these managers, with the values of now',
      [
        entry('kubectl-client-side-apply', 'Update', annotated),
        entry('me', 'Apply', { 'f:metadata': { 'f:labels': { 'f:l': {} } }, ...data('b') }),
        stranger,
      ],
      { ...identity, metadata: { ...metadata, labels: { l: '1' } }, data: { a: '1', b: '2' } },
    ],
    [
      'other annotations that they own',
      [entry('helm', 'Apply', { 'f:metadata': { 'f:annotations': { 'f:other': {} } } })],
      { ...identity, metadata: { ...metadata, annotations: { other: 'x' } } },
    ],
    [
      'not subresources, other versions and strangers',
      [scaled, stranger, entry('me', 'Apply', data('a'), { apiVersion: 'v0' })],
      { ...identity, metadata },
    ],
  ])('%s', (_, managedFields, expected) => {
    expect(appliedConfiguration(objectOf(...managedFields), options.installers)).toEqual(expected)
  })
})
