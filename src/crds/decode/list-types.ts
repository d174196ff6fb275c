/** Lists that are sets or maps: no entry twice. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { canonical, isSchema, schemaOf, stringsOf } from '../comparison/schema-reading.ts'
import type { Invalid } from './decode.types.ts'
import { fieldAt, itemAt, type Place, refused } from './outcome.ts'
import { itemsOf, mapValuesOf } from './structural.ts'

/** What the API server refuses of the lists in a value. */
export function validateLists(schema: JSONSchema, value: unknown, at: Place): Invalid[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    const inside =
      items === undefined ? [] : value.flatMap((item, index) => validateLists(items, item, itemAt(at, index)))
    return [...validateUniqueness(schema, value, at), ...inside]
  }
  if (!isSchema(value)) return []
  const values = mapValuesOf(schema)?.schema
  const properties = schemaOf(schema['properties'])
  return Object.entries(value).flatMap(([name, entry]) => [
    ...(values === undefined ? [] : validateLists(values, entry, entryAt(at, name))),
    ...(Object.hasOwn(properties, name) ? validateLists(schemaOf(properties[name]), entry, fieldAt(at, name)) : []),
  ])
}

/** The value of a map, as the checks of lists and embedded objects write it: `labels[app]`. */
export function entryAt(at: Place, name: string): Place {
  return { path: [...at.path, name], name: `${at.name}[${name}]` }
}

function validateUniqueness(schema: JSONSchema, list: readonly unknown[], at: Place): Invalid[] {
  if (schema['x-kubernetes-list-type'] === 'set') return duplicates(list, at)
  if (schema['x-kubernetes-list-type'] !== 'map') return []
  const misfit = list.findIndex((item) => item !== null && !isSchema(item))
  if (misfit >= 0) {
    return [refused(itemAt(at, misfit), 'FieldValueInvalid', 'must be an object for an array of list-type map')]
  }
  const keys = stringsOf(schema['x-kubernetes-list-map-keys'])
  const identities = list.map((item) => {
    const fields = schemaOf(item)
    return Object.fromEntries(keys.filter((key) => Object.hasOwn(fields, key)).map((key) => [key, fields[key]]))
  })
  return duplicates(identities, at)
}

/** Of an entry that comes several times only the second is told. */
function duplicates(list: readonly unknown[], at: Place): Invalid[] {
  const seen = new Map<string, number>()
  return list.flatMap((entry, index) => {
    const text = canonical(entry)
    const times = seen.get(text) ?? 0
    seen.set(text, times + 1)
    return times === 1 ? [refused(itemAt(at, index), 'FieldValueDuplicate', `is there twice: ${text}`)] : []
  })
}
