/** Random structural schemas that an API server accepts, with objects for them: most nearly right, many not quite. */
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'
import { isSchema, listOf, schemaOf } from '../../../src/crds/comparison/schema-reading.ts'
import { pruneNode } from '../../../src/crds/decode/prune.ts'
import { validateNode } from '../../../src/crds/decode/validate.ts'
import type { Chance } from '../seeded.ts'
import { decodeTexts, formatTexts, patterns } from './crd-decode-texts.ts'

type Schema = Record<string, unknown>

const names = ['a', 'b', 'c', 'items', 'kind', 'metadata', 'constructor', 'x-y'] as const
const numbers = [0, 1, -1, 2, 3, 97, 1.5, -1.5, 0.5, 1e20, 2147483648, -2147483649, 3.5e38, 1000000000.5, 4.0000000001]
const wholes = [0, 1, 2, 3, 5, 97, -4]

/** A schema for one field. */
export function randomSchema(chance: Chance, depth = 0): Schema {
  const kinds = depth < 3 ? [...scalarKinds, ...nestingKinds, ...nestingKinds] : scalarKinds
  const schema = chance.pick(kinds)(chance, depth)
  if (chance.below(5) === 0) schema['nullable'] = true
  // CEL has no word for some schemas without a type.
  if (depth === 0 && isScalar(schema) && chance.below(3) === 0) schema['x-kubernetes-validations'] = [{ rule: 'true' }]
  addBranches(chance, schema)
  if (chance.below(depth === 0 ? 2 : 3) === 0) addDefault(chance, schema)
  return schema
}

function isScalar({ type }: Schema): boolean {
  return ['string', 'integer', 'number', 'boolean'].includes(String(type))
}

type Kind = (chance: Chance, depth: number) => Schema

const text: Kind = (chance) => ({
  type: 'string',
  ...sometimes(chance, 4, () => ({ format: chance.pick([...Object.keys(formatTexts), 'int32', 'unknown']) })),
  ...valueWords(chance, 'string'),
})
const whole: Kind = (chance) => ({
  type: 'integer',
  ...sometimes(chance, 3, () => ({ format: chance.pick(['int32', 'int64', 'date', 'double']) })),
  ...valueWords(chance, 'integer'),
})
const number: Kind = (chance) => ({
  type: 'number',
  ...sometimes(chance, 3, () => ({ format: chance.pick(['float', 'double', 'int32']) })),
  ...valueWords(chance, 'number'),
})
const intOrString: Kind = (chance) => ({
  'x-kubernetes-int-or-string': true,
  ...sometimes(chance, 2, () => ({ anyOf: [{ type: 'integer' }, { type: 'string' }] })),
  ...valueWords(chance, chance.pick(['string', 'integer'])),
})
const anything: Kind = () => ({ 'x-kubernetes-preserve-unknown-fields': true })

const scalarKinds: Kind[] = [text, text, whole, number, () => ({ type: 'boolean' }), intOrString, anything]

const object: Kind = (chance, depth) => {
  const properties = Object.fromEntries(
    names.filter(() => chance.below(5) < 2).map((name) => [name, randomSchema(chance, depth + 1)]),
  )
  return {
    type: 'object',
    properties,
    ...sometimes(chance, 4, () => ({ 'x-kubernetes-preserve-unknown-fields': true })),
    ...valueWords(chance, 'object', Object.keys(properties)),
  }
}
const map: Kind = (chance, depth) => ({
  type: 'object',
  additionalProperties: chance.below(5) === 0 ? true : randomSchema(chance, depth + 1),
  ...valueWords(chance, 'object'),
})
const list: Kind = (chance, depth) => ({
  type: 'array',
  items: randomItem(chance, depth),
  ...sometimes(chance, 5, () => ({ 'x-kubernetes-list-type': 'atomic' })),
  ...valueWords(chance, 'array'),
})
const set: Kind = (chance) => ({
  type: 'array',
  items: chance.pick([text, whole, number])(chance, 3),
  'x-kubernetes-list-type': 'set',
})
const listMap: Kind = (chance, depth) => {
  const keys = chance.pick([['a'], ['b'], ['a', 'b']])
  const key = (): Schema => ({
    type: chance.pick(['string', 'integer']),
    ...sometimes(chance, 3, () => ({ enum: [1, 'a'] })),
  })
  return {
    type: 'array',
    items: {
      type: 'object',
      properties: { a: key(), b: key(), c: randomSchema(chance, depth + 1) },
      required: keys,
    },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
  }
}
const embedded: Kind = (chance, depth) => ({
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  properties: { spec: randomSchema(chance, depth + 1) },
  ...sometimes(chance, 2, () => ({ 'x-kubernetes-preserve-unknown-fields': true })),
})

const nestingKinds: Kind[] = [object, object, map, list, set, listMap, embedded]

function randomItem(chance: Chance, depth: number): Schema {
  const schema = randomSchema(chance, depth + 1)
  return schema['type'] === undefined && schema['x-kubernetes-int-or-string'] === undefined
    ? text(chance, depth)
    : schema
}

function sometimes<T extends object>(chance: Chance, oneIn: number, make: () => T): T | object {
  return chance.below(oneIn) === 0 ? make() : {}
}

/** Words about values, as they may also stand in branches. */
function valueWords(chance: Chance, type: string, fields: string[] = []): Schema {
  const one = <T>(word: string, oneIn: number, choices: readonly T[]): Schema =>
    chance.below(oneIn) === 0 ? { [word]: chance.pick(choices) } : {}
  switch (type) {
    case 'string':
      return {
        ...one('minLength', 6, [0, 1, 2]),
        ...one('maxLength', 6, [1, 2, 5]),
        ...one('pattern', 4, patterns),
        ...one('enum', 8, [['a', 'ab'], ['a'], ['', '12', 'x']]),
      }
    case 'array':
      return { ...one('minItems', 4, [0, 1, 2]), ...one('maxItems', 4, [1, 2, 3]) }
    case 'object':
      return {
        ...one('minProperties', 6, [1, 2]),
        ...one('maxProperties', 6, [1, 2, 3]),
        ...(fields.length > 0 ? one('required', 3, [[chance.pick(fields)], fields.slice(0, 2)]) : {}),
      }
    default:
      return numberWords(chance, type)
  }
}

function numberWords(chance: Chance, type: string): Schema {
  // A bound with a fraction refuses every integer: not too many of them.
  const bounds = type === 'integer' && chance.below(10) > 0 ? wholes : [...wholes, 1.5, -1.5, 0.5]
  return {
    ...sometimes(chance, 4, () => ({
      minimum: chance.pick(bounds),
      ...sometimes(chance, 2, () => ({ exclusiveMinimum: true })),
    })),
    ...sometimes(chance, 4, () => ({
      maximum: chance.pick(bounds),
      ...sometimes(chance, 2, () => ({ exclusiveMaximum: true })),
    })),
    ...sometimes(chance, 6, () => ({ multipleOf: chance.pick(chance.below(6) > 0 ? [1, 2, 3] : [0.5, 1.5, 0.1]) })),
    ...sometimes(chance, 8, () => ({ enum: chance.pick([[1, 2], [1.5], [0, 97]]) })),
  }
}

function addBranches(chance: Chance, schema: Schema): void {
  const branches = (): Schema[] => [branchOf(chance, schema), ...chance.several(2, () => branchOf(chance, schema))]
  if (chance.below(14) === 0 && schema['anyOf'] === undefined) schema['anyOf'] = branches()
  if (chance.below(14) === 0) schema['oneOf'] = branches()
  if (chance.below(14) === 0) schema['allOf'] = branches()
  if (chance.below(14) === 0) schema['not'] = branchOf(chance, schema)
}

/** What may stand in a branch: nothing but words about values, of fields that the schema itself names. */
function branchOf(chance: Chance, schema: JSONSchema): Schema {
  const properties = schemaOf(schema['properties'])
  const fields = Object.keys(properties).filter((name) => name !== 'metadata')
  const field = fields.length > 0 ? chance.pick(fields) : undefined
  const type = typeof schema['type'] === 'string' ? schema['type'] : chance.pick(['string', 'integer'])
  const inner =
    field !== undefined && chance.flip()
      ? { properties: { [field]: branchOf(chance, schemaOf(properties[field])) } }
      : isSchema(schema['items']) && chance.flip()
        ? { items: branchOf(chance, schema['items']) }
        : {}
  const formats =
    type === 'string' ? sometimes(chance, 5, () => ({ format: chance.pick(Object.keys(formatTexts)) })) : {}
  const nested = sometimes(chance, 10, () => ({ anyOf: [branchOf(chance, schema), branchOf(chance, schema)] }))
  return { ...valueWords(chance, type, fields), ...inner, ...formats, ...nested }
}

/** A default has to be valid by itself, and to have no unknown field. */
function addDefault(chance: Chance, schema: Schema): void {
  if (JSON.stringify(schema).includes('embedded')) return
  for (let tries = 0; tries < 6; tries++) {
    const value = randomValue(chance, schema, 0)
    if (value === null || value === undefined || pruneNode(schema, value).pruned.length > 0) continue
    if (validateNode(schema, value).length > 0) continue
    schema['default'] = value
    return
  }
}

/** A value for the schema; one in `wildness` leaves is something else, none where it is 0. */
export function randomValue(chance: Chance, schema: JSONSchema, wildness: number): unknown {
  if (wildness > 0 && chance.below(wildness) === 0) return chance.below(3) === 0 ? null : anyValue(chance, 2)
  if (schema['nullable'] === true && chance.below(5) === 0) return null
  const allowed = listOf(schema['enum'])
  if (allowed.length > 0)
    return chance.below(4) > 0 ? chance.pick(allowed) : chance.pick(wildness > 0 ? lookalikes : allowed)
  switch (schema['type']) {
    case 'string':
      if (wildness > 0 && schema['format'] !== undefined && chance.below(6) === 0) return chance.pick(lookalikes)
      return randomText(chance, schema)
    case 'integer':
      return chance.pick(wholes)
    case 'number':
      return chance.pick(chance.flip() ? wholes : numbers)
    case 'boolean':
      return chance.flip()
    case 'array':
      return randomList(chance, schema, wildness)
    case 'object':
      return randomObject(chance, schema, wildness)
    default:
      return schema['x-kubernetes-int-or-string'] === true
        ? chance.pick([...wholes, 'a', '12', ''])
        : anyValue(chance, 2)
  }
}

/** In every other one the same entries come again. */
function randomList(chance: Chance, schema: JSONSchema, wildness: number): unknown[] {
  const item = (): unknown => randomValue(chance, schemaOf(schema['items']), wildness)
  const few = [item(), item()]
  return chance.flip() ? chance.several(4, () => chance.pick(few)) : chance.several(3, item)
}

/** What types that are alike take for one another. */
const lookalikes: unknown[] = [1, 1.5, 97, '', 'a', [], ['a'], {}, null]

function randomText(chance: Chance, schema: JSONSchema): string {
  const format = typeof schema['format'] === 'string' ? schema['format'] : ''
  return Object.hasOwn(formatTexts, format) && chance.below(8) > 0
    ? chance.pick(formatTexts[format] ?? [''])
    : chance.pick(decodeTexts)
}

function randomObject(chance: Chance, schema: JSONSchema, wildness: number): Record<string, unknown> {
  const values = schema['additionalProperties']
  if (values !== undefined) {
    const keys = names.filter(() => chance.below(4) === 0)
    const inner = isSchema(values)
      ? (): unknown => randomValue(chance, values, wildness)
      : (): unknown => anyValue(chance, 2)
    return Object.fromEntries(keys.map((key) => [key, inner()]))
  }
  const required = listOf(schema['required'])
  const entries = Object.entries(schemaOf(schema['properties']))
    .filter(([name, field]) => {
      const isDefaulted = schemaOf(field)['default'] !== undefined
      return chance.below(isDefaulted ? 2 : required.includes(name) ? 8 : 3) > 0
    })
    .map(([name, field]) => {
      const isNull = wildness > 0 && chance.below(10) === 0
      return [name, isNull ? null : randomValue(chance, schemaOf(field), wildness)] as const
    })
  const extra =
    wildness > 0 && chance.below(4) === 0 ? [[chance.pick([...names, 'unknown']), anyValue(chance, 2)] as const] : []
  const own = schema['x-kubernetes-embedded-resource'] === true ? embeddedFields(chance, wildness) : {}
  return { ...own, ...Object.fromEntries([...extra, ...entries]) }
}

function embeddedFields(chance: Chance, wildness: number): Record<string, unknown> {
  const odd = wildness > 0 && chance.below(4) === 0
  const apiVersion = odd ? chance.pick(['', 'a/b/c', 'v1', 'apps/v1', 7]) : 'v1'
  const kind = odd ? chance.pick(['', 'Not_A-Kind', 'kind', null]) : 'Pod'
  return {
    ...(odd && chance.flip() ? {} : { apiVersion }),
    ...(odd && chance.flip() ? {} : { kind }),
    ...sometimes(chance, 2, () => ({ metadata: randomMetadata(chance, odd ? 1 : 4) })),
  }
}

const goodMetadata: Record<string, unknown>[] = [
  {},
  { labels: { app: 'a', 'example.com/x': '' } },
  { annotations: { note: 'Anything, really' }, finalizers: ['example.com/f'] },
  { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }] },
  { labels: null, finalizers: [] },
]
const oddMetadata: unknown[] = [
  { unknown: 1, labels: {} },
  { labels: { 'not a key': 'v' } },
  { labels: { a: 'not a value!' } },
  { annotations: { 'a/b/c': '' } },
  { ownerReferences: [{ kind: 'Pod', extra: true }] },
  { finalizers: ['not qualified!'] },
  { labels: { a: null } },
  { labels: 'no map' },
  { labels: { a: 1 } },
  { generation: 'one' },
]

/** Metadata without names; one in `oddity` is something that is pruned or refused. */
export function randomMetadata(chance: Chance, oddity: number): unknown {
  return chance.below(oddity) === 0 ? chance.pick(oddMetadata) : chance.pick(goodMetadata)
}

function anyValue(chance: Chance, depth: number): unknown {
  const scalars: unknown[] = [null, true, false, ...numbers, ...decodeTexts.slice(0, 6)]
  if (depth === 0 || chance.below(3) > 0) return chance.pick(scalars)
  if (chance.flip()) return chance.several(2, () => anyValue(chance, depth - 1))
  return Object.fromEntries(chance.several(2, () => [chance.pick(names), anyValue(chance, depth - 1)]))
}
