/** Which fields one schema of a definition keeps and another prunes. Pure. */
import type { JSONSchema, PathElement } from '../crds/comparison/comparison.types.ts'
import { acceptsAnything, guardDepth, isSchema, propertiesOf, schemaOf } from '../crds/comparison/schema-reading.ts'
import { showPath } from '../crds/comparison/typed-path.ts'
import type { NodeStep } from '../crds/decode/decode.types.ts'
import { fieldOf, hasDefault, isEmbedded, mapValuesOf, metaFields, propertyOf } from '../crds/decode/structural.ts'

type Path = readonly PathElement[]

/** As people name fields: `spec.list[*].name`, `spec.map{*}`. */
export const fieldPath = (path: Path): string => showPath(path).replace(/^\^\.?/, '')

/**
 * The fields that an object may have under one schema and loses under the other. More than one object may ever have: empty means
 * that no object can lose anything. Null where it was allowed counts as a value.
 */
export function prunable(from: JSONSchema, to: JSONSchema): string[] {
  const found: Path[] = []
  walk(withoutMeta(from), withoutMeta(to), [], found)
  return [...new Set(found.map(fieldPath))]
}

/** The place of a value of an object in the schema that it has been read with. */
export function schemaPath(schema: JSONSchema, path: readonly NodeStep[]): string {
  let at: JSONSchema | undefined = schema
  const steps: PathElement[] = path.map((step) => {
    const node: JSONSchema | undefined = at
    if (typeof step === 'number') {
      at = schemaOf(node?.['items'])
      return 'items'
    }
    const named = node === undefined || propertyOf(node, step) !== undefined || mapValuesOf(node) === undefined
    at = fieldOf(node, step)
    return named ? { property: step } : 'values'
  })
  return fieldPath(steps)
}

// Schemas may say something about metadata, but the API server keeps it in any case.
function withoutMeta(schema: JSONSchema): JSONSchema {
  const properties = Object.entries(schemaOf(schema['properties'])).filter(([name]) => !metaFields.includes(name))
  return { ...schema, properties: Object.fromEntries(properties) }
}

function walk(from: JSONSchema, to: JSONSchema | undefined, path: Path, found: Path[]): void {
  guardDepth(path.length)
  if (to !== undefined && acceptsAnything(to)) return
  const keeps = to?.['x-kubernetes-preserve-unknown-fields'] === true
  if (to !== undefined && losesNull(from, to)) found.push(path)
  // Metadata that an API server cannot decode are left out of embedded resources.
  if (to !== undefined && isEmbedded(to) && !isEmbedded(from)) found.push([...path, 'values'])
  const values = to && mapValuesOf(to)
  for (const [property, field] of fieldsOf(from)) {
    const at = [...path, { property }]
    const known = to && propertyOf(to, property)
    if (to !== undefined && isEmbedded(to) && metaFields.includes(property)) continue
    if (known !== undefined) walk(field, known, at, found)
    else if (values !== undefined) walk(field, values.schema, at, found)
    else if (!keeps) found.push(at)
  }
  unnamed(from, to, path, found)
  if (isSchema(from['items'])) walk(from['items'], itemsIn(to, keeps), [...path, 'items'], found)
}

/** Fields without a name in the schema: values of maps, and whatever is preserved though it is unknown. */
function unnamed(from: JSONSchema, to: JSONSchema | undefined, path: Path, found: Path[]): void {
  const [values, other] = [mapValuesOf(from), to && mapValuesOf(to)]
  const at: Path = [...path, 'values']
  const keeps = to?.['x-kubernetes-preserve-unknown-fields'] === true
  if (values?.schema !== undefined && other !== undefined) walk(values.schema, other.schema, at, found)
  else if (values !== undefined && other === undefined && !keeps) found.push(at)
  const preserved = from['x-kubernetes-preserve-unknown-fields'] === true
  if (values === undefined && !preserved) return
  // What the other side has a schema for is pruned by it, though it keeps the rest.
  const named = [...propertiesOf(to ?? {}).keys()].filter((name) => !propertiesOf(from).has(name))
  if ((preserved && (!keeps || other !== undefined)) || named.length > 0) found.push(at)
}

/** Those with a name, and what an embedded resource has in any case. */
function fieldsOf(schema: JSONSchema): ReadonlyMap<string, JSONSchema> {
  const named = propertiesOf(schema)
  return isEmbedded(schema) ? new Map([...metaFields.map((name) => [name, anything] as const), ...named]) : named
}

const anything: JSONSchema = { 'x-kubernetes-preserve-unknown-fields': true }

function itemsIn(to: JSONSchema | undefined, keeps: boolean): JSONSchema | undefined {
  const items = to?.['items']
  if (isSchema(items)) return items
  return keeps ? anything : undefined
}

const losesNull = (from: JSONSchema, to: JSONSchema): boolean =>
  from['nullable'] === true && to['nullable'] !== true && !hasDefault(to)
