/**
 * Can the programs of two releases read what the other one stores? Pure. Their Go types follow the schemas, and Go's decoder
 * refuses a value of another JSON type. It refuses the whole list with it, so that one such object stops an informer for
 * good, while its pod stays ready. No conversion runs between two schemas of one version, so neither side can be helped.
 */
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'

type Schema = Record<string, unknown>
type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'

const ALL: JsonType[] = ['string', 'integer', 'number', 'boolean', 'object', 'array']
/** Formats of which Go makes another type than `string`. */
const DECODED_FORMATS = new Set(['date-time', 'date', 'duration', 'byte'])

/**
 * The fields whose type differs between two forms of a CRD within a version of the same name, in either direction:
 * `v1alpha1 spec.capabilities.engines[]`; `{}` stands for the values of a map. A field that only one side has is left out,
 * because Go ignores fields it does not know. So is a narrower range of values: that concerns validation, not decoding.
 * A field that can be of several types (int-or-string, any value) is read only by a type that can be all of them; a widening
 * counts, because what the wider side stores next is not what the narrower one reads. Where an enum allows values of one
 * type only, that type is what counts.
 */
export function undecodable(before: CustomResourceDefinition, after: CustomResourceDefinition): string[] {
  return before.spec.versions.flatMap((version) => {
    const other = after.spec.versions.find(({ name }) => name === version.name)
    const [old, next] = [version.schema?.openAPIV3Schema, other?.schema?.openAPIV3Schema]
    if (old === undefined || next === undefined) return []
    return different({ ...old }, { ...next }, '').map((path) => `${version.name} ${path}`)
  })
}

/**
 * The fields of an object whose value is not of the type that its CRD says now: `spec.capabilities.engines[]`. A CRD that
 * changed within a version leaves such values behind: the API server prunes fields, but keeps a value of the wrong type.
 */
export function unreadableFields(crd: CustomResourceDefinition, object: AnyObject): string[] {
  const version = crd.spec.versions.find(({ name }) => object.apiVersion === `${crd.spec.group}/${name}`)
  const schema = version?.schema?.openAPIV3Schema
  return schema === undefined ? [] : [...new Set(misfits({ ...schema }, object, ''))]
}

function misfits(schema: Schema, value: unknown, path: string): string[] {
  if (value === undefined || value === null) return []
  const type = jsonTypeOf(value)
  const types = jsonTypes({ ...schema, enum: undefined })
  if (!types.includes(type) && !(type === 'integer' && types.includes('number'))) return [path]
  const { items } = schema
  if (Array.isArray(value)) return isSchema(items) ? value.flatMap((each) => misfits(items, each, `${path}[]`)) : []
  const named = propertiesOf(schema)
  return isSchema(value)
    ? Object.entries(value).flatMap(([name, inner]) => {
        const within = named[name] ?? restOf(schema)
        return within === undefined ? [] : misfits(within, inner, path === '' ? name : `${path}.${name}`)
      })
    : []
}

function different(before: Schema, after: Schema, path: string): string[] {
  if (decodedAs(before) !== decodedAs(after)) return [path === '' ? 'the object' : path]
  return [
    ...differentFields(before, after, path),
    ...(isSchema(before['items']) && isSchema(after['items'])
      ? different(before['items'], after['items'], `${path}[]`)
      : []),
  ]
}

/** Named fields, and the values of a map where a side has one instead. */
function differentFields(before: Schema, after: Schema, path: string): string[] {
  const [old, next] = [propertiesOf(before), propertiesOf(after)]
  const [oldRest, nextRest] = [restOf(before), restOf(after)]
  const names = [...new Set([...Object.keys(old), ...Object.keys(next)])]
  const named = names.flatMap((name) => {
    const [one, other] = [old[name] ?? oldRest, next[name] ?? nextRest]
    return one === undefined || other === undefined ? [] : different(one, other, path === '' ? name : `${path}.${name}`)
  })
  return oldRest === undefined || nextRest === undefined
    ? named
    : [...named, ...different(oldRest, nextRest, `${path}{}`)]
}

/** One word for all that Go's decoder has to take. */
function decodedAs(schema: Schema): string {
  const types = jsonTypes(schema)
  const format = String(schema['format'])
  return types.length === 1 && types[0] === 'string' && DECODED_FORMATS.has(format) ? format : types.join(' or ')
}

function jsonTypes(schema: Schema): JsonType[] {
  const { type, enum: values } = schema
  if (Array.isArray(values)) {
    const found = new Set(values.filter((value) => value !== null).map(jsonTypeOf))
    return ALL.filter((each) => found.has(each))
  }
  if (schema['x-kubernetes-int-or-string'] === true) return ['string', 'integer']
  return ALL.filter((each) => type === undefined || each === type)
}

function jsonTypeOf(value: unknown): JsonType {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : 'object'
}

function propertiesOf(schema: Schema): Record<string, Schema> {
  const { properties } = schema
  if (!isSchema(properties)) return {}
  return Object.fromEntries(Object.entries(properties).filter((entry): entry is [string, Schema] => isSchema(entry[1])))
}

/** Schema of fields without a name: those of a map, or any value at all. A struct has none: it ignores them. */
function restOf(schema: Schema): Schema | undefined {
  const { additionalProperties } = schema
  if (isSchema(additionalProperties)) return additionalProperties
  return additionalProperties === true ? {} : undefined
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
