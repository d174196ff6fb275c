/** The validator that the other schema tests rest on: one line a keyword, what fits and what does not. */
import { describe, expect, test } from 'vitest'
import { type JsonSchema, validate } from '../../support/json-schema.ts'

const cases: [name: string, schema: JsonSchema, good: unknown[], bad: unknown[]][] = [
  ['type', { type: 'string' }, ['', 'a'], [1, null, [], {}, undefined]],
  ['type object', { type: 'object' }, [{}], [[], null, 'a']],
  ['type array', { type: 'array' }, [[]], [{}, null]],
  ['type integer', { type: 'integer' }, [1, 0], [1.5, '1']],
  ['several types', { type: ['string', 'null'] }, ['a', null], [1]],
  ['const', { const: { a: [1] } }, [{ a: [1] }], [{ a: [2] }, { a: [1], b: 1 }, {}]],
  ['enum', { enum: ['a', 1] }, ['a', 1], ['b', '1']],
  ['pattern', { pattern: '^a+$' }, ['aa', 1], ['ab']],
  ['minimum', { minimum: 0 }, [0, 'a'], [-1]],
  ['minLength', { minLength: 1 }, ['a'], ['']],
  ['minItems', { minItems: 1 }, [[0]], [[]]],
  ['required', { required: ['a'] }, [{ a: undefined }, { a: 1 }, 'no object'], [{}, { b: 1 }]],
  ['properties', { properties: { a: { type: 'string' } } }, [{}, { a: 'x' }, { b: 1 }], [{ a: 1 }]],
  ['additionalProperties false', { properties: { a: {} }, additionalProperties: false }, [{ a: 1 }], [{ b: 1 }]],
  ['additionalProperties schema', { additionalProperties: { type: 'string' } }, [{ b: 'x' }], [{ b: 1 }]],
  ['items', { items: { type: 'string' } }, [[], ['a'], 'no list'], [[1], ['a', 1]]],
  ['oneOf', { oneOf: [{ type: 'string' }, { const: 1 }] }, ['a', 1], [2]],
  ['oneOf with two that fit', { oneOf: [{ type: 'string' }, { pattern: '^a' }] }, ['b'], ['a']],
  ['$ref', { $defs: { t: { type: 'string' } }, items: { $ref: '#/$defs/t' } }, [['a']], [[1]]],
]

describe.each(cases)('%s', (_, schema, good, bad) => {
  test.each(good.map((value) => [value]))('%j fits', (value) => expect(validate(value, schema)).toEqual([]))
  test.each(bad.map((value) => [value]))('%j does not', (value) => expect(validate(value, schema)).not.toEqual([]))
})

test('errors name the path', () => {
  const schema = { properties: { a: { items: { properties: { b: { type: 'string' } } } } } }
  expect(validate({ a: [{}, { b: 1 }] }, schema)).toEqual(['$.a[1].b: number is not string'])
})

test.each([
  ['an unknown keyword', { minimun: 1 }],
  ['an unknown type', { type: 'text' }],
  ['a reference to nowhere', { $ref: '#/$defs/none' }],
  ['a reference to another file', { $ref: 'other.json' }],
])('%s throws', (_, schema) => expect(() => validate(1, schema)).toThrow(/schema|validator/))
