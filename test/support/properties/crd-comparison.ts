import { expect } from 'vitest'
import { compare } from '../../../src/crds/comparison/compare.ts'
import type { Finding, ProfileName } from '../../../src/crds/comparison/comparison.types.ts'
import { profileNames } from '../../../src/crds/comparison/profiles.ts'
import { isSuperset } from '../../../src/crds/superset.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { validate } from '../json-schema.ts'
import type { Chance, Property } from '../seeded.ts'
import { narrow, pruned, schemaOf, times, valueOf, widen } from './superset.ts'

type Definition = CustomResourceDefinition
type Schema = Record<string, unknown>

const context = { today: '2026-11-22' }
const findings = (before: Definition, after: Definition, profile: ProfileName) =>
  compare(before, after, { profile, context })

/** Words that the schemas of the other properties do not have, here and there. */
function adorn(schema: Schema, chance: Chance): Schema {
  const inner = (key: string) => (schema[key] === undefined ? {} : { [key]: adorn(schema[key] as Schema, chance) })
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
  const type = schema['type']
  return {
    ...schema,
    ...(chance.below(8) === 0 && { nullable: true }),
    ...(chance.below(8) === 0 && { description: chance.text() }),
    ...(type === 'boolean' && chance.below(4) === 0 && { default: chance.flip() }),
    ...(type === 'string' && chance.below(6) === 0 && { pattern: chance.pick(['^x', 'x$']) }),
    ...(type === 'string' && chance.below(8) === 0 && { oneOf: [{ pattern: 'a' }, { maxLength: chance.below(3) }] }),
    ...(type === 'array' && chance.below(4) === 0 && { 'x-kubernetes-list-type': chance.pick(['atomic', 'set']) }),
    ...(type === 'object' && chance.below(8) === 0 && { 'x-kubernetes-map-type': 'atomic' }),
    ...(chance.below(8) === 0 && { 'x-kubernetes-validations': [{ rule: chance.pick(['self != oldSelf', 'true']) }] }),
    ...inner('items'),
    ...inner('additionalProperties'),
    ...(fields.length > 0 && {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, adorn(field, chance)])),
    }),
  }
}

function definitionOf(schemas: readonly Schema[], chance: Chance): Definition {
  const storage = chance.below(schemas.length)
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'models.example.io' },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: { plural: 'models', kind: 'Model' },
      conversion: { strategy: chance.flip() ? 'None' : 'Webhook', webhook: { conversionReviewVersions: ['v1'] } },
      versions: schemas.map((openAPIV3Schema, index) => ({
        name: ['v1alpha1', 'v1beta1', 'v1'][index] ?? 'v2',
        served: chance.below(4) > 0,
        storage: index === storage,
        ...(chance.below(4) === 0 && { deprecated: true }),
        schema: { openAPIV3Schema },
      })),
    },
  }
}

/** Versions whose schemas come from one another. */
export function someDefinition(chance: Chance): Definition {
  const first = adorn(schemaOf(chance), chance)
  const schemas = Array.from({ length: 1 + chance.below(3) }, () => edited(first, chance))
  return definitionOf(schemas, chance)
}

const edited = (schema: Schema, chance: Chance) =>
  adorn(times(chance.below(4), chance, [widen, narrow], schema), chance)

export function successor(crd: Definition, chance: Chance): Definition {
  return definitionOf(
    crd.spec.versions.map(({ schema }) => edited(schema?.openAPIV3Schema ?? {}, chance)),
    chance,
  )
}

/** The same JSON with its keys in another order; the order of lists stays. */
function shuffled<Value>(value: Value, chance: Chance): Value {
  if (Array.isArray(value)) return value.map((entry: unknown) => shuffled(entry, chance)) as Value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(
    ([key, entry]) => [chance.below(1000), key, shuffled(entry, chance)] as const,
  )
  return Object.fromEntries(entries.toSorted(([a], [b]) => a - b).map(([, key, entry]) => [key, entry])) as Value
}

/** Every schema of the definition, with what `edit` makes of it. */
const withSchemas = (crd: Definition, edit: (schema: Schema) => Schema): Definition => ({
  ...crd,
  spec: {
    ...crd.spec,
    versions: crd.spec.versions.map((version) => ({
      ...version,
      schema: { openAPIV3Schema: edit(version.schema?.openAPIV3Schema ?? {}) },
    })),
  },
})

const reworded = (schema: Schema): Schema => ({
  ...schema,
  description: `${String(schema['description'])} in other words`,
  ...Object.fromEntries(
    ['items', 'additionalProperties'].flatMap((key) =>
      schema[key] === undefined ? [] : [[key, reworded(schema[key] as Schema)]],
    ),
  ),
  ...(schema['properties'] !== undefined && {
    properties: Object.fromEntries(
      Object.entries(schema['properties'] as Record<string, Schema>).map(([name, field]) => [name, reworded(field)]),
    ),
  }),
})

/** The paths of objects with named fields, those below maps left out. */
function closedObjects(schema: Schema, path: readonly string[] = []): string[][] {
  if (schema['type'] === 'array') return closedObjects(schema['items'] as Schema, [...path, '[]'])
  if (schema['properties'] === undefined) return []
  const fields = Object.entries(schema['properties'] as Record<string, Schema>)
  return [[...path], ...fields.flatMap(([name, field]) => closedObjects(field, [...path, name]))]
}

function withField([step, ...rest]: readonly string[], schema: Schema, name: string, field: Schema): Schema {
  const fields = (schema['properties'] ?? {}) as Record<string, Schema>
  if (step === undefined) return { ...schema, properties: { ...fields, [name]: field } }
  if (step === '[]') return { ...schema, items: withField(rest, schema['items'] as Schema, name, field) }
  return { ...schema, properties: { ...fields, [step]: withField(rest, fields[step] ?? {}, name, field) } }
}

const keywords =
  'type properties items additionalProperties required enum default nullable format pattern minimum maximum multipleOf allOf anyOf oneOf not description x-kubernetes-validations x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-preserve-unknown-fields x-kubernetes-int-or-string __proto__'.split(
    ' ',
  )

/** What may stand in a file in place of a schema: words with any value at all. */
function anything(chance: Chance, depth = 4): unknown {
  const kind = chance.below(depth > 0 ? 9 : 6)
  if (kind > 6) {
    return Object.fromEntries(chance.several(6, () => [chance.pick([...keywords, 'a']), anything(chance, depth - 1)]))
  }
  if (kind === 6) return chance.several(3, () => anything(chance, depth - 1))
  return [null, true, false, chance.below(9) / 2, chance.text(), chance.pick(['object', 'array', 'string', 'self'])][
    kind
  ]
}

const errors = (all: readonly Finding[]) =>
  all.filter(({ level }) => level === 'error').map(({ id, path }) => `${id} ${path}`)
const ofPolicies = ({ id }: Finding) => !id.startsWith('crd')

export const crdComparisonProperties: Property[] = [
  {
    title: 'a definition against itself gives nothing',
    holds: (chance) => {
      const crd = someDefinition(chance)
      for (const profile of profileNames) {
        const { upgrade, rollback } = findings(crd, structuredClone(crd), profile)
        expect([upgrade, rollback]).toEqual([[], []])
      }
    },
  },
  {
    title: 'what the way there finds, the way back finds of the swapped pair',
    holds: (chance) => {
      const before = someDefinition(chance)
      const after = successor(before, chance)
      for (const profile of profileNames) {
        const forward = findings(before, after, profile).upgrade.filter((finding) => !ofPolicies(finding))
        expect(findings(after, before, profile).rollback).toEqual(forward)
      }
    },
  },
  {
    title: 'an optional field without a default, in every version and under a closed object, is never an error',
    holds: (chance) => {
      const schema = adorn(schemaOf(chance), chance)
      const crd = definitionOf(
        Array.from({ length: 1 + chance.below(3) }, () => edited(schema, chance)),
        chance,
      )
      const shared = crd.spec.versions
        .map((version) => closedObjects(version.schema?.openAPIV3Schema ?? {}).map((path) => path.join('.')))
        .reduce((common, paths) => common.filter((path) => paths.includes(path)))
      if (shared.length === 0) return
      const path = chance.pick(shared)
      const field = adorn(schemaOf(chance, 1), chance)
      delete field['default']
      const steps = path === '' ? [] : path.split('.')
      const after = withSchemas(crd, (one) => withField(steps, one, 'added', field))
      for (const profile of profileNames) expect(errors(findings(crd, after, profile).upgrade)).toEqual([])
    },
  },
  {
    title: 'the order of keys says nothing',
    holds: (chance) => {
      const before = someDefinition(chance)
      const after = successor(before, chance)
      for (const profile of profileNames) {
        const mixed = findings(shuffled(before, chance), shuffled(after, chance), profile)
        expect(mixed).toEqual(findings(before, after, profile))
        expect(findings(before, shuffled(before, chance), profile).upgrade).toEqual([])
      }
    },
  },
  {
    title: 'anything at all in place of schemas is compared, and the same is the same',
    holds: (chance) => {
      const [before, after] = [0, 1].map(() =>
        definitionOf([anything(chance) as Schema, { type: 'object', ...(anything(chance) as object) }], chance),
      )
      if (before === undefined || after === undefined) return
      for (const profile of profileNames) {
        expect(findings(before, structuredClone(before), profile).upgrade).toEqual([])
        const forward = findings(before, after, profile).upgrade.filter((finding) => !ofPolicies(finding))
        expect(findings(after, before, profile).rollback).toEqual(forward)
      }
    },
  },
  {
    title: 'nothing fails for other words',
    holds: (chance) => {
      const before = someDefinition(chance)
      const after = withSchemas(before, reworded)
      // crdify fails for words, and for those inside a map even where it is told not to.
      for (const profile of profileNames.filter((name) => name !== 'strict' && name !== 'olm')) {
        const { upgrade, rollback } = findings(before, after, profile)
        expect([...upgrade, ...rollback].filter(({ level }) => level !== 'info')).toEqual([])
      }
    },
  },
  {
    title: 'a superset hurts no writer and no stored object',
    holds: (chance) => {
      const older = schemaOf(chance)
      const [before, after] = [older, times(chance.below(5), chance, [widen, widen, narrow], older)].map((schema) =>
        definitionOf([schema], { ...chance, below: () => 1, flip: () => true }),
      )
      if (before === undefined || after === undefined || !isSuperset(after, before).superset) return
      expect(errors(findings(before, after, 'kubernetes').upgrade)).toEqual([])
    },
  },
  {
    title: 'where there is no error for stored objects, every old value is accepted and kept whole',
    holds: (chance) => {
      const older = schemaOf(chance)
      const newer = times(1 + chance.below(4), chance, [widen, widen, narrow], older)
      const [before, after] = [older, newer].map((schema) =>
        definitionOf([schema], { ...chance, below: () => 1, flip: () => true }),
      )
      if (before === undefined || after === undefined) return
      const { upgrade } = findings(before, after, 'kubernetes')
      if (upgrade.some(({ level, audiences }) => level === 'error' && audiences.includes('stored'))) return
      for (let round = 0; round < 5; round++) {
        const value = valueOf(older, chance)
        expect(validate(value, newer)).toEqual([])
        expect(pruned(value, newer)).toEqual(value)
      }
    },
  },
]
