/**
 * Does a newer CRD accept and keep everything that an older one accepts? Pure. Only then can the newer CRD stay while the
 * controllers go back. A construct that is not understood here counts as a difference: better one refusal too many.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../kubernetes/objects.ts'

export interface SupersetDifference {
  /** version of the CRD, `*` for the CRD as a whole */
  version: string
  /** `^.spec.engine.type`, `[*]` for the items of a list, `{*}` for the values of a map */
  path: string
  what: string
}

export interface SupersetResult {
  superset: boolean
  differences: SupersetDifference[]
}

type Schema = Record<string, unknown>
type Report = (path: string, what: string) => void
interface Pair {
  newer: Schema
  older: Schema
  path: string
  report: Report
}

/** Words without an effect on what is accepted or kept. */
const documentation = new Set(['description', 'title', 'example', 'externalDocs'])

/** Restrictions that may go, but may neither come nor change. */
const restrictions = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'allOf', 'anyOf', 'oneOf', 'not']

const lowerBounds = ['minLength', 'minItems', 'minProperties']
const upperBounds = ['maxLength', 'maxItems', 'maxProperties']

/** Flags that widen what is accepted: they may come, but may not go. */
const permissions = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string']

const judged = new Set([
  ...documentation,
  ...restrictions,
  ...lowerBounds,
  ...upperBounds,
  ...permissions,
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'properties',
  'items',
  'additionalProperties',
  'required',
  'enum',
  'x-kubernetes-validations',
])

/** Parts of a version that say nothing about its objects, or are judged by themselves. */
const judgedOfVersion = new Set([
  'name',
  'served',
  'storage',
  'deprecated',
  'deprecationWarning',
  'additionalPrinterColumns',
  'schema',
  'selectableFields',
])

/**
 * Compares two CRDs of the same name: is every version of `older` in `newer`, served where it was, with a schema that
 * accepts and keeps everything `older` accepts? `differences` lists where not, in the order of the older CRD.
 */
export function isSuperset(newer: CustomResourceDefinition, older: CustomResourceDefinition): SupersetResult {
  const differences = compareDefinitions(newer, older)
  for (const version of older.spec.versions) {
    const counterpart = newer.spec.versions.find((candidate) => candidate.name === version.name)
    const report: Report = (path, what) => differences.push({ version: version.name, path, what })
    if (counterpart === undefined) report('', 'this version is gone')
    else compareVersions(counterpart, version, report)
  }
  return { superset: differences.length === 0, differences }
}

function compareDefinitions(newer: CustomResourceDefinition, older: CustomResourceDefinition): SupersetDifference[] {
  const identity = (crd: CustomResourceDefinition) => ({
    group: crd.spec.group,
    scope: crd.spec.scope,
    plural: crd.spec.names.plural,
    kind: crd.spec.names.kind,
    // With a single version there is nothing to convert.
    conversion: older.spec.versions.length > 1 ? (crd.spec.conversion?.strategy ?? 'None') : '',
  })
  const [before, after] = [identity(older), identity(newer)]
  return (['group', 'scope', 'plural', 'kind', 'conversion'] as const)
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ version: '*', path: '', what: `${key} changes from ${before[key]} to ${after[key]}` }))
}

function compareVersions(
  newer: CustomResourceDefinitionVersion,
  older: CustomResourceDefinitionVersion,
  report: Report,
): void {
  if (older.served && !newer.served) report('', 'this version is no longer served')
  for (const field of listOf(older['selectableFields'])) {
    if (!listOf(newer['selectableFields']).some((other) => same(other, field))) {
      report('', `selectable field ${canonical(field)} is gone`)
    }
  }
  for (const key of keysOf(newer, older)) {
    if (!judgedOfVersion.has(key) && !same(newer[key], older[key])) report('', `${key} changes`)
  }
  const [before, after] = [older.schema?.openAPIV3Schema, newer.schema?.openAPIV3Schema]
  if (before === undefined || after === undefined) {
    if (before !== after) report('^', 'only one of both has a schema')
    return
  }
  compareSchemas({ newer: after, older: before, path: '^', report })
}

function compareSchemas(pair: Pair): void {
  const { newer, older, path, report } = pair
  for (const key of keysOf(newer, older)) {
    if (!judged.has(key) && !same(newer[key], older[key])) {
      report(path, `${key} changes from ${show(older[key])} to ${show(newer[key])}`)
    }
  }
  for (const key of restrictions) {
    if (newer[key] !== undefined && !same(newer[key], older[key])) {
      report(path, `${key} ${older[key] === undefined ? 'is new' : 'changes'}: ${show(newer[key])}`)
    }
  }
  for (const key of permissions) if (older[key] === true && newer[key] !== true) report(path, `${key} is gone`)
  compareBounds(pair)
  compareLists(pair)
  compareProperties(pair)
  compareNested(pair, 'items', '[*]')
  compareAdditionalProperties(pair)
}

function compareBounds({ newer, older, path, report }: Pair): void {
  for (const key of lowerBounds) if (tighter(newer[key], older[key], 1)) narrowed(key)
  for (const key of upperBounds) if (tighter(newer[key], older[key], -1)) narrowed(key)
  const intervals = [
    ['minimum', 'exclusiveMinimum', 1],
    ['maximum', 'exclusiveMaximum', -1],
  ] as const
  for (const [bound, exclusive, direction] of intervals) {
    if (tighter(newer[bound], older[bound], direction)) narrowed(bound)
    else if (newer[exclusive] === true && older[exclusive] !== true && same(newer[bound], older[bound]))
      narrowed(exclusive)
  }

  function narrowed(key: string): void {
    report(
      path,
      `${key} ${older[key] === undefined ? 'is new' : `changes from ${show(older[key])}`}: ${show(newer[key])}`,
    )
  }
}

/** Is the new bound inside the old one? `direction` 1 for lower bounds, -1 for upper ones. */
function tighter(newer: unknown, older: unknown, direction: 1 | -1): boolean {
  if (newer === undefined) return false
  if (typeof newer !== 'number') return !same(newer, older)
  return typeof older !== 'number' || newer * direction > older * direction
}

function compareLists({ newer, older, path, report }: Pair): void {
  for (const name of listOf(newer['required'])) {
    if (!listOf(older['required']).includes(name)) report(path, `${String(name)} is newly required`)
  }
  if (newer['enum'] !== undefined) {
    if (older['enum'] === undefined) report(path, `enum is new: ${show(newer['enum'])}`)
    for (const value of listOf(older['enum'])) {
      if (!listOf(newer['enum']).some((other) => same(other, value))) report(path, `enum value ${show(value)} is gone`)
    }
  }
  // The text of a refusal may change, what is refused may not.
  const rules = (schema: Schema) =>
    listOf(schema['x-kubernetes-validations']).map((rule) => {
      const { rule: text, optionalOldSelf } = schemaOf(rule)
      return { rule: text, optionalOldSelf }
    })
  for (const rule of rules(newer)) {
    if (!rules(older).some((other) => same(other, rule))) report(path, `validation rule is new: ${show(rule.rule)}`)
  }
}

function compareProperties({ newer, older, path, report }: Pair): void {
  const [before, after] = [schemaOf(older['properties']), schemaOf(newer['properties'])]
  for (const [name, schema] of Object.entries(before)) {
    const at = `${path}.${name}`
    if (after[name] !== undefined) {
      compareSchemas({ newer: schemaOf(after[name]), older: schemaOf(schema), path: at, report })
    } else if (newer['x-kubernetes-preserve-unknown-fields'] !== true) {
      report(at, 'the field is gone: the API server prunes it')
    }
  }
  const anythingGoes = older['x-kubernetes-preserve-unknown-fields'] === true
  for (const name of Object.keys(after)) {
    if (anythingGoes && before[name] === undefined) {
      report(`${path}.${name}`, 'held any value, now it has a schema')
    }
  }
}

function compareNested({ newer, older, path, report }: Pair, key: string, suffix: string): void {
  const [before, after] = [older[key], newer[key]]
  if (before === undefined && after === undefined) return
  if (before === undefined || after === undefined || Array.isArray(before) || Array.isArray(after)) {
    if (!same(before, after)) report(path, `${key} ${after === undefined ? 'is gone' : 'is new or changes its form'}`)
    return
  }
  compareSchemas({ newer: schemaOf(after), older: schemaOf(before), path: path + suffix, report })
}

function compareAdditionalProperties(pair: Pair): void {
  const { newer, older, path, report } = pair
  const [before, after] = [older['additionalProperties'], newer['additionalProperties']]
  if (typeof before === 'object' && typeof after === 'object') {
    compareNested(pair, 'additionalProperties', '{*}')
  } else if (after === true && typeof before !== 'object') {
    // Every value is accepted now, and none was checked before.
  } else if (!same(before, after)) {
    report(path, `additionalProperties changes from ${show(before)} to ${show(after)}`)
  }
}

function schemaOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function keysOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted()
}

function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

/** JSON with sorted keys, for comparisons. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'undefined'
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}
