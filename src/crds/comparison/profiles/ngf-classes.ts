/**
 * The three classes of changes in the NGINX Gateway Fabric policy: none that asks for a new version; compatible ones, which a
 * webhook converts (a field renamed or of another structure); breaking ones, which cannot be converted (a new required field, a
 * field removed, other validation or allowed values).
 */
import type { Change, JSONSchema } from '../comparison.types.ts'
import { isSchema, propertiesOf } from '../schema-reading.ts'

export interface Classes<Some> {
  structure: Some[]
  breaking: Some[]
}

type SchemaChange = Pick<Change, 'id' | 'level' | 'node'>

const structural = new Set([
  'crd.property.renamed',
  'crd.type.changed',
  'crd.type.narrowed',
  'crd.int-or-string.removed',
  'crd.additional-properties.structure-changed',
  'crd.list-map-keys.changed',
  'crd.list-type.to-unique',
  'crd.list-type.changed',
])

/** Sorts changes of one schema into the classes. What asks for no new version is in neither. */
export function classify<Some extends SchemaChange>(changes: readonly Some[]): Classes<Some> {
  const arrived = new Set(
    changes.flatMap(({ id, node }) => (id.startsWith('crd.property.added') ? namesIn(node?.after, node?.path) : [])),
  )
  const weighty = changes.filter(({ level }) => level === 'error')
  const isStructure = (change: Some) => structural.has(change.id) || isMove(change, arrived)
  return { structure: weighty.filter(isStructure), breaking: weighty.filter((change) => !isStructure(change)) }
}

/** A field that goes here and comes elsewhere, under another parent, is a field whose place has changed. */
function isMove({ id, node }: SchemaChange, arrived: ReadonlySet<string>): boolean {
  const last = node?.path.at(-1)
  return id === 'crd.property.removed' && typeof last === 'object' && arrived.has(last.property)
}

function namesIn(schema: JSONSchema | undefined, path: readonly unknown[] = []): string[] {
  const last = path.at(-1)
  const own = typeof last === 'object' && last !== null && 'property' in last ? [String(last.property)] : []
  return [...own, ...namesBelow(schema ?? {})]
}

function namesBelow(schema: JSONSchema): string[] {
  const inner = ['items', 'additionalProperties'].map((word) => schema[word]).filter(isSchema)
  return [
    ...[...propertiesOf(schema)].flatMap(([name, field]) => [name, ...namesBelow(field)]),
    ...inner.flatMap(namesBelow),
  ]
}
