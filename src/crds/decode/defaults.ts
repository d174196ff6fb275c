/** What the API server adds to an object when it decodes it. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { isSchema, schemaOf } from '../comparison/schema-reading.ts'
import type { NodeStep } from './decode.types.ts'
import { fieldOf, hasDefault, itemsOf } from './structural.ts'

/** The value with the defaults of its schema, also inside of defaults; `defaulted` gets the places. */
export function withDefaults(
  value: unknown,
  schema: JSONSchema | undefined,
  path: readonly NodeStep[],
  defaulted: NodeStep[][],
): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return value.map((item, index) => {
      const at = [...path, index]
      return withDefaults(inPlaceOfNull(item, items, at, defaulted), items, at, defaulted)
    })
  }
  if (!isSchema(value)) return value
  const added = Object.entries(schemaOf(schema['properties'])).flatMap(([name, property]) => {
    const field = schemaOf(property)
    if (Object.hasOwn(value, name) || !hasDefault(field)) return []
    defaulted.push([...path, name])
    return [[name, field['default']] as const]
  })
  const entries = [...Object.entries(value), ...added].map(([name, entry]) => {
    const at = [...path, name]
    const field = fieldOf(schema, name)
    return [name, withDefaults(inPlaceOfNull(entry, field, at, defaulted), field, at, defaulted)]
  })
  return Object.fromEntries(entries)
}

/** A null that is not allowed stands for the default. */
function inPlaceOfNull(
  value: unknown,
  schema: JSONSchema | undefined,
  path: NodeStep[],
  defaulted: NodeStep[][],
): unknown {
  if (value !== null || schema === undefined || schema['nullable'] === true || !hasDefault(schema)) return value
  defaulted.push(path)
  return schema['default']
}
