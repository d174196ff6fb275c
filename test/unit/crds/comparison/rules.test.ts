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
