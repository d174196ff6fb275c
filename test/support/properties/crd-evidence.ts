/** What single changed nodes say of an object, against what the whole schema makes of it. */
import { expect } from 'vitest'
import { compareDefinitions } from '../../../src/crds/comparison/compare-definitions.ts'
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'
import { isSchema, schemaOf } from '../../../src/crds/comparison/schema-reading.ts'
import { decode, survives } from '../../../src/crds/decode/decode.ts'
import { withDefaults } from '../../../src/crds/decode/defaults.ts'
import { pruneNode } from '../../../src/crds/decode/prune.ts'
import { validateNode } from '../../../src/crds/decode/validate.ts'
import { storedTest } from '../../../src/installation/evidence/stored-test.ts'
import type { AnyObject, CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import type { Chance, Property } from '../seeded.ts'
import { randomSchema, randomValue } from './crd-decode-cases.ts'

type Schema = Record<string, unknown>

const minor = 36
const texts = { title: '', why: '', fix: '' }
const rootOf = (spec: JSONSchema): JSONSchema => ({ type: 'object', properties: { spec } })

const definitionOf = (spec: JSONSchema): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'models.example.io' },
  spec: {
    group: 'example.io',
    scope: 'Namespaced',
    names: { plural: 'models', kind: 'Model' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: rootOf(spec) } }],
  },
})

/** The schema with something else here and there: another one, a word less, words of another one of its type. */
function changed(schema: JSONSchema, chance: Chance): Schema {
  const inner = ['items', 'additionalProperties'].flatMap((word) =>
    Object.keys(schemaOf(schema[word])).length === 0 ? [] : [[word, changed(schemaOf(schema[word]), chance)] as const],
  )
  const fields = Object.entries(schemaOf(schema['properties'])).filter(() => chance.below(8) > 0)
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, changed(schemaOf(field), chance)]))
  const kept = {
    ...schema,
    ...Object.fromEntries(inner),
    ...(schema['properties'] !== undefined && { properties }),
  }
  const other = randomSchema(chance, 2)
  if (chance.below(12) === 0) return other
  if (chance.below(4) === 0) return without(kept, chance.pick(Object.keys(kept)))
  const words = Object.entries(other).filter(([word]) => !structure.has(word))
  return chance.below(4) === 0 && other['type'] === schema['type'] ? { ...kept, ...Object.fromEntries(words) } : kept
}

/** What two schemas of one type may not have in common. */
const structure = new Set(['type', 'items', 'properties', 'additionalProperties'])

function without(schema: Schema, dropped: string): Schema {
  const entries = Object.entries(schema)
  return Object.fromEntries(entries.filter(([word]) => word !== dropped || word === 'type' || word === 'items'))
}

interface Case {
  before: JSONSchema
  after: JSONSchema
  object: AnyObject
}

/** An object that the old schema accepts, as it is read. */
function caseOf(chance: Chance): Case | undefined {
  const before = { type: 'object', properties: { x: randomSchema(chance, 1), y: randomSchema(chance, 1) } }
  const after = changed(before, chance)
  const spec = randomValue(chance, before, 0)
  const written = { apiVersion: 'example.io/v1', kind: 'Model', metadata: { name: 'a' }, spec }
  const { object, invalid } = decode(rootOf(before), written, { minor })
  return invalid.length > 0 ? undefined : { before, after, object }
}

function damages({ before, after, object }: Case) {
  const definitions = { before: definitionOf(before), after: definitionOf(after) }
  return compareDefinitions(definitions.before, definitions.after).flatMap((change) => {
    const damage = storedTest({ ...change, ...texts }, definitions, minor)?.(object)
    return damage === undefined ? [] : [{ id: change.id, ...damage }]
  })
}

/** What fills fields in, which is no loss; nor is a null that a default replaces. */
const fills = ({ id, message }: { id: string; message: string }): boolean =>
  message === 'is null' || /^crd\.(default|property\.added-with-default|required\.added-with-default)/.test(id)

/** What becomes of the object of a case: undefined where the old schema refuses it. */
export function outcomeOf(chance: Chance): 'kept' | 'hurt' | undefined {
  const found = caseOf(chance)
  if (found === undefined) return undefined
  const { pruned, invalid } = survives(rootOf(found.before), rootOf(found.after), found.object, { minor })
  return pruned.length + invalid.length > 0 ? 'hurt' : 'kept'
}

/** Are the defaults valid, as an API server asks for? Of a schema that it refuses nothing needs to be said. */
function isTakenByServer(schema: JSONSchema): boolean {
  if (schema['x-kubernetes-list-type'] === 'map' && schema['x-kubernetes-list-map-keys'] === undefined) return false
  const value = schema['default']
  const valid = value === undefined || survivesItself(schema, value)
  const inner = [schema['items'], schema['additionalProperties'], ...Object.values(schemaOf(schema['properties']))]
  return valid && inner.filter(isSchema).every(isTakenByServer)
}

function survivesItself(schema: JSONSchema, value: unknown): boolean {
  const { pruned, value: kept } = pruneNode(schema, value)
  return pruned.length === 0 && validateNode(schema, withDefaults(kept, schema, [], []), [], { minor }).length === 0
}

export const crdEvidenceProperties: Property[] = [
  {
    title: 'where an object loses something or is refused under the new schema, stored objects have an error',
    holds: (chance) => {
      const found = caseOf(chance)
      if (found === undefined || !isTakenByServer(found.after)) return
      const { pruned, invalid } = survives(rootOf(found.before), rootOf(found.after), found.object, { minor })
      if (pruned.length + invalid.length === 0) return
      const changes = compareDefinitions(definitionOf(found.before), definitionOf(found.after))
      const errors = changes.filter(({ level, audiences }) => level === 'error' && audiences.includes('stored'))
      expect(errors, JSON.stringify({ ...found, pruned, invalid })).not.toEqual([])
    },
  },
  {
    title: 'an object that loses something under the new schema is an offender of some finding',
    holds: (chance) => {
      const found = caseOf(chance)
      if (found === undefined) return
      const { pruned, invalid } = survives(rootOf(found.before), rootOf(found.after), found.object, { minor })
      if (pruned.length + invalid.length === 0) return
      expect(damages(found), JSON.stringify({ ...found, pruned, invalid })).not.toEqual([])
    },
  },
  {
    title: 'an offender of a finding loses something under the new schema',
    holds: (chance) => {
      const found = caseOf(chance)
      if (found === undefined) return
      const lossy = damages(found).filter((damage) => !fills(damage))
      if (lossy.length === 0) return
      const { pruned, invalid } = survives(rootOf(found.before), rootOf(found.after), found.object, { minor })
      expect(pruned.length + invalid.length, JSON.stringify({ ...found, lossy })).toBeGreaterThan(0)
    },
  },
]
