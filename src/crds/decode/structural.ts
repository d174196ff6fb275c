/** Reads a structural schema as the API server's own form of it does, and guards against endless nesting. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { guardDepth, isSchema, schemaOf, TooDeep } from '../comparison/schema-reading.ts'

/** The values of a map: with `additionalProperties: true` there are some, but no schema for them. */
export interface MapValues {
  schema?: JSONSchema
}

/** The schema of a field that has a name in `properties`. */
export function propertyOf(schema: JSONSchema, name: string): JSONSchema | undefined {
  const properties = schemaOf(schema['properties'])
  return Object.hasOwn(properties, name) ? schemaOf(properties[name]) : undefined
}

/** What `additionalProperties` says; undefined where the object is no map. */
export function mapValuesOf(schema: JSONSchema): MapValues | undefined {
  const values = schema['additionalProperties']
  if (isSchema(values)) return { schema: values }
  return values === true ? {} : undefined
}

/** The schema of the items of a list. */
export function itemsOf(schema: JSONSchema | undefined): JSONSchema | undefined {
  const items = schema?.['items']
  return isSchema(items) ? items : undefined
}

/** The schema of a field, named or not. */
export function fieldOf(schema: JSONSchema | undefined, name: string): JSONSchema | undefined {
  if (schema === undefined) return undefined
  return propertyOf(schema, name) ?? mapValuesOf(schema)?.schema
}

/** Is the object one with apiVersion, kind and metadata? */
export function isEmbedded(schema: JSONSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}

/** Has the schema a default? A default of null is none. */
export function hasDefault(schema: JSONSchema): boolean {
  return schema['default'] !== undefined && schema['default'] !== null
}

/** Fields that every object has, whatever its schema says. */
export const metaFields: readonly string[] = ['apiVersion', 'kind', 'metadata']

/** `path` as the API server writes it: `spec.list[0].name`. */
export function fieldName(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : childName(text, step)),
    '',
  )
}

/** The field of an object, as the API server writes it. */
export function childName(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`
}

/**
 * Throws where a value nests deeper than this goes on, without recursion of its own.
 * @throws TooDeep
 */
export function guardNesting(value: unknown, what: string): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    try {
      guardDepth(depth)
    } catch {
      throw new TooDeep(what)
    }
    level = level.flatMap(inside)
  }
}

function inside(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const entries: unknown[] = Object.values(value)
  return entries.filter((entry) => typeof entry === 'object')
}
