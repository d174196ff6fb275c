/** Where the profile `kubernetes` differs from crdify: the cases of docs/crdify.md, whose rows these are. */
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { definition, object, root, version, webhook } from '../../unit/crds/comparison/definitions.ts'
import {
  a,
  anything,
  cel,
  combined,
  either,
  integer,
  list,
  listOf,
  map,
  number,
  open,
  text,
} from '../../unit/crds/comparison/schemas.ts'

type Definition = CustomResourceDefinition
export type Pair = [name: string, before: Definition, after: Definition]

const v1 = (schema: JSONSchema, others: object = {}) => version('v1', { root: schema, ...others })
const v2 = (schema: JSONSchema, others: object = {}) => version('v2', { root: schema, ...others })

/** The field `spec.x`, in the only version. */
const field = (name: string, before: JSONSchema, after: JSONSchema): Pair => [
  name,
  definition([v1(root(object({ x: before })))]),
  definition([v1(root(object({ x: after })))]),
]

const spec = (properties: Record<string, JSONSchema>, others: JSONSchema = {}) => root(object(properties, others))
const plain = spec({ x: text })
const status = (others: JSONSchema) => object({ status: object({ ready: { type: 'boolean' } }, others) })

const enumOf = (...values: string[]) => ({ ...text, enum: values })
const rule = { rule: 'self != ""', message: 'not empty' }

/** What crdify refuses although it hurts nobody, or less. */
const tooStrict: Pair[] = [
  field('description', { ...text, description: 'One.' }, { ...text, description: 'Two.' }),
  field('title', text, { ...text, title: 'X' }),
  [
    'required-with-default',
    definition([v1(plain)]),
    definition([v1(spec({ x: text, y: { ...text, default: 'a' } }, { required: ['y'] }))]),
  ],
  field('enum-dropped', enumOf('a', 'b'), text),
  field('enum-value-added', enumOf('a'), enumOf('a', 'b')),
  field('wider-type', integer, number),
  field('any-value', text, anything),
  field('default-added', text, { ...text, default: 'a' }),
  field('least-length-of-nothing', text, { ...text, minLength: 0 }),
  field('same-numbers', { ...integer, minimum: 0, exclusiveMinimum: true }, { ...integer, minimum: 1 }),
  field('any-number-or-text-twice', either, { ...either, anyOf: [integer, text] }),
  field('pattern-removed', { ...text, pattern: '^a' }, text),
  field('nullable-added', text, { ...text, nullable: true }),
  field('format-not-enforced', text, { ...text, format: 'quantity' }),
  field('rule-removed', cel(rule), text),
  field('message-of-a-rule', cel(rule), cel({ ...rule, message: 'must not be empty' })),
  field(
    'alternative-added',
    combined('anyOf', { pattern: '^a' }),
    combined('anyOf', { pattern: '^a' }, { pattern: '^b' }),
  ),
  field(
    'alternatives-in-another-order',
    combined('anyOf', { pattern: '^a' }, { pattern: '^b' }),
    combined('anyOf', { pattern: '^b' }, { pattern: '^a' }),
  ),
  field('unknown-fields-kept', { type: 'object' }, open),
  [
    'converted-by-a-webhook',
    definition([v1(plain)]),
    definition([v1(plain), v2(spec({ y: text }))], { conversion: webhook }),
  ],
]

/** What crdify lets pass although it hurts. */
const tooLenient: Pair[] = [
  ['version-removed', definition([v1(plain), v2(plain)]), definition([v1(plain)])],
  ['version-unserved', definition([v1(plain), v2(plain)]), definition([v1(plain), v2(plain, { served: false })])],
  ['stored-version-removed', definition([v1(plain), v2(plain)]), definition([v2(plain)])],
  [
    'storage-in-a-new-version',
    definition([v1(plain)]),
    definition([v1(plain), v2(plain, { storage: true })], { conversion: webhook }),
  ],
  [
    'webhook-removed',
    definition([v1(plain), v2(spec({ y: text }))], { conversion: webhook }),
    definition([v1(plain), v2(spec({ y: text }))]),
  ],
  [
    'unserved-versions-differ',
    definition([v1(plain)]),
    definition([v1(plain), v2(spec({ y: text }), { served: false, storage: true })]),
  ],
  ['no-longer-required-in-status', definition([v1(status({ required: ['ready'] }))]), definition([v1(status({}))])],
  [
    'new-limit-on-what-was-kept',
    definition([v1(root(open))]),
    definition([v1(root({ ...open, properties: { x: integer } }))]),
  ],
  field('beside-alternatives', combined('anyOf', { pattern: '^a' }), {
    ...combined('anyOf', { pattern: '^a' }),
    maxLength: 3,
  }),
  ['subresource-status', definition([v1(plain)]), definition([v1(plain, { subresources: { status: {} } })])],
  [
    'subresource-scale-removed',
    definition([
      v1(plain, { subresources: { scale: { specReplicasPath: '.spec.x', statusReplicasPath: '.status.x' } } }),
    ]),
    definition([v1(plain)]),
  ],
  [
    'selectable-field-removed',
    definition([v1(plain, { selectableFields: [{ jsonPath: '.spec.x' }] })]),
    definition([v1(plain)]),
  ],
  ['another-kind', definition([v1(plain)]), definition([v1(plain)], { names: { plural: 'models', kind: 'Other' } })],
]

/** What both see, and crdify says in words that do not help. */
const otherWords: Pair[] = [
  field('renamed', object({ a: text }), object({ b: text })),
  field('values-become-fields', { type: 'object', additionalProperties: text }, object({ a: text })),
  field('rule-added', text, cel(rule)),
  field('pattern-added', text, { ...text, pattern: '^a' }),
  field('items-become-a-set', list, { ...list, 'x-kubernetes-list-type': 'set' }),
  field('unknown-fields-pruned', open, { type: 'object' }),
  ['no-conversion', definition([v1(plain)]), definition([v1(plain), v2(spec({ y: text }))])],
]

/** What hurts only whoever goes back. */
const onlyBack: Pair[] = [
  ['optional-field', definition([v1(plain)]), definition([v1(spec({ x: text, y: text }))])],
  [
    'optional-object',
    definition([v1(plain)]),
    definition([v1(spec({ x: text, y: object({ z: text }, { required: ['z'] }) }))]),
  ],
  [
    'new-field-with-default',
    definition([v1(plain)]),
    definition([v1(spec({ x: text, y: { ...text, default: 'a' } }))]),
  ],
]

/** One heading of the page each. */
export const differences: Record<string, Pair[]> = {
  'Refused by crdify, though it hurts nobody, or less': tooStrict,
  'Passed by crdify, though it hurts': tooLenient,
  'Seen by both, in other words': otherWords,
  'Passed by both, but not on the way back': onlyBack,
}

/** Words that a file may say for nothing, or almost: Go drops what it does not know, and knows zero values from none in some fields. */
export const readings: Pair[] = [
  field(
    'an unknown word in an alternative',
    combined('anyOf', { maxLength: 1 }),
    combined('anyOf', { maxLength: 1, b: 1 }),
  ),
  field('an unknown word in a value', map, { ...map, additionalProperties: { ...text, b: 1 } }),
  field('nullable: false', text, { ...text, nullable: false }),
  field('an empty title', text, { ...text, title: '' }),
  field('no alternatives', text, { ...text, anyOf: [] }),
  field('a default of null', text, { ...text, default: null }),
  field('a default of nothing', text, { ...text, default: '' }),
  field('an example of false', text, { ...text, example: false }),
  field('empty documentation elsewhere', text, { ...text, externalDocs: {} }),
  field('not what accepts everything', text, { ...text, not: {} }),
  field('no values', { type: 'object' }, { type: 'object', additionalProperties: false }),
  field('any values', { type: 'object' }, { type: 'object', additionalProperties: true }),
  field('unknown fields pruned, in words', a, { ...a, 'x-kubernetes-preserve-unknown-fields': false }),
  field('no text and number, in words', text, { ...text, 'x-kubernetes-int-or-string': false }),
  field('a list of no type', list, listOf('')),
  field('a rule without a message', cel({ rule: 'true' }), cel({ rule: 'true', message: '' })),
  field('a rule without an old self', cel({ rule: 'true' }), cel({ rule: 'true', optionalOldSelf: false })),
  field('no least length, and one of 0', text, { ...text, minLength: 0 }),
]
