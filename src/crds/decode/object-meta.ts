/** The metadata of an object as Go's ObjectMeta holds it: what does not fit its types is an error, what it does not know goes. */
import { isSchema } from '../comparison/schema-reading.ts'
import { isInt64 } from './go-values.ts'
import { metadataTime } from './time-formats.ts'

/** Decodes a value of JSON. `undefined` for what is as good as absent. */
type Decoder = (value: unknown) => unknown

/** A value of metadata is not of the type that it has to be. */
class Malformed extends Error {}

const text: Decoder = (value) => {
  if (value === null) return ''
  if (typeof value !== 'string') throw new Malformed('must be a string')
  return value
}
const optionalText: Decoder = (value) => text(value) || undefined

const flag: Decoder = (value) => {
  if (value === null) return undefined
  if (typeof value !== 'boolean') throw new Malformed('must be true or false')
  return value
}

const integer: Decoder = (value) => {
  if (value === null) return undefined
  if (typeof value !== 'number' || !isInt64(value)) throw new Malformed('must be an integer')
  return value
}

const time: Decoder = (value) => {
  if (value === null) return undefined
  const decoded = typeof value === 'string' ? metadataTime(value) : undefined
  if (decoded === undefined) throw new Malformed('must be a time such as 2006-01-02T15:04:05Z')
  // Go's zero time is written as none.
  return decoded === '0001-01-01T00:00:00Z' ? undefined : decoded
}

const texts: Decoder = (value) => {
  if (value === null) return undefined
  if (!isSchema(value)) throw new Malformed('must be a map of strings')
  const entries = Object.entries(value).map(([name, entry]) => [name, text(entry)])
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

const listOf =
  (item: Decoder): Decoder =>
  (value) => {
    if (value === null) return undefined
    if (!Array.isArray(value)) throw new Malformed('must be a list')
    return value.length === 0 ? undefined : value.map(item)
  }

const structOf =
  (fields: Readonly<Record<string, Decoder>>, always: readonly string[] = []) =>
  (value: unknown): Record<string, unknown> => {
    if (value !== null && !isSchema(value)) throw new Malformed('must be an object')
    const entries = Object.entries(fields).flatMap<[string, unknown]>(([name, decode]) => {
      const isThere = value !== null && Object.hasOwn(value, name)
      const decoded = isThere ? decode(value[name]) : undefined
      if (decoded !== undefined) return [[name, decoded]]
      return always.includes(name) ? [[name, '']] : []
    })
    return Object.fromEntries<unknown>(entries)
  }

const ownerReference = structOf(
  { apiVersion: text, kind: text, name: text, uid: text, controller: flag, blockOwnerDeletion: flag },
  ['apiVersion', 'kind', 'name', 'uid'],
)

const managedFieldsEntry = structOf({
  manager: optionalText,
  operation: optionalText,
  apiVersion: optionalText,
  time,
  fieldsType: optionalText,
  fieldsV1: (value) => value ?? undefined,
  subresource: optionalText,
})

const objectMetaFields: Readonly<Record<string, Decoder>> = {
  name: optionalText,
  generateName: optionalText,
  namespace: optionalText,
  selfLink: optionalText,
  uid: optionalText,
  resourceVersion: optionalText,
  generation: (value) => integer(value) || undefined,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: integer,
  labels: texts,
  annotations: texts,
  ownerReferences: listOf(ownerReference),
  finalizers: listOf(text),
  managedFields: listOf(managedFieldsEntry),
}

const objectMeta = structOf(objectMetaFields)

/** The metadata as they are kept, or why they are refused. */
export type DecodedMeta = { meta: Record<string, unknown> } | { refused: string }

/**
 * Decodes the metadata of an object in a request.
 * @param dropMalformed as for objects from the store: a field of a wrong type is left out instead of refused
 */
export function decodeObjectMeta(metadata: unknown, dropMalformed = false): DecodedMeta {
  try {
    return { meta: objectMeta(metadata) }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    if (!dropMalformed || !isSchema(metadata)) return { refused: error.message }
    return {
      meta: Object.fromEntries(
        Object.entries(metadata)
          .filter(([name, value]) => fits(name, value))
          .flatMap(kept),
      ),
    }
  }
}

function fits(name: string, value: unknown): boolean {
  return 'meta' in decodeObjectMeta({ [name]: value })
}

function kept([name, value]: [string, unknown]): [string, unknown][] {
  const decoded = decodeObjectMeta({ [name]: value })
  return 'meta' in decoded ? Object.entries(decoded.meta) : []
}
