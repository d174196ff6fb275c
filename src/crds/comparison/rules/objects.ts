/** Whether values of a schema can have fields of their own. */
import type { JSONSchema } from '../comparison.types.ts'
import { isSchema, schemaOf } from '../schema-reading.ts'

/** Can a value of this schema be or hold an object? */
export function hasObjects(schema: JSONSchema): boolean {
  if (Array.isArray(schema['items']) || isSchema(schema['items'])) return hasObjects(schemaOf(schema['items']))
  const type = schema['type']
  return type === undefined ? schema['x-kubernetes-int-or-string'] !== true : type === 'object'
}
