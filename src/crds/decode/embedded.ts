/** Objects inside of objects: with apiVersion and kind, and metadata as every object has them. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { isSchema } from '../comparison/schema-reading.ts'
import type { Invalid, NodeStep } from './decode.types.ts'
import { entryAt } from './list-types.ts'
import { validateObjectMeta } from './metadata-rules.ts'
import { decodeObjectMeta } from './object-meta.ts'
import { fieldAt, itemAt, type Place, refused } from './outcome.ts'
import type { Pruned } from './prune.ts'
import { isEmbedded, itemsOf, mapValuesOf, propertyOf } from './structural.ts'

/** What the decoding of embedded objects adds up. */
export interface Coercion {
  /** from the store, where nothing is refused but left out */
  dropMalformed: boolean
  pruned: Pruned[]
  invalid: Invalid[]
}

/** The value with the metadata of its embedded objects decoded. */
export function coerceEmbedded(
  value: unknown,
  schema: JSONSchema | undefined,
  path: readonly NodeStep[],
  coercion: Coercion,
): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return value.map((item, index) => coerceEmbedded(item, items, [...path, index], coercion))
  }
  if (!isSchema(value)) return value
  const entries = Object.entries(value).flatMap(([name, entry]) => {
    const at = [...path, name]
    if (isEmbedded(schema) && ['apiVersion', 'kind'].includes(name) && typeof entry !== 'string') {
      if (coercion.dropMalformed) {
        coercion.pruned.push({ path: at, value: entry })
        return []
      }
      coercion.invalid.push(undecodable(at, 'must be a string'))
    }
    if (isEmbedded(schema) && name === 'metadata') return [[name, coerceMetadata(entry, at, coercion)]]
    const field = propertyOf(schema, name) ?? mapValuesOf(schema)?.schema
    return [[name, coerceEmbedded(entry, field, at, coercion)]]
  })
  return Object.fromEntries(entries)
}

/** Decodes metadata: what is left out or refused is told. */
export function coerceMetadata(metadata: unknown, path: readonly NodeStep[], coercion: Coercion): unknown {
  const decoded = decodeObjectMeta(metadata, coercion.dropMalformed)
  if ('refused' in decoded) {
    if (!coercion.dropMalformed) coercion.invalid.push(undecodable([...path], decoded.refused))
    return metadata
  }
  for (const [name, value] of Object.entries(isSchema(metadata) ? metadata : {})) {
    if (!Object.hasOwn(decoded.meta, name)) coercion.pruned.push({ path: [...path, name], value })
  }
  return decoded.meta
}

function undecodable(path: NodeStep[], what: string): Invalid {
  const at = path.reduce<Place>(
    (place, step) => (typeof step === 'number' ? itemAt(place, step) : fieldAt(place, step)),
    { path: [], name: '' },
  )
  return refused(at, 'BadRequest', what)
}

/** What the API server refuses of embedded objects, beyond their schema. */
export function validateEmbedded(schema: JSONSchema, value: unknown, at: Place): Invalid[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return items === undefined ? [] : value.flatMap((item, index) => validateEmbedded(items, item, itemAt(at, index)))
  }
  if (!isSchema(value)) return []
  const own = isEmbedded(schema) ? validateObject(value, at) : []
  const values = mapValuesOf(schema)?.schema
  const inside = Object.entries(value).flatMap(([name, entry]) => {
    const property = propertyOf(schema, name)
    if (property !== undefined) return validateEmbedded(property, entry, fieldAt(at, name))
    return values === undefined ? [] : validateEmbedded(values, entry, entryAt(at, name))
  })
  return [...own, ...inside]
}

function validateObject(object: JSONSchema, at: Place): Invalid[] {
  const missing = ['apiVersion', 'kind'].filter((name) => !Object.hasOwn(object, name))
  return [
    ...missing.map((name) => refused(fieldAt(at, name), 'FieldValueRequired', 'is required')),
    ...validateTypeField(object, 'apiVersion', at),
    ...validateTypeField(object, 'kind', at),
    ...validateMetadata(object, at),
  ]
}

const kindLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

function validateTypeField(object: JSONSchema, name: 'apiVersion' | 'kind', at: Place): Invalid[] {
  if (!Object.hasOwn(object, name)) return []
  const value = object[name]
  const because = (what: string): Invalid[] => [refused(fieldAt(at, name), 'FieldValueInvalid', what)]
  if (typeof value !== 'string') return because('must be a string')
  if (value === '') return because('must not be empty')
  if (name === 'apiVersion') return value.split('/').length > 2 ? because('must have at most one slash') : []
  const isLabel = kindLabel.test(value.toLowerCase()) && value.length <= 63
  return isLabel ? [] : because('must be a DNS label, but may have upper case')
}

function validateMetadata(object: JSONSchema, at: Place): Invalid[] {
  if (!Object.hasOwn(object, 'metadata')) return []
  const place = fieldAt(at, 'metadata')
  const decoded = decodeObjectMeta(object['metadata'])
  if ('refused' in decoded) return [refused(place, 'FieldValueInvalid', decoded.refused)]
  return validateObjectMeta(decoded.meta, place, 'path segment')
}
