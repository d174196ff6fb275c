/**
 * The verdicts of crdify v0.5.0, for those who replace it: which validations fail, where, with its own reading of a schema.
 * It flattens both schemas by a path in which items and map values are both `[*]` and a branch of a combinator replaces the node
 * that it is of, looks just at nodes of the old side, and calls everything that no validation handles `unhandled`.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../../kubernetes/objects.ts'
import type { Change, CrdifyConfig, Enforcement, JSONSchema, Level } from '../comparison.types.ts'
import { inOrder } from '../order.ts'
import {
  canonical,
  compareTexts,
  guardDepth,
  isSchema,
  listOf,
  missingFrom,
  propertiesOf,
  same,
  schemaOf,
  schemaOfVersion,
  sorted,
  stringsOf,
} from '../schema-reading.ts'
import { comparePriority } from '../version-priority.ts'

type Flat = ReadonlyMap<string, JSONSchema>
interface Failure {
  before?: unknown
  after?: unknown
}
type Validation = (before: JSONSchema, after: JSONSchema, settings: JSONSchema) => Failure | undefined
type Place = Pick<Change, 'scope' | 'version'>

const enforced: Readonly<Record<Enforcement, Level | undefined>> = { Error: 'error', Warn: 'warning', None: undefined }

/** Compares two definitions as crdify does. `config` is its own. */
export function crdifyChanges(
  before: CustomResourceDefinition,
  after: CustomResourceDefinition,
  config: CrdifyConfig,
): Change[] {
  return inOrder([
    ...definitionFailures(before, after, config),
    ...before.spec.versions.flatMap((old) => {
      const now = after.spec.versions.find(({ name }) => name === old.name)
      return now === undefined ? [] : versionFailures(old, now, { scope: 'same-version', version: old.name }, config)
    }),
    ...servedFailures(before, after, config),
  ])
}

function definitionFailures(before: CustomResourceDefinition, after: CustomResourceDefinition, config: CrdifyConfig) {
  const place = { scope: 'definition', version: '' } as const
  const names = after.spec.versions.map(({ name }) => name)
  const removed = missingFrom(before.status?.storedVersions ?? [], names)
  const scopes = { before: before.spec.scope, after: after.spec.scope }
  return [
    ...(scopes.before === scopes.after ? [] : changeOf('scope', place, '', scopes, config)),
    ...(removed.length === 0 ? [] : changeOf('storedVersionRemoval', place, '', { before: removed }, config)),
    ...before.spec.versions.flatMap((old) => {
      const now = after.spec.versions.find(({ name }) => name === old.name)
      if (now === undefined) return []
      const fields = flatten(now)
      return [...flatten(old).keys()]
        .filter((path) => !fields.has(path))
        .flatMap((path) =>
          changeOf('existingFieldRemoval', { scope: 'definition', version: old.name }, path, {}, config),
        )
    }),
  ]
}

/** One way only, from the lower priority to the higher; what the old definition failed in already is taken away. */
function servedFailures(before: CustomResourceDefinition, after: CustomResourceDefinition, config: CrdifyConfig) {
  if (config.conversion === 'Ignore' && after.spec.conversion?.strategy === 'Webhook') return []
  const key = (change: Change) => canonical([change.version, change.path, change.id, change.before, change.after])
  const existing = new Set(pairFailures(before, config).map(key))
  return pairFailures(after, config).filter((change) => !existing.has(key(change)))
}

function pairFailures(crd: CustomResourceDefinition, config: CrdifyConfig): Change[] {
  const served = crd.spec.versions
    .filter((version) => version.served)
    .toSorted((one, other) => comparePriority(other.name, one.name))
  return served.flatMap((from, index) =>
    served
      .slice(index + 1)
      .flatMap((to) =>
        versionFailures(from, to, { scope: 'served-pair', version: `${from.name} -> ${to.name}` }, config),
      ),
  )
}

function versionFailures(
  before: CustomResourceDefinitionVersion,
  after: CustomResourceDefinitionVersion,
  place: Place,
  config: CrdifyConfig,
): Change[] {
  const fields = flatten(after)
  return [...flatten(before)].flatMap(([path, node]) => {
    const [old, now] = [withoutChildren(node), withoutChildren(fields.get(path) ?? {})]
    if (same(old, now)) return []
    const failed = Object.entries(validations).flatMap(([name, validation]) => {
      const failure = validation(old, now, config.validations[name]?.configuration ?? {})
      return failure === undefined ? [] : changeOf(name, place, path, failure, config)
    })
    const words = [...new Set([...Object.keys(old), ...Object.keys(now)])]
      .filter((word) => !(word in validations) && !same(old[word], now[word]))
      .toSorted(compareTexts)
    const rest = (side: JSONSchema) => Object.fromEntries(words.map((word) => [word, side[word] ?? null]))
    if (words.length > 0) {
      failed.push(...changeOf('unhandled', place, path, { before: rest(old), after: rest(now) }, config))
    }
    return failed
  })
}

function changeOf(name: string, place: Place, path: string, failure: Failure, config: CrdifyConfig): Change[] {
  const enforcement = name === 'unhandled' ? config.unhandledEnforcement : config.validations[name]?.enforcement
  const level = enforced[enforcement ?? 'Error']
  if (level === undefined) return []
  const audiences: Change['audiences'] = name === 'description' ? [] : ['writer', 'reader', 'stored']
  return [{ id: `crdify.${name}`, ...place, path, ...failure, audiences, level }]
}

function flatten(version: CustomResourceDefinitionVersion): Flat {
  const nodes = new Map<string, JSONSchema>()
  const root = schemaOfVersion(version)
  if (root !== undefined) collect(root, '^', nodes, 0)
  return nodes
}

function collect(node: JSONSchema, path: string, nodes: Map<string, JSONSchema>, depth: number): void {
  guardDepth(depth)
  nodes.set(path, node)
  const items = node['items']
  if (isSchema(items)) collect(items, `${path}[*]`, nodes, depth + 1)
  for (const [index, item] of listOf(items).entries()) collect(schemaOf(item), `${path}[${index}]`, nodes, depth + 1)
  for (const word of ['allOf', 'anyOf', 'oneOf']) {
    for (const branch of listOf(node[word])) collect(schemaOf(branch), path, nodes, depth + 1)
  }
  if (isSchema(node['not'])) collect(node['not'], path, nodes, depth + 1)
  for (const [name, field] of propertiesOf(node)) collect(field, `${path}.${name}`, nodes, depth + 1)
  const values = node['additionalProperties']
  if (isSchema(values)) collect(values, `${path}[*]`, nodes, depth + 1)
}

/** The words of Go's type, by which a file is read: what else it says is dropped. */
const wordsOfGo: ReadonlySet<string> = new Set(
  [
    'id $schema $ref description type format title default maximum exclusiveMaximum minimum exclusiveMinimum maxLength',
    'minLength pattern maxItems minItems uniqueItems multipleOf enum maxProperties minProperties required items allOf oneOf',
    'anyOf not properties additionalProperties patternProperties dependencies additionalItems definitions externalDocs example',
    'nullable x-kubernetes-preserve-unknown-fields x-kubernetes-embedded-resource x-kubernetes-int-or-string',
    'x-kubernetes-list-map-keys x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-validations',
  ].flatMap((line) => line.split(' ')),
)

/** These are pointers there: a zero value is not the same as none. */
const pointers: ReadonlySet<string> = new Set(
  [
    'additionalProperties default example externalDocs not optionalOldSelf reason',
    'x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields',
  ].flatMap((line) => line.split(' ')),
)

/** A field of Go's type that has its zero value is no field. */
const meansNothing = (word: string, value: unknown) => {
  if (value === undefined || value === null) return true
  if (pointers.has(word)) return false
  return value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
}

const withoutZeros = (entries: [string, unknown][]) => entries.filter(([word, value]) => !meansNothing(word, value))

/** The node as it is read, without its fields and items. */
function withoutChildren(node: JSONSchema): JSONSchema {
  return asRead(
    Object.entries(node).filter(([word]) => word !== 'properties' && word !== 'items'),
    0,
  )
}

function asRead(entries: [string, unknown][], depth: number): JSONSchema {
  guardDepth(depth)
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner)
    return isSchema(value) ? asRead(Object.entries(value), depth + 1) : value
  }
  const known = withoutZeros(entries.filter(([word]) => wordsOfGo.has(word)))
  return Object.fromEntries(
    known.map(([word, value]) => {
      if (word === 'properties') return [word, mapValues(value, inner)]
      if (word === 'x-kubernetes-validations') return [word, listOf(value).map(ruleAsRead)]
      return [word, schemaWords.has(word) ? inner(value) : value]
    }),
  )
}

const schemaWords: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'allOf', 'anyOf', 'oneOf', 'not'])
const ruleAsRead = (rule: unknown) => (isSchema(rule) ? Object.fromEntries(withoutZeros(Object.entries(rule))) : rule)
const mapValues = (value: unknown, map: (entry: unknown) => unknown) =>
  isSchema(value) ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, map(entry)])) : value

/** A limit fails where it is new, or tighter. */
const limit =
  (word: string, direction: 1 | -1): Validation =>
  ({ [word]: before }, { [word]: after }) => {
    if (typeof after !== 'number') return undefined
    if (typeof before !== 'number') return { after }
    return direction * (after - before) > 0 ? { before, after } : undefined
  }

const changed =
  (word: string): Validation =>
  ({ [word]: before }, { [word]: after }) =>
    same(before, after) ? undefined : { before, after }

/** Named as the word of the schema that each handles. */
const validations: Readonly<Record<string, Validation>> = {
  default: changed('default'),
  description: changed('description'),
  enum: (before, after, { additionPolicy }) => {
    const [old, now] = [listOf(before['enum']), listOf(after['enum'])]
    const [gone, added] = [sorted(missingFrom(old, now)), sorted(missingFrom(now, old))]
    if (old.length === 0) return added.length === 0 ? undefined : { after: added }
    if (gone.length > 0) return { before: gone }
    return added.length > 0 && additionPolicy !== 'Allow' ? { before: [], after: added } : undefined
  },
  maximum: limit('maximum', -1),
  maxItems: limit('maxItems', -1),
  maxLength: limit('maxLength', -1),
  maxProperties: limit('maxProperties', -1),
  minimum: limit('minimum', 1),
  minItems: limit('minItems', 1),
  minLength: limit('minLength', 1),
  minProperties: limit('minProperties', 1),
  required: (before, after) => {
    const added = sorted(missingFrom(stringsOf(after['required']), stringsOf(before['required'])))
    return added.length === 0 ? undefined : { after: added }
  },
  type: changed('type'),
}

/** The names of all validations, which a configuration may name. */
export const crdifyValidations: readonly string[] = [
  'existingFieldRemoval',
  'scope',
  'storedVersionRemoval',
  ...Object.keys(validations),
]
