/** Fields that an object always has, whatever its schema says. */
import type { JSONSchema, PathElement } from '../comparison.types.ts'
import type { NodePair } from '../rule.types.ts'
import { documentationWords, schemaOf } from '../schema-reading.ts'

const given = new Set(['apiVersion', 'kind', 'metadata'])

/** Does the API server know and keep the field itself: apiVersion, kind and metadata of an object, at the root or embedded? */
export function isGivenByServer(name: string, path: readonly PathElement[], schema: JSONSchema): boolean {
  return given.has(name) && (path.length === 0 || schema['x-kubernetes-embedded-resource'] === true)
}

/** Are these the metadata of an object? Of a part of an object that is called so, an API server knows nothing. */
export function isMetadata({ path, around }: Pick<NodePair, 'path' | 'around'>): boolean {
  const last = path.at(-1)
  return (
    typeof last === 'object' &&
    last.property === 'metadata' &&
    isGivenByServer(last.property, path.slice(0, -1), around?.after ?? {})
  )
}

/** The named fields of an object with those that it has in any case, where just the other side names them: free of any limit. */
export function withGiven(
  fields: JSONSchema,
  others: JSONSchema,
  { path, schema }: { path: readonly PathElement[]; schema: JSONSchema },
): JSONSchema {
  const missing = Object.entries(others).filter(
    ([name]) => !Object.hasOwn(fields, name) && isGivenByServer(name, path, schema),
  )
  const freed = missing.map(([name, field]): [string, JSONSchema] => [name, freeOf(name, schemaOf(field))])
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(freed) }
}

function freeOf(name: string, field: JSONSchema): JSONSchema {
  const words = Object.entries(field).filter(([word]) => documentationWords.includes(word))
  return { ...Object.fromEntries(words), type: name === 'metadata' ? 'object' : 'string' }
}
