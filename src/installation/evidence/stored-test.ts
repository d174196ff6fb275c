/** Whether a finding would hurt one stored object: a test of just the changed node, never of the whole object. */
import type { ChangedNode, Finding, JSONSchema } from '../../crds/comparison/comparison.types.ts'
import type { Offender } from '../../crds/comparison/evidence.types.ts'
import { propertiesOf, same, schemaOfVersion, TooDeep } from '../../crds/comparison/schema-reading.ts'
import { survives } from '../../crds/decode/decode.ts'
import type { NodeStep } from '../../crds/decode/decode.types.ts'
import { withDefaults } from '../../crds/decode/defaults.ts'
import { pruneNode } from '../../crds/decode/prune.ts'
import { validateNode } from '../../crds/decode/validate.ts'
import type { KubernetesObject } from '../../kubernetes/objects.ts'
import { fieldOf, isMap, type Place, placesOf } from './places.ts'
import type { Definitions } from './standing.ts'
import { fieldOfTrace, tracesOf } from './version-users.ts'

/** What a change does to an object: where, and what. */
export type Damage = Pick<Offender, 'field' | 'message'>
/** The first damage to an object; undefined for none. */
export type StoredTest = (object: KubernetesObject) => Damage | undefined

/** What a change does to one place of an object. */
type PlaceTest = (place: Place) => Damage | undefined
/** Undefined where only the API server can tell. */
type MakeTest = (node: ChangedNode, about: { finding: Finding; minor: number }) => PlaceTest | undefined

const says =
  (message: string, hurts: (value: unknown) => boolean): PlaceTest =>
  ({ path, value }) =>
    hurts(value) ? { field: fieldOf(path), message } : undefined

const goes: MakeTest = () => says('is dropped', (value) => value !== undefined)

/** Where any key is kept, but has no schema, the API server drops what is in the objects below. */
const emptied: MakeTest =
  () =>
  ({ path, value }) => {
    const [dropped] = value === undefined ? [] : pruneNode({}, value).pruned
    return dropped && { field: fieldOf([...path, ...dropped.path]), message: 'is dropped' }
  }

/**
 * A value that is the old default may never have been stored: reading shows it either way, so it counts as missing. A null that is
 * not allowed is dropped before defaults are filled in.
 */
const missing =
  (message: string): MakeTest =>
  ({ before = {}, after = {} }) => {
    const nullGoes = after['nullable'] !== true
    const unsure = (value: unknown) => before['default'] !== undefined && same(value, before['default'])
    return says(message, (value) => value === undefined || (value === null && nullGoes) || unsure(value))
  }

const whole: MakeTest = ({ before, after }, { minor }) => {
  if (after === undefined) return undefined
  return ({ path, value }) =>
    value === undefined ? undefined : lossOf(before ?? anything, after, { path, value }, minor)
}

/** The schema of a value that nothing was said about. */
const anything: JSONSchema = { 'x-kubernetes-preserve-unknown-fields': true }

/** What a value loses where another schema takes the place of the one it was written under. */
function lossOf(before: JSONSchema, after: JSONSchema, { path, value }: Place, minor: number): Damage | undefined {
  // Metadata and type are decoded in their own way at the root, and only there.
  const root = path.length === 0 && isMap(value)
  const { pruned, invalid } = root
    ? survives(before, after, value, { minor })
    : survives(asField(before), asField(after), { value }, { minor })
  const tell = (inner: NodeStep[], message: string): Damage => ({
    field: fieldOf([...path, ...(root ? inner : inner.slice(1))]),
    message,
  })
  const [[refused], [dropped]] = [invalid, pruned]
  if (refused !== undefined) return tell(refused.path, refused.message)
  return dropped && tell(dropped.path, 'is dropped')
}

function asField(schema: JSONSchema): JSONSchema {
  return { type: 'object', properties: { value: schema } }
}

const unnamedKeys: MakeTest = ({ path, after = {} }) => {
  const named = new Set(propertiesOf(after).keys())
  const isObject = path.length === 0 || after['x-kubernetes-embedded-resource'] === true
  return dropsKeys((name) => !named.has(name) && !(isObject && given.has(name)))
}

/** Only an embedded object keeps these without their names in its schema. */
const givenKeys: MakeTest = ({ after = {} }) => {
  const named = new Set(propertiesOf(after).keys())
  return dropsKeys((name) => given.has(name) && !named.has(name))
}

const given = new Set(['apiVersion', 'kind', 'metadata'])

const dropsKeys =
  (isDropped: (name: string) => boolean): PlaceTest =>
  ({ path, value }) => {
    const key = isMap(value) ? Object.keys(value).find(isDropped) : undefined
    return key === undefined ? undefined : { field: fieldOf([...path, key]), message: 'is dropped' }
  }

/**
 * The value under the changed words alone: what its children hold is other findings' matter. Words that refused it before do not
 * hurt it anew. Null is refused or not by `nullable` alone, which is a finding of its own.
 */
function underWords({ before = {}, after = {} }: ChangedNode, names: readonly string[], minor: number): PlaceTest {
  const [old, now] = [only(before, names), only(after, names)]
  const nullable = after['nullable'] === true
  return ({ path, value }) => {
    if (value === undefined || (value === null && !nullable)) return undefined
    const [refused] = validateNode(now, readUnder(after, value), [], { minor })
    if (refused === undefined || validateNode(old, value, [], { minor }).length > 0) return undefined
    return { field: fieldOf([...path, ...refused.path]), message: refused.message }
  }
}

const words =
  (...names: string[]): MakeTest =>
  (node, { minor }) =>
    underWords(node, names, minor)

function only(schema: JSONSchema, names: readonly string[]): JSONSchema {
  return Object.fromEntries(Object.entries(schema).filter(([word]) => word === 'nullable' || names.includes(word)))
}

/** The branch that is new, not those beside it. */
const newBranch: MakeTest = ({ path, after }, { finding, minor }) =>
  underWords({ path, after: { ...after, allOf: [finding.after] } }, ['allOf'], minor)

/** What is validated is what is left of a value, with its defaults: both count where fields do. */
function readUnder(schema: JSONSchema, value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? withDefaults(pruneNode(schema, value).value, schema, [], [])
    : value
}

/** With another type, `nullable` is no finding of its own. */
const ofType: MakeTest = (node, { minor }) => {
  const test = underWords(node, types, minor)
  const nullGoes = node.after?.['nullable'] !== true
  return (place) =>
    place.value === null && nullGoes ? { field: fieldOf(place.path), message: 'is null' } : test(place)
}

// Where a text has a format, the API server takes lists for texts.
const types = ['type', 'x-kubernetes-int-or-string', 'format']
const uniqueness = ['type', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys']

/** By id or rule: how a place is looked at. What is not here cannot be seen in an object, such as what a rule in CEL says of it. */
const tests: Readonly<Record<string, MakeTest>> = {
  'crd.property.removed': goes,
  'crd.property.renamed': goes,
  'crd.property.emptied': emptied,
  'crd.property.added-with-default': missing('shows the default'),
  'crd.property.constrains-unknown': whole,
  'crd.required.added': missing('is required and not there'),
  'crd.required.added-with-default': missing('is filled in with the default'),
  'crd.default.added': missing('is filled in with the default'),
  'crd.default.changed': missing('may get the new default'),
  'crd.default.removed': missing('may lose the default'),
  'crd.preserve-unknown-fields.removed': unnamedKeys,
  'crd.preserve-unknown-fields.emptied': whole,
  'crd.additional-properties': whole,
  'crd.items.added': whole,
  'crd.schema.added': whole,
  'crd.conversion.none-between-different-schemas': whole,
  'crd.nullable.removed': () => says('is null', (value) => value === null),
  'crd.type': ofType,
  'crd.int-or-string': words(...types),
  'crd.enum': words('enum'),
  'crd.minimum': words('minimum', 'exclusiveMinimum'),
  'crd.maximum': words('maximum', 'exclusiveMaximum'),
  'crd.multiple-of': words('multipleOf'),
  'crd.min-length': words('minLength'),
  'crd.max-length': words('maxLength'),
  'crd.min-items': words('minItems'),
  'crd.max-items': words('maxItems'),
  'crd.min-properties': words('minProperties'),
  'crd.max-properties': words('maxProperties'),
  'crd.pattern': words('pattern'),
  'crd.format': words(...types),
  'crd.all-of': newBranch,
  'crd.any-of': words('anyOf'),
  'crd.one-of': words('oneOf'),
  'crd.not': words('not'),
  'crd.list-type': words(...uniqueness),
  'crd.list-map-keys': words(...uniqueness),
  'crd.embedded-resource.removed': givenKeys,
  'crd.embedded-resource.added': words('type', 'x-kubernetes-embedded-resource'),
}

/** Is the finding about clients of a version, of whom objects keep only traces? */
export function isAboutVersions({ id }: Pick<Finding, 'id'>): boolean {
  return versionKinds.has(id)
}

const versionKinds = new Set(
  ['removed-stored', 'removed', 'removed-unserved', 'unserved'].map((kind) => `crd.version.${kind}`),
)

/** The test of one finding, for an API server of a minor of 1; undefined where objects say nothing about it. */
export function storedTest(finding: Finding, definitions: Definitions, minor: number): StoredTest | undefined {
  if (isAboutVersions(finding)) return tracesIn(`${definitions.before.spec.group}/${finding.version}`)
  const node = nodeOf(finding, definitions)
  if (node === undefined || !finding.audiences.includes('stored')) return undefined
  const test = (tests[finding.id] ?? tests[finding.id.slice(0, finding.id.lastIndexOf('.'))])?.(node, {
    finding,
    minor,
  })
  if (test === undefined) return undefined
  return (object) => {
    for (const place of placesOf(node.path, object)) {
      const damage = unlessTooDeep(test, place)
      if (damage !== undefined) return damage
    }
    return undefined
  }
}

/** What cannot be tested counts as hurt: no level is lowered by what was not looked at. */
function unlessTooDeep(test: PlaceTest, place: Place): Damage | undefined {
  try {
    return test(place)
  } catch (error) {
    if (error instanceof TooDeep) return { field: fieldOf(place.path), message: 'nests too deep to be looked at' }
    throw error
  }
}

function tracesIn(apiVersion: string): StoredTest {
  return (object) => {
    const [trace] = tracesOf(object, apiVersion)
    return trace && { field: fieldOfTrace(trace), message: `${trace.manager} wrote it as ${apiVersion}` }
  }
}

/** The changed node. A finding about whole versions is about their roots. */
function nodeOf({ id, node, version }: Finding, { before, after }: Definitions): ChangedNode | undefined {
  if (node !== undefined || (id !== 'crd.schema.added' && !id.startsWith('crd.conversion.'))) return node
  const [from = '', to = from] = version.split(' -> ')
  const [old, now] = [schemaIn(before, from), schemaIn(after, to)]
  return now && { path: [], before: old ?? anything, after: now }
}

function schemaIn({ spec }: Definitions['before'], name: string): JSONSchema | undefined {
  const version = spec.versions.find((candidate) => candidate.name === name)
  return version && schemaOfVersion(version)
}
