/** What becomes of an object under a schema: as the API server takes it from a request, and as it reads it from its store. */
import type { JSONSchema, PathElement } from '../comparison/comparison.types.ts'
import { canonical, isSchema, listOf, schemaOf } from '../comparison/schema-reading.ts'
import type { DecodeContext, Decoded, Invalid, Loss, NodeStep } from './decode.types.ts'
import { withDefaults } from './defaults.ts'
import { type Coercion, coerceEmbedded, coerceMetadata } from './embedded.ts'
import { validateObjectMeta } from './metadata-rules.ts'
import { type Pruned, pruneNode } from './prune.ts'
import { guardNesting, itemsOf, mapValuesOf } from './structural.ts'
import { refusalsOf } from './validate.ts'

/**
 * What the API server makes of an object that is created: metadata are decoded, unknown fields pruned, defaults set, and the
 * result validated. Metadata that cannot be decoded end it (`BadRequest`), with the object as it came.
 * @throws TooDeep where the object or the schema nests more than 1000 levels deep
 */
export function decode<Some extends object>(
  schema: JSONSchema,
  object: Some,
  context: DecodeContext = {},
): Decoded<Some> {
  guardNesting(schema, 'the schema')
  const { value, pruned, defaulted, invalid } = read(schema, object, false)
  const unknown = ruled(schema, value)
  const paths = pruned.map(({ path }) => path)
  // Each step gives a map for a map: nothing but fields of it has changed.
  const result = (decoded: unknown): Some => decoded as Some
  if (invalid.length > 0) return { object, pruned: paths, defaulted: [], invalid, unknown }
  const dropsStatus = context.statusSubresource === true
  const created = dropsStatus ? Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'status')) : value
  const isKept = (path: NodeStep[]): boolean => !dropsStatus || path[0] !== 'status'
  return {
    object: result(created),
    pruned: [...paths.filter(isKept), ...(dropsStatus && Object.hasOwn(value, 'status') ? [['status']] : [])],
    defaulted: defaulted.filter(isKept),
    invalid: [
      ...validateObjectMeta(schemaOf(created['metadata']), { path: ['metadata'], name: 'metadata' }, 'subdomain'),
      ...refusalsOf(schema, created, [], context),
    ],
    unknown: unknown.filter(([first]) => !dropsStatus || canonical(first) !== canonical({ property: 'status' })),
  }
}

/**
 * What of an object is lost or refused where `to` takes the place of `from`, the schema that it was written under.
 * @throws TooDeep where the object or a schema nests more than 1000 levels deep
 */
export function survives(from: JSONSchema, to: JSONSchema, object: object, context: DecodeContext = {}): Loss {
  guardNesting(from, 'the schema')
  guardNesting(to, 'the schema')
  const before = read(from, object, true).value
  const after = read(to, before, true)
  const known = new Set(refusalsOf(from, before, [], context).map(identity))
  return {
    pruned: after.pruned,
    invalid: refusalsOf(to, after.value, [], context).filter((invalid) => !known.has(identity(invalid))),
  }
}

function identity({ path, reason, message }: Invalid): string {
  return canonical([path, reason, message])
}

interface Read {
  value: JSONSchema
  pruned: Pruned[]
  defaulted: NodeStep[][]
  invalid: Invalid[]
}

function read(schema: JSONSchema, object: object, fromStore: boolean): Read {
  const { value, pruned } = pruneNode({ ...schema, 'x-kubernetes-embedded-resource': true }, object)
  const coercion: Coercion = { dropMalformed: fromStore, pruned, invalid: [] }
  const fields = schemaOf(coerceEmbedded(value, schema, [], coercion))
  const whole = Object.hasOwn(fields, 'metadata')
    ? { ...fields, metadata: coerceMetadata(fields['metadata'], ['metadata'], coercion) }
    : fields
  const defaulted: NodeStep[][] = []
  return { value: schemaOf(withDefaults(whole, schema, [], defaulted)), pruned, defaulted, invalid: coercion.invalid }
}

/** The places of the schema with rules in CEL that the value reaches. */
function ruled(schema: JSONSchema, value: unknown): PathElement[][] {
  const found = new Map<string, PathElement[]>()
  collectRuled(schema, value, [], found)
  return [...found.values()]
}

function collectRuled(
  schema: JSONSchema,
  value: unknown,
  path: PathElement[],
  found: Map<string, PathElement[]>,
): void {
  if (hasRules(schema)) found.set(canonical(path), path)
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (items !== undefined) for (const item of value) collectRuled(items, item, [...path, 'items'], found)
  }
  if (!isSchema(value)) return
  const properties = schemaOf(schema['properties'])
  const values = mapValuesOf(schema)?.schema
  for (const [name, entry] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) {
      collectRuled(schemaOf(properties[name]), entry, [...path, { property: name }], found)
    } else if (values !== undefined) {
      collectRuled(values, entry, [...path, 'values'], found)
    }
  }
}

function hasRules(schema: JSONSchema): boolean {
  const inBranches = listOf(schema['allOf']).some((branch) => hasRules(schemaOf(branch)))
  return listOf(schema['x-kubernetes-validations']).length > 0 || inBranches
}
