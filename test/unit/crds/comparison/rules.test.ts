import { describe, expect, test } from 'vitest'
import { compareSchemas } from '../../../../src/crds/comparison/compare-schemas.ts'
import type { Audience, JSONSchema, Level } from '../../../../src/crds/comparison/comparison.types.ts'
import { nodeRules } from '../../../../src/crds/comparison/rules.ts'
import { object } from './definitions.ts'
import { ruleCases } from './rule-cases.ts'
import { nearMisses } from './rule-near-misses.ts'
import { a, integer, list, map, number, open, text } from './schemas.ts'

type Schema = JSONSchema

const wrap = (schema: Schema, field = 'spec') => object({ [field]: object({ x: schema }) })
const changes = (before: Schema, after: Schema, field?: string) =>
  compareSchemas(wrap(before, field), wrap(after, field))
const ids = (before: Schema, after: Schema) =>
  changes(before, after)
    .map(({ id }) => id.slice('crd.'.length))
    .toSorted()

describe('what each rule sees', () => {
  test.each(ruleCases)('%s', (_, before, after, forward, back) => {
    expect({ forward: ids(before, after), back: ids(after, before) }).toEqual({ forward, back })
  })
  test.each(nearMisses)('%s does not see: %s', (_rule, _what, before, after, others = []) => {
    expect(ids(before, after)).toEqual(others)
  })
  test('every kind of change has its case, and every rule its near miss', () => {
    const seen = new Set(ruleCases.flatMap(([, , , forward, back]) => [...forward, ...back]))
    const kinds = nodeRules.flatMap(({ id, kinds: all }) => Object.keys(all).map((kind) => `${id.slice(4)}.${kind}`))
    // A greatest length cannot be without effect.
    const impossible = new Set(['max-length.no-effect', 'max-items.no-effect', 'max-properties.no-effect'])
    expect(kinds.filter((kind) => !seen.has(kind) && !impossible.has(kind))).toEqual([])
    const missed = new Set(nearMisses.map(([rule]) => `crd.${rule}`))
    expect(nodeRules.map(({ id }) => id).filter((id) => !missed.has(id))).toEqual([])
  })
})

describe('levels, audiences and paths', () => {
  const weighed: [
    what: string,
    before: Schema,
    after: Schema,
    field: string,
    expected: [string, Level, Audience[], string],
  ][] = [
    [
      'required: writers and stored objects',
      a,
      { ...a, required: ['a'] },
      'spec',
      ['crd.required.added', 'error', ['writer', 'stored'], '^.spec.x.a'],
    ],
    [
      'no embedded object any more: its type and metadata are dropped',
      { ...a, 'x-kubernetes-embedded-resource': true },
      a,
      'spec',
      ['crd.embedded-resource.removed', 'error', ['reader', 'stored'], '^.spec.x'],
    ],
    [
      'no embedded object any more, but one that keeps what it has',
      { ...open, 'x-kubernetes-embedded-resource': true },
      open,
      'spec',
      ['crd.embedded-resource.removed', 'info', ['reader'], '^.spec.x'],
    ],
    [
      'no longer required: readers',
      { ...a, required: ['a'] },
      a,
      'spec',
      ['crd.required.removed', 'warning', ['reader'], '^.spec.x.a'],
    ],
    [
      'no longer required in status',
      { ...a, required: ['a'] },
      a,
      'status',
      ['crd.required.removed', 'error', ['reader'], '^.status.x.a'],
    ],
    [
      'required, with a default that is none',
      object({ a: { ...text, nullable: true } }),
      object({ a: { ...text, nullable: true, default: null } }, { required: ['a'] }),
      'spec',
      ['crd.required.added', 'error', ['writer', 'stored'], '^.spec.x.a'],
    ],
    [
      'a new field with a default, in an object of one field',
      { ...a, maxProperties: 1 },
      { ...object({ a: text, b: { ...text, default: '' } }), maxProperties: 1 },
      'spec',
      ['crd.property.added-with-default', 'error', ['writer', 'reader', 'stored'], '^.spec.x.b'],
    ],
    [
      'a default for one of two fields of which just one may be there',
      { ...object({ a: text, b: text }), oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { ...object({ a: text, b: { ...text, default: '' } }), oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      'spec',
      ['crd.default.added', 'error', ['writer', 'reader', 'stored'], '^.spec.x.b'],
    ],
    [
      'a default for a field whose presence a rule asks for',
      { ...object({ a: text, b: text }), 'x-kubernetes-validations': [{ rule: 'has(self.a) != has(self.b)' }] },
      {
        ...object({ a: text, b: { ...text, default: '' } }),
        'x-kubernetes-validations': [{ rule: 'has(self.a) != has(self.b)' }],
      },
      'spec',
      ['crd.default.added', 'error', ['writer', 'reader', 'stored'], '^.spec.x.b'],
    ],
    [
      'a field that is kept, but had a default',
      { ...open, properties: { a: { ...text, default: '' } } },
      open,
      'spec',
      ['crd.property.undeclared', 'error', ['reader', 'stored'], '^.spec.x.a'],
    ],
    [
      'whole numbers of fewer bits, which newer API servers check',
      integer,
      { ...integer, format: 'int32' },
      'spec',
      ['crd.format.narrower-number', 'error', ['writer', 'reader', 'stored'], '^.spec.x'],
    ],
    [
      'numbers of fewer bits that no API server checks',
      number,
      { ...number, format: 'int32' },
      'spec',
      ['crd.format.narrower-number', 'warning', ['reader', 'stored'], '^.spec.x'],
    ],
    [
      'a limit that no value of a closed list is beyond',
      { ...text, enum: ['a', 'bb'] },
      { ...text, enum: ['bb', 'a'], maxLength: 2 },
      'spec',
      ['crd.max-length.added', 'info', [], '^.spec.x'],
    ],
    [
      'a limit that a value of a closed list is beyond',
      { ...text, enum: ['a', 'bb'] },
      { ...text, enum: ['a', 'bb'], maxLength: 1 },
      'spec',
      ['crd.max-length.added', 'error', ['writer', 'stored'], '^.spec.x'],
    ],
    ['a wider number', integer, number, 'spec', ['crd.type.widened', 'info', ['reader'], '^.spec.x']],
    ['a wider number in status', integer, number, 'status', ['crd.type.widened', 'warning', ['reader'], '^.status.x']],
    [
      'a default where there may have been nothing',
      a,
      object({ a: { ...text, default: '' } }),
      'spec',
      ['crd.default.added', 'warning', ['reader', 'stored'], '^.spec.x.a'],
    ],
    [
      'a default where nothing was refused',
      { ...a, required: ['a'] },
      object({ a: { ...text, default: '' } }, { required: ['a'] }),
      'spec',
      ['crd.default.added', 'info', [], '^.spec.x.a'],
    ],
    [
      'no default any more where nothing is refused',
      object({ a: { ...text, default: '' } }, { required: ['a'] }),
      { ...a, required: ['a'] },
      'spec',
      ['crd.default.removed', 'error', ['writer', 'stored'], '^.spec.x.a'],
    ],
    [
      'no default any more where there may be nothing',
      object({ a: { ...text, default: '' } }),
      a,
      'spec',
      ['crd.default.removed', 'error', ['reader', 'stored'], '^.spec.x.a'],
    ],
    [
      'null goes where a default fills in',
      { ...text, default: '', nullable: true },
      { ...text, default: '' },
      'spec',
      ['crd.nullable.removed', 'warning', ['stored'], '^.spec.x'],
    ],
    [
      'items',
      list,
      { ...list, items: { ...text, maxLength: 1 } },
      'spec',
      ['crd.max-length.added', 'error', ['writer', 'stored'], '^.spec.x[*]'],
    ],
    [
      'values',
      map,
      { ...map, additionalProperties: { ...text, maxLength: 1 } },
      'spec',
      ['crd.max-length.added', 'error', ['writer', 'stored'], '^.spec.x{*}'],
    ],
    [
      'a field named items',
      object({ items: text }),
      object({ items: integer }),
      'spec',
      ['crd.type.changed', 'error', ['writer', 'reader', 'stored'], '^.spec.x.items'],
    ],
    [
      'a field named like a path',
      object({ 'a.b': text }),
      object({ 'a.b': integer }),
      'spec',
      ['crd.type.changed', 'error', ['writer', 'reader', 'stored'], '^.spec.x["a.b"]'],
    ],
    [
      'a field named __proto__',
      object({ ['__proto__']: text }),
      object({ ['__proto__']: integer }),
      'spec',
      ['crd.type.changed', 'error', ['writer', 'reader', 'stored'], '^.spec.x.__proto__'],
    ],
  ]
  test.each(weighed)('%s', (_, before, after, field, expected) => {
    expect(changes(before, after, field).map(({ id, level, audiences, path }) => [id, level, audiences, path])).toEqual(
      [expected],
    )
  })

  test('a change carries the node that it is of', () => {
    const [change] = changes({ ...list, items: text }, { ...list, items: integer })
    expect(change?.node).toEqual({
      path: [{ property: 'spec' }, { property: 'x' }, 'items'],
      before: text,
      after: integer,
    })
  })

  test('what the API server gives an object need not be required or declared', () => {
    expect(compareSchemas(object({ kind: text }), object({}, { required: ['kind', 'metadata'] }))).toEqual([])
  })

  test('a schema that nests too deep is refused', () => {
    const deep = (leaf: Schema) => {
      let schema = leaf
      for (let level = 0; level < 10_000; level++) schema = object({ a: schema })
      return schema
    }
    expect(() => compareSchemas(deep(text), deep(integer))).toThrow('nests more than 1000 levels deep')
  })
})

describe('what an API server knows of an object itself', () => {
  const named = (name: Schema) => object({ metadata: object({ name }) })
  const found = (before: Schema, after: Schema) =>
    compareSchemas(before, after).map(({ id, level, path }) => `${level} ${id} ${path}`)
  const short = { ...text, maxLength: 3 }

  test.each([
    ['metadata without names', object({ metadata: { type: 'object' } })],
    ['no metadata', object({})],
  ])('a limit on names is one, after a schema with %s', (_, before) => {
    expect(found(before, named(short))).toEqual(['error crd.property.constrains-unknown ^.metadata.name'])
    expect(found(named(short), before)).toEqual(['info crd.property.undeclared ^.metadata.name'])
  })
  test('a limit on kind is one, where the schema had not named it', () => {
    expect(found(object({}), object({ kind: { ...text, enum: ['Model'], description: 'a' } }))).toEqual([
      'error crd.enum.added ^.kind',
    ])
  })
  test('a name without a limit is none', () => {
    expect(found(object({ metadata: { type: 'object' } }), named(text))).toEqual([
      'info crd.property.added ^.metadata.name',
    ])
  })
  test('a part of an object that is called metadata is like any other', () => {
    expect(found(object({ spec: object({ metadata: object({}) }) }), object({ spec: named(short) }))).toEqual([
      'info crd.property.added ^.spec.metadata.name',
    ])
  })
})
