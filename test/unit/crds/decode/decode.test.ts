import { describe, expect, it } from 'vitest'
import type { JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import { decode, survives } from '../../../../src/crds/decode/decode.ts'

const text = { type: 'string' }
const object = (properties: JSONSchema, words: JSONSchema = {}): JSONSchema => ({
  type: 'object',
  properties,
  ...words,
})
const preserving = { 'x-kubernetes-preserve-unknown-fields': true }
const thing = (fields: object): object => ({ apiVersion: 'a/v1', kind: 'Thing', metadata: { name: 'x' }, ...fields })
const embedded = object({ spec: object({ a: text }) }, { 'x-kubernetes-embedded-resource': true })
const paths = (found: (string | number)[][]): string[] => found.map((path) => path.join('.'))

describe('decode', () => {
  const rows: [
    what: string,
    field: JSONSchema,
    before: unknown,
    after: unknown,
    pruned: string[],
    defaulted: string[],
  ][] = [
    ['an unknown field goes', object({ a: text }), { a: 'x', b: 1 }, { a: 'x' }, ['f.b'], []],
    ['unless it is preserved', object({ a: text }, preserving), { b: { c: 1 } }, { b: { c: 1 } }, [], []],
    [
      'below a preserving parent, a known one goes by its own schema',
      object({ a: object({}) }, preserving),
      { a: { b: 1 } },
      { a: {} },
      ['f.a.b'],
      [],
    ],
    [
      'values of a map without a schema stay, but empty',
      { type: 'object', additionalProperties: true },
      { a: { b: 1 }, c: 1 },
      { a: {}, c: 1 },
      ['f.a.b'],
      [],
    ],
    ['objects in a list', { type: 'array', items: object({ a: text }) }, [{ b: 1 }], [{}], ['f.0.b'], []],
    ['a null without a default goes', object({ a: text }), { a: null }, {}, ['f.a'], []],
    [
      'a null that is allowed stays',
      object({ a: { ...text, nullable: true, default: 'x' } }),
      { a: null },
      { a: null },
      [],
      [],
    ],
    ['a null with a default gets it', object({ a: { ...text, default: 'x' } }), { a: null }, { a: 'x' }, [], ['f.a']],
    ['a default', object({ a: { ...text, default: 'x' } }), {}, { a: 'x' }, [], ['f.a']],
    [
      'a default within a default',
      object({ a: { ...object({ b: { ...text, default: 'x' } }), default: {} } }),
      {},
      { a: { b: 'x' } },
      [],
      ['f.a', 'f.a.b'],
    ],
    ['no default in what is not there', object({ a: object({ b: { ...text, default: 'x' } }) }), {}, {}, [], []],
    ['a default of null is none', object({ a: { ...text, nullable: true, default: null } }), {}, {}, [], []],
    [
      'a field named like what every object has',
      object({ constructor: text }),
      { toString: 1, constructor: 'x' },
      { constructor: 'x' },
      ['f.toString'],
      [],
    ],
    [
      'an embedded object keeps its own three fields',
      embedded,
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', odd: 1, labels: {} }, spec: { b: 1 }, more: 1 },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} },
      ['f.spec.b', 'f.more', 'f.metadata.odd', 'f.metadata.labels'],
      [],
    ],
  ]
  it.each(rows)('%s', (_, field, before, after, pruned, defaulted) => {
    const decoded = decode(object({ f: field }), thing({ f: before }))
    expect(decoded.object).toEqual(thing({ f: after }))
    expect(paths(decoded.pruned)).toEqual(pruned)
    expect(paths(decoded.defaulted)).toEqual(defaulted)
    expect(decoded.invalid).toEqual([])
  })

  it('defaults before it validates', () => {
    const schema = object({ f: object({ a: { ...text, default: 'x' } }, { required: ['a'] }) })
    expect(decode(schema, thing({ f: {} })).invalid).toEqual([])
  })

  it('refuses metadata that do not decode, and nothing else then', () => {
    const schema = object({ f: text })
    const decoded = decode(schema, { ...thing({ f: 1 }), metadata: { name: 'x', labels: { a: 1 } } })
    expect(decoded.invalid).toMatchObject([{ reason: 'BadRequest', field: 'metadata' }])
  })

  it('leaves the status out of a create where it is a subresource', () => {
    const schema = object({ status: object({ a: { ...text, default: 'x' } }) }, { required: ['status'] })
    const created = decode(schema, thing({ status: { b: 1 } }), { statusSubresource: true })
    expect(created.object).toEqual(thing({}))
    expect(paths(created.pruned)).toEqual(['status'])
    expect(created.invalid).toMatchObject([{ reason: 'FieldValueRequired', field: 'status' }])
    expect(decode(schema, thing({ status: {} })).object).toEqual(thing({ status: { a: 'x' } }))
  })

  it('leaves rules in CEL to the API server, where the object comes to one', () => {
    const ruled = { ...text, 'x-kubernetes-validations': [{ rule: 'self == "a"' }] }
    const schema = object({
      a: ruled,
      b: ruled,
      list: { type: 'array', items: ruled },
      map: { type: 'object', additionalProperties: ruled },
    })
    const { unknown } = decode(schema, thing({ a: 'x', list: ['x', 'y'], map: { k: 'x' } }))
    expect(unknown).toEqual([[{ property: 'a' }], [{ property: 'list' }, 'items'], [{ property: 'map' }, 'values']])
  })

  it('refuses names and labels that are none', () => {
    const { invalid } = decode(object({}), {
      apiVersion: 'a/v1',
      kind: 'Thing',
      metadata: { name: 'X_', labels: { a: '!' } },
    })
    expect(invalid.map(({ field }) => field)).toEqual(['metadata.name', 'metadata.labels'])
  })
})

describe('survives', () => {
  const before = object({ f: object({ a: text, b: text, engines: { type: 'array', items: text } }) })
  const rows: [what: string, after: JSONSchema, f: unknown, pruned: unknown[], invalid: string[]][] = [
    ['the same schema', before, { a: 'x' }, [], []],
    [
      'a field that goes, with its value',
      object({ f: object({ a: text }) }),
      { a: 'x', b: 'y' },
      [{ path: ['f', 'b'], value: 'y' }],
      [],
    ],
    ['a field that goes, and was not there', object({ f: object({ a: text }) }), { a: 'x' }, [], []],
    ['what was unknown before is no loss', object({ f: object({ a: text }) }), { junk: 1 }, [], []],
    ['a field that is required now', object({ f: object({ a: text, c: text }, { required: ['c'] }) }), {}, [], ['f.c']],
    ['with a default', object({ f: object({ c: { ...text, default: 'x' } }, { required: ['c'] }) }), {}, [], []],
    [
      'strings that become objects',
      object({ f: object({ engines: { type: 'array', items: object({ name: text }) } }) }),
      { engines: ['vllm'] },
      [],
      ['f.engines[0]'],
    ],
    ['what was invalid before', object({ f: object({ a: text, z: text }) }), { a: 1 }, [], []],
  ]
  it.each(rows)('%s', (_, after, f, pruned, invalid) => {
    const loss = survives(before, after, thing({ f }))
    expect(loss.pruned).toEqual(pruned)
    expect(loss.invalid.map(({ field }) => field)).toEqual(invalid)
  })
})
