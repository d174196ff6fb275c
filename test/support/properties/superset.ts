import { expect } from 'vitest'
import { isSuperset } from '../../../src/crds/superset.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { validate } from '../json-schema.ts'
import { type Chance, defined, type Property } from '../seeded.ts'

type Schema = Record<string, unknown>
type Edit = (schema: Schema, chance: Chance) => Schema

const names = ['a', 'b', 'c']
const letters = ['p', 'q', 'r']
/** by type: the words for its least and its most */
const bounds = {
  string: ['minLength', 'maxLength'],
  integer: ['minimum', 'maximum'],
  array: ['minItems', 'maxItems'],
} as const
type Bounded = keyof typeof bounds

const isBounded = (type: unknown): type is Bounded => typeof type === 'string' && type in bounds
const fieldsOf = (schema: Schema) => (schema['properties'] ?? {}) as Record<string, Schema>
const listOf = (schema: Schema, key: string) => (schema[key] ?? []) as string[]

export function schemaOf(chance: Chance, depth = 3): Schema {
  const type =
    depth === 3
      ? 'object'
      : chance.pick(['string', 'integer', 'boolean', ...(depth > 0 ? ['array', 'map', 'object'] : [])])
  const below = () => schemaOf(chance, depth - 1)
  if (type === 'map') return { type: 'object', additionalProperties: below() }
  if (type === 'object') {
    const properties = Object.fromEntries(names.filter(chance.flip).map((name) => [name, below()]))
    return { type, properties, required: Object.keys(properties).filter(chance.flip) }
  }
  if (type === 'string' && chance.flip()) return { type, enum: letters.slice(chance.below(2)) }
  if (!isBounded(type)) return { type }
  const [least, most] = bounds[type]
  return defined({
    type,
    [least]: chance.maybe(() => chance.below(3)),
    [most]: chance.maybe(() => 3 + chance.below(3)),
    ...(type === 'array' && { items: below() }),
  })
}

/** A value that the schema accepts and keeps whole; at its bounds as often as not. */
export function valueOf(schema: Schema, chance: Chance): unknown {
  const { type, enum: choices } = schema
  if (Array.isArray(choices)) return chance.pick(choices as unknown[])
  if (type === 'boolean') return chance.flip()
  if (isBounded(type)) {
    const [least, most] = [Number(schema[bounds[type][0]] ?? 0), Number(schema[bounds[type][1]] ?? 7)]
    const size = chance.pick([least, most, least + chance.below(most - least + 1)])
    if (type === 'integer') return size
    return type === 'string'
      ? 'x'.repeat(size)
      : Array.from({ length: size }, () => valueOf(schema['items'] as Schema, chance))
  }
  const values = schema['additionalProperties'] as Schema | undefined
  if (values) {
    return Object.fromEntries(names.filter(chance.flip).map((name) => [name, valueOf(values, chance)]))
  }
  const present = Object.entries(fieldsOf(schema)).filter(
    ([name]) => listOf(schema, 'required').includes(name) || chance.flip(),
  )
  return Object.fromEntries(present.map(([name, field]) => [name, valueOf(field, chance)]))
}

/** What an API server stores of a value: fields without a schema are pruned. */
export function pruned(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => pruned(item, (schema['items'] ?? {}) as Schema))
  if (typeof value !== 'object' || value === null) return value
  const schemaFor = (name: string) => fieldsOf(schema)[name] ?? (schema['additionalProperties'] as Schema | undefined)
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const known = schemaFor(name)
      return known ? [[name, pruned(field, known)]] : []
    }),
  )
}

/** Edits the schema itself, or one of those inside it. */
const somewhere = (edit: Edit): Edit => {
  const inside: Edit = (schema, chance) => {
    const inner = (['items', 'additionalProperties'] as const).find((key) => schema[key] !== undefined)
    const fields = Object.keys(fieldsOf(schema))
    if (chance.flip() || (!inner && fields.length === 0)) return edit(schema, chance)
    if (inner) return { ...schema, [inner]: inside(schema[inner] as Schema, chance) }
    const name = chance.pick(fields)
    return {
      ...schema,
      properties: { ...fieldsOf(schema), [name]: inside(fieldsOf(schema)[name] ?? {}, chance) },
    }
  }
  return inside
}

/** Accepts and keeps at least as much. */
export const widen = somewhere((schema, chance) => {
  const { type, enum: choices } = schema
  if (choices) return defined({ ...schema, enum: chance.maybe(() => [...listOf(schema, 'enum'), 's']) })
  if (isBounded(type)) {
    const side = chance.below(2)
    const key = bounds[type][side === 0 ? 0 : 1]
    const bound = schema[key]
    return defined({
      ...schema,
      [key]: typeof bound === 'number' ? chance.maybe(() => bound + (side || -1)) : undefined,
    })
  }
  if (!schema['properties']) return { ...schema, description: chance.text() }
  const field = { ...fieldsOf(schema), [`n${Object.keys(fieldsOf(schema)).length}`]: schemaOf(chance, 1) }
  return chance.flip() ? { ...schema, properties: field } : { ...schema, required: listOf(schema, 'required').slice(1) }
})

/** Accepts or keeps less. */
export const narrow = somewhere((schema, chance) => {
  const { type, enum: choices } = schema
  if (choices) return { ...schema, enum: listOf(schema, 'enum').slice(1) }
  if (isBounded(type)) {
    const side = chance.below(2)
    const key = bounds[type][side === 0 ? 0 : 1]
    return { ...schema, [key]: Number(schema[key] ?? (side === 0 ? 0 : 7)) + (side === 0 ? 1 : -1) }
  }
  const { ...properties } = fieldsOf(schema)
  const [first] = Object.keys(properties)
  if (first === undefined) return { type: type === 'boolean' ? 'integer' : 'boolean' }
  const required = listOf(schema, 'required')
  if (!required.includes(first) && chance.flip()) return { ...schema, required: [...required, first] }
  delete properties[first]
  return { ...schema, properties, required: required.filter((name) => name !== first) }
})

export const times = (count: number, chance: Chance, edits: readonly Edit[], schema: Schema): Schema =>
  Array.from({ length: count }).reduce<Schema>((edited) => chance.pick(edits)(edited, chance), schema)

const crd = (schema: Schema): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'models.example.io' },
  spec: {
    group: 'example.io',
    scope: 'Namespaced',
    names: { plural: 'models', kind: 'Model' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  },
})

export const supersetProperties: Property[] = [
  {
    title: 'a schema that was only widened is a superset',
    holds: (chance) => {
      const older = schemaOf(chance)
      const newer = times(chance.below(5), chance, [widen], older)
      expect(isSuperset(crd(newer), crd(older)).differences).toEqual([])
    },
  },
  {
    title: 'a schema that was narrowed is none',
    holds: (chance) => {
      const older = schemaOf(chance)
      expect(isSuperset(crd(narrow(older, chance)), crd(older)).superset).toBe(false)
    },
  },
  {
    title: 'a superset accepts and keeps every value of the older schema, however it was edited',
    holds: (chance) => {
      const older = schemaOf(chance)
      const newer = times(1 + chance.below(4), chance, [widen, widen, narrow], older)
      if (!isSuperset(crd(newer), crd(older)).superset) return
      for (let round = 0; round < 5; round++) {
        const value = valueOf(older, chance)
        expect(validate(value, newer)).toEqual([])
        expect(pruned(value, newer)).toEqual(value)
      }
    },
  },
]
