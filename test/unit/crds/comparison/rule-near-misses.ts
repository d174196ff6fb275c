import type { JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import { object } from './definitions.ts'

import { a, anything, cel, combined, integer, list, listOf, map, open, text } from './schemas.ts'

type Schema = JSONSchema
type Ids = string[]

/** What looks like a change of each rule, and is none. */
export const nearMisses: [rule: string, what: string, before: Schema, after: Schema, others?: Ids][] = [
  ['type', 'a number with the format of an integer', integer, { ...integer }],
  ['int-or-string', 'the flag is off', text, { ...text, 'x-kubernetes-int-or-string': false }],
  ['nullable', 'the flag is off', text, { ...text, nullable: false }],
  ['enum', 'another order', { ...text, enum: ['a', 'b'] }, { ...text, enum: ['b', 'a', 'a'] }],
  ['minimum', 'the same whole numbers', { ...integer, minimum: 0, exclusiveMinimum: true }, { ...integer, minimum: 1 }],
  ['maximum', 'the same whole numbers', { ...integer, maximum: 1.5 }, { ...integer, maximum: 1 }],
  ['multiple-of', 'every whole number', integer, { ...integer, multipleOf: 1 }],
  ['min-length', 'the same', { ...text, minLength: 1 }, { minLength: 1, ...text }],
  ['max-length', 'the same', { ...text, maxLength: 1 }, { maxLength: 1, ...text }],
  ['min-items', 'from none to no effect and back', { ...list, minItems: 0 }, list],
  ['max-items', 'the same', { ...list, maxItems: 0 }, { maxItems: 0, ...list }],
  ['min-properties', 'from none to no effect and back', { ...map, minProperties: 0 }, map],
  ['max-properties', 'the same', { ...map, maxProperties: 1 }, { maxProperties: 1, ...map }],
  ['pattern', 'an empty one', text, { ...text, pattern: '' }],
  ['format', 'every text is a password', text, { ...text, format: 'password' }, ['format.unenforced']],
  ['required', 'inside a new field', object({}), object({ a: { ...a, required: ['a'] } }), ['property.added']],
  [
    'default',
    'the same in another order',
    { ...open, default: { a: 1, b: 1 } },
    { ...open, default: { b: 1.0, a: 1 } },
  ],
  ['property', 'another order', object({ a: text, b: text }), object({ b: text, a: text })],
  ['additional-properties', 'false says nothing', a, { ...a, additionalProperties: false }],
  ['additional-properties', 'anything, in other words', open, { type: 'object', additionalProperties: anything }],
  ['preserve-unknown-fields', 'the flag is off', a, { ...a, 'x-kubernetes-preserve-unknown-fields': false }],
  ['items', 'the same', list, { items: { ...text }, type: 'array' }],
  ['all-of', 'a condition with nothing but words', text, combined('allOf', { description: 'x' })],
  ['any-of', 'an alternative that accepts everything', text, combined('anyOf', { pattern: 'a' }, {})],
  [
    'one-of',
    'another order and other words',
    combined('oneOf', { pattern: 'a' }, { pattern: 'b' }),
    combined('oneOf', { pattern: 'b' }, { pattern: 'a', description: 'x' }),
  ],
  ['not', 'other words', { ...text, not: { pattern: 'a' } }, { ...text, not: { pattern: 'a', title: 'x' } }],
  [
    'validation-rule',
    'another order and spaces',
    cel({ rule: 'a' }, { rule: 'b' }),
    cel({ rule: 'b ' }, { rule: 'a', optionalOldSelf: false }),
  ],
  ['list-type', 'what is so anyway', list, listOf('atomic')],
  ['list-map-keys', 'another order', listOf('map', 'a', 'b'), listOf('map', 'b', 'a')],
  ['map-type', 'what is so anyway', a, { ...a, 'x-kubernetes-map-type': 'granular' }],
  ['embedded-resource', 'the flag is off', open, { ...open, 'x-kubernetes-embedded-resource': false }],
  [
    'documentation',
    'a field that is named description',
    object({ description: text }),
    object({ description: { ...text } }),
  ],
  ['keyword', 'a word that is off', list, { ...list, uniqueItems: false }],
]
