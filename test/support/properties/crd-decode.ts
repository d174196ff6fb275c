import { expect } from 'vitest'
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'
import { isSchema, schemaOf } from '../../../src/crds/comparison/schema-reading.ts'
import { decode, survives } from '../../../src/crds/decode/decode.ts'
import type { Decoded } from '../../../src/crds/decode/decode.types.ts'
import type { Chance, Property } from '../seeded.ts'
import { randomMetadata, randomSchema, randomValue } from './crd-decode-cases.ts'

interface Case {
  schema: JSONSchema
  object: Record<string, unknown>
}

function caseOf(chance: Chance): Case {
  const field = randomSchema(chance)
  return {
    schema: { type: 'object', properties: { field } },
    object: {
      apiVersion: 'example.com/v1',
      kind: 'Thing',
      metadata: chance.below(4) === 0 ? randomMetadata(chance, 2) : { name: 'x' },
      ...(chance.below(4) > 0 && { field: randomValue(chance, field, 20) }),
    },
  }
}

const isDecodable = ({ invalid }: Decoded<object>): boolean => !invalid.some(({ reason }) => reason === 'BadRequest')

/** The same value with the keys of its maps the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (!isSchema(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, entry]) => [key, reversed(entry)] as const)
      .toReversed(),
  )
}

export const crdDecodeProperties: Property[] = [
  {
    title: 'what is decoded stays as it is when it is decoded again',
    holds: (chance) => {
      const { schema, object } = caseOf(chance)
      const once = decode(schema, object)
      if (!isDecodable(once)) return
      const twice = decode(schema, once.object)
      expect(twice).toEqual({ ...once, pruned: [], defaulted: [] })
    },
  },
  {
    title: 'an object survives the schema that it was written under',
    holds: (chance) => {
      const { schema, object } = caseOf(chance)
      expect(survives(schema, schema, object)).toEqual({ pruned: [], invalid: [] })
    },
  },
  {
    title: 'the order of keys says nothing, and the object that is given stays as it was',
    holds: (chance) => {
      const { schema, object } = caseOf(chance)
      const before = structuredClone(object)
      const decoded = decode(schema, object)
      expect(object).toEqual(before)
      const other = decode(schema, schemaOf(reversed(object)))
      expect(other.object).toEqual(decoded.object)
      expect(fields(other)).toEqual(fields(decoded))
    },
  },
]

const fields = ({ invalid }: Decoded<object>): string[] =>
  invalid.map(({ field, reason }) => `${reason} ${field}`).toSorted()
