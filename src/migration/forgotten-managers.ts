/**
 * Versions that make the API server forget who owns the fields of an object when it is rewritten. To know who loses what by a
 * write, the server says the object in every version that managedFields names. A field that the storage version fills in by
 * itself and such a version does not declare cannot be said there ("field not declared in schema"); an apply is refused then, and
 * any other write goes on without managers: all of them are gone. Pure.
 */
import type { JSONSchema } from '../crds/comparison/comparison.types.ts'
import {
  acceptsAnything,
  guardDepth,
  keepsUnknown,
  propertiesOf,
  schemaOfVersion,
} from '../crds/comparison/schema-reading.ts'
import { fieldOf, hasDefault, itemsOf, mapValuesOf } from '../crds/decode/structural.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { MigrationTarget } from './migration.types.ts'

/** Those whose entries have to be renamed to the storage version in the very write that re-encodes the object. */
export function forgettingVersions(
  { spec }: CustomResourceDefinition,
  { conversion, requestVersion, storageVersion }: MigrationTarget,
): string[] {
  // A webhook leaves out what the other version lacks, and so does the server where it comes from that version to another.
  if (conversion === 'Webhook' || requestVersion !== storageVersion || spec['preserveUnknownFields'] === true) return []
  const schemas = new Map(spec.versions.map((version) => [version.name, schemaOfVersion(version) ?? {}]))
  const written = schemas.get(requestVersion) ?? {}
  return [...schemas].filter(([, schema]) => fillsInMore(written, schema)).map(([name]) => name)
}

/** Tells whether an object may get a field by one schema that the other does not declare. */
function fillsInMore(schema: JSONSchema, other: JSONSchema, depth = 0): boolean {
  guardDepth(depth)
  if (acceptsAnything(other)) return false
  const values = mapValuesOf(other)
  const isOpen = values !== undefined || keepsUnknown(other)
  const named = [...propertiesOf(schema)].some(([name, field]) => {
    const known = fieldOf(other, name)
    return known === undefined ? !isOpen && hasDefault(field) : fillsInMore(field, known, depth + 1)
  })
  return (
    named ||
    inside(mapValuesOf(schema)?.schema, values?.schema, depth) ||
    inside(itemsOf(schema), itemsOf(other), depth)
  )
}

const inside = (schema: JSONSchema | undefined, other: JSONSchema | undefined, depth: number): boolean =>
  schema !== undefined && other !== undefined && fillsInMore(schema, other, depth + 1)
