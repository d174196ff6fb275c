/** What the API server removes from an object when it decodes it, whether from a request or from the store. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { isSchema } from '../comparison/schema-reading.ts'
import type { NodeStep } from './decode.types.ts'
import {
  fieldOf,
  guardNesting,
  hasDefault,
  isEmbedded,
  itemsOf,
  mapValuesOf,
  metaFields,
  propertyOf,
} from './structural.ts'

/** A field that is no longer there, with the value that it had. */
export interface Pruned {
  path: NodeStep[]
  value: unknown
}

type Path = readonly NodeStep[]

/**
 * The value without what the schema does not know, and without nulls that are neither allowed nor replaced by a default.
 * @param path of the value in its object, for what is told to be pruned
 * @throws TooDeep
 */
export function pruneNode(schema: JSONSchema, value: unknown, path: Path = []): { value: unknown; pruned: Pruned[] } {
  guardNesting(value, 'the object')
  const pruned: Pruned[] = []
  const known = prune(value, schema, path, pruned)
  return { value: withoutNulls(known, schema, path, pruned), pruned }
}

function prune(value: unknown, schema: JSONSchema | undefined, path: Path, pruned: Pruned[]): unknown {
  if (schema?.['x-kubernetes-preserve-unknown-fields'] === true) return pruneKnown(value, schema, path, pruned)
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return value.map((item, index) => prune(item, items, [...path, index], pruned))
  }
  if (!isSchema(value)) return value
  const kept = Object.entries(value).flatMap(([name, entry]) => {
    if (schema !== undefined && isEmbedded(schema) && metaFields.includes(name)) return [[name, entry]]
    const at = [...path, name]
    const property = schema && propertyOf(schema, name)
    if (property !== undefined) return [[name, prune(entry, property, at, pruned)]]
    const values = schema && mapValuesOf(schema)
    // The values of a map without a schema for them stay, but empty.
    if (values !== undefined) return [[name, prune(entry, values.schema, at, pruned)]]
    pruned.push({ path: at, value: entry })
    return []
  })
  return Object.fromEntries(kept)
}

/** Where unknown fields are preserved, those below a known one are pruned all the same. */
function pruneKnown(value: unknown, schema: JSONSchema, path: Path, pruned: Pruned[]): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (items === undefined) return value
    return value.map((item, index) => pruneKnown(item, items, [...path, index], pruned))
  }
  if (!isSchema(value)) return value
  const entries = Object.entries(value).map(([name, entry]) => {
    if (isEmbedded(schema) && metaFields.includes(name)) return [name, entry]
    const at = [...path, name]
    const property = propertyOf(schema, name)
    if (property !== undefined) return [name, prune(entry, property, at, pruned)]
    const values = mapValuesOf(schema)
    return [name, values === undefined ? entry : prune(entry, values.schema, at, pruned)]
  })
  return Object.fromEntries(entries)
}

function withoutNulls(value: unknown, schema: JSONSchema | undefined, path: Path, pruned: Pruned[]): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    // A null among the items stays for the validation to refuse.
    return value.map((item, index) => withoutNulls(item, itemsOf(schema), [...path, index], pruned))
  }
  if (!isSchema(value)) return value
  const kept = Object.entries(value).flatMap(([name, entry]) => {
    const field = fieldOf(schema, name)
    const at = [...path, name]
    if (entry === null && field !== undefined && field['nullable'] !== true && !hasDefault(field)) {
      pruned.push({ path: at, value: null })
      return []
    }
    return [[name, withoutNulls(entry, field, at, pruned)]]
  })
  return Object.fromEntries(kept)
}
