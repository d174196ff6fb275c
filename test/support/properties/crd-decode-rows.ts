/** Values that are judged by hand: the unit tests hold our validation to it, the integration tests a real API server. */
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'

const text = { type: 'string' }
const whole = { type: 'integer' }
const number = { type: 'number' }
const either = { 'x-kubernetes-int-or-string': true }
const list = (items: JSONSchema, words: JSONSchema = {}): JSONSchema => ({ type: 'array', items, ...words })
const object = (properties: JSONSchema, words: JSONSchema = {}): JSONSchema => ({
  type: 'object',
  properties,
  ...words,
})
const embedded = { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: text } }
const keyed = list(object({ a: text, b: whole }, { required: ['a', 'b'] }), {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['a', 'b'],
})
const uniqueTexts = list(text, { 'x-kubernetes-list-type': 'set' })

export type DecodeRow = [what: string, schema: JSONSchema, value: unknown, refusals: string[]]

const types: DecodeRow[] = [
  ['a string', text, 'a', []],
  ['a number for a string', text, 1, ['TypeInvalid f']],
  ['null for a string', text, null, ['TypeInvalid f']],
  ['null where it is allowed', { ...text, nullable: true }, null, []],
  [
    'null beside an enum, even where it is allowed',
    { ...text, nullable: true, enum: ['a', null] },
    null,
    ['NotSupported f'],
  ],
  ['an integer', whole, 3, []],
  ['a fraction for an integer', whole, 1.5, ['TypeInvalid f', 'Invalid <nil>']],
  ['an integer beyond int64', whole, 1e20, ['TypeInvalid f', 'Invalid <nil>']],
  ['an integer for a number', number, 3, []],
  ['either: an integer', either, 3, []],
  ['either: a string', either, '3', []],
  ['either: a fraction', either, 1.5, ['TypeInvalid f']],
  ['int32: the largest', { ...whole, format: 'int32' }, 2147483647, []],
  ['int32: one more', { ...whole, format: 'int32' }, 2147483648, ['Invalid <nil>']],
  ['float: too large', { ...number, format: 'float' }, 3.5e38, ['Invalid <nil>']],
  ['a list for a string with a format: nobody looks', { ...text, format: 'date' }, [1], []],
  ['a map for a string with a format', { ...text, format: 'date' }, {}, ['TypeInvalid f']],
  ['a format that nobody knows', { ...text, format: 'whatever' }, 'a', []],
  ['a format that is not fulfilled', { ...text, format: 'date-time' }, 'a', ['TypeInvalid f']],
]

const values: DecodeRow[] = [
  ['length in code points', { ...text, maxLength: 1 }, '𝄞', []],
  ['too long', { ...text, maxLength: 1 }, 'ab', ['TooLong f']],
  ['too short, and nothing about the pattern', { ...text, minLength: 2, pattern: '^b' }, 'a', ['Invalid f']],
  ['an enum', { ...text, enum: ['a'] }, 'b', ['NotSupported f']],
  ['an enum of integers, and a fraction of one', { ...number, enum: [1] }, 1.5, []],
  ['an enum of strings, and the code of a character', { ...either, enum: ['a'] }, 97, []],
  ['minimum', { ...whole, minimum: 1 }, 0, ['Invalid f']],
  ['minimum, exactly', { ...whole, minimum: 1 }, 1, []],
  ['minimum, exclusive', { ...whole, minimum: 1, exclusiveMinimum: true }, 1, ['Invalid f']],
  ['minimum with a fraction, of a number: cut off', { ...number, minimum: 1.5 }, 1, []],
  ['minimum with a fraction, of an integer: none is right', { ...whole, minimum: 1.5 }, 7, ['Invalid <nil>']],
  ['maximum', { ...whole, maximum: 1 }, 2, ['Invalid f']],
  ['maximum, exclusive', { ...number, maximum: 1, exclusiveMaximum: true }, 1, ['Invalid f']],
  ['a multiple', { ...whole, multipleOf: 3 }, 9, []],
  ['no multiple', { ...whole, multipleOf: 3 }, 10, ['Invalid f']],
  ['an integer of a half: none is', { ...number, multipleOf: 0.5 }, 1, ['Invalid f']],
  ['a fraction of a half', { ...number, multipleOf: 0.5 }, 1.5, []],
  ['too few items', list(text, { minItems: 1 }), [], ['Invalid f']],
  ['too many items', list(text, { maxItems: 1 }), ['a', 'b'], ['TooMany f']],
  ['an item', list(text), ['a', 1], ['TypeInvalid f[1]']],
  ['too few properties', object({}, { minProperties: 1 }), {}, ['Invalid f']],
  ['too many properties', object({ a: text, b: text }, { maxProperties: 1 }), { a: 'a', b: 'b' }, ['TooMany f']],
  ['required', object({ a: text }, { required: ['a'] }), {}, ['Required f.a']],
  ['required, but null', object({ a: text }, { required: ['a'] }), { a: null }, ['TypeInvalid f.a']],
  ['the value of a map', { type: 'object', additionalProperties: whole }, { x: 'a' }, ['TypeInvalid f.x']],
]

const branches: DecodeRow[] = [
  ['anyOf: one', { ...text, anyOf: [{ minLength: 2 }, { enum: ['a'] }] }, 'a', []],
  [
    'anyOf: none, and why',
    { ...text, anyOf: [{ minLength: 2 }, { minLength: 3 }] },
    'a',
    ['Invalid <nil>', 'Invalid f'],
  ],
  ['oneOf: one', { ...text, oneOf: [{ minLength: 1 }, { minLength: 2 }] }, 'a', []],
  ['oneOf: two', { ...text, oneOf: [{ minLength: 1 }, { minLength: 2 }] }, 'ab', ['Invalid <nil>']],
  ['oneOf: none', { ...text, oneOf: [{ enum: ['b'] }] }, 'a', ['Invalid <nil>', 'NotSupported f']],
  ['allOf', { ...text, allOf: [{ minLength: 1 }, { minLength: 2 }] }, 'a', ['Invalid f', 'Invalid <nil>']],
  ['not', { ...text, not: { enum: ['a'] } }, 'a', ['Invalid <nil>']],
  ['not, otherwise', { ...text, not: { enum: ['a'] } }, 'b', []],
]

const listsAndObjects: DecodeRow[] = [
  ['a set', uniqueTexts, ['a', 'b'], []],
  ['a set with an entry three times: the second is told', uniqueTexts, ['a', 'a', 'a'], ['Duplicate f[1]']],
  [
    'keys that differ in one',
    keyed,
    [
      { a: 'x', b: 1 },
      { a: 'x', b: 2 },
    ],
    [],
  ],
  [
    'the same keys',
    keyed,
    [
      { a: 'x', b: 1 },
      { b: 1, a: 'x', c: 2 },
    ],
    ['Duplicate f[1]'],
  ],
  ['within a map', { type: 'object', additionalProperties: uniqueTexts }, { k: ['a', 'a'] }, ['Duplicate f[k][1]']],
  ['an embedded object', embedded, { apiVersion: 'v1', kind: 'Pod' }, []],
  ['an embedded object without a kind', embedded, { apiVersion: 'v1' }, ['Required f.kind']],
  [
    'an embedded object of no kind',
    embedded,
    { apiVersion: 'a/b/c', kind: '9' },
    ['Invalid f.apiVersion', 'Invalid f.kind'],
  ],
  [
    'labels of an embedded object',
    embedded,
    { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { 'no key': 'a' } } },
    ['Invalid f.metadata.labels'],
  ],
]

export const decodeRows: readonly DecodeRow[] = [...types, ...values, ...branches, ...listsAndObjects]
