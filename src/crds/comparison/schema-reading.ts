/** Reads schemas whose form is not certain, and compares parts of them as JSON: key order and documentation say nothing. */
import type { CustomResourceDefinitionVersion } from '../../kubernetes/objects.ts'
import type { JSONSchema } from './comparison.types.ts'

/** Words without an effect on what is accepted, kept or shown. */
export const documentationWords: readonly string[] = ['description', 'title', 'example', 'externalDocs']

/** No real schema nests a tenth as deep; the API server refuses far less by size. */
const deepest = 1000

/** A schema, or a value inside one, that nests deeper than any that an API server would take. */
export class TooDeep extends Error {
  constructor(what = 'the schema') {
    super(`${what} nests more than ${deepest} levels deep`)
    this.name = 'TooDeep'
  }
}

/** Throws where `depth` is more than this comparison goes. */
export function guardDepth(depth: number): void {
  if (depth > deepest) throw new TooDeep()
}

/** The value as a schema, empty where it is none. */
export function schemaOf(value: unknown): JSONSchema {
  return isSchema(value) ? value : {}
}

/** The schema of a version; undefined where it has none, or something else in its place. */
export function schemaOfVersion({ schema }: CustomResourceDefinitionVersion): JSONSchema | undefined {
  const root: unknown = schema?.openAPIV3Schema
  return isSchema(root) ? root : undefined
}

/** Is the value a map, as schemas are? */
export function isSchema(value: unknown): value is JSONSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as a list, empty where it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The strings of a list. */
export function stringsOf(value: unknown): string[] {
  return listOf(value).filter((entry) => typeof entry === 'string')
}

/** The named fields of an object's schema, as own entries: a field may be named like anything. */
export function propertiesOf(schema: JSONSchema): ReadonlyMap<string, JSONSchema> {
  return new Map(Object.entries(schemaOf(schema['properties'])).map(([name, field]) => [name, schemaOf(field)]))
}

/**
 * Does the object keep any key, but nothing that is in the objects below? So it is with `additionalProperties: true`, also where
 * unknown fields are preserved.
 */
export function keepsJustKeys(schema: JSONSchema): boolean {
  return schema['additionalProperties'] === true
}

/** Does the object keep fields that its schema does not name? */
export function keepsUnknown(schema: JSONSchema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true || schema['additionalProperties'] === true
}

/** Does the schema accept every value, and keep it whole? */
export function acceptsAnything(schema: JSONSchema): boolean {
  const words = Object.keys(schema).filter((word) => !documentationWords.includes(word))
  return words.every((word) => word === 'x-kubernetes-preserve-unknown-fields') && keepsUnknown(schema)
}

/** JSON with sorted keys: two texts are the same where the values are. */
export function canonical(value: unknown): string {
  return write(value, 0)
}

/** `canonical` of a schema without its documentation. A field named `description` is no documentation. */
export function shapeOf(schema: unknown): string {
  return canonical(withoutDocumentation(schema, 0))
}

/** Are two JSON values the same? An undefined field of an object is none. */
export function same(one: unknown, other: unknown, depth = 0): boolean {
  guardDepth(depth)
  if (one === other) return true
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false
    return one.every((entry, index) => same(entry, other[index], depth + 1))
  }
  if (!isSchema(one) || !isSchema(other)) return false
  const keys = Object.keys(one)
  return (
    keys.every((key) => same(one[key], other[key], depth + 1)) &&
    Object.keys(other).every((key) => other[key] === undefined || Object.hasOwn(one, key))
  )
}

/** The entries of `list` that `without` lacks, each once, in the order of `list`. */
export function missingFrom(list: readonly unknown[], without: readonly unknown[]): unknown[] {
  const found = new Set(without.map(canonical))
  return list.filter((entry) => {
    const text = canonical(entry)
    if (found.has(text)) return false
    found.add(text)
    return true
  })
}

/** The list in the order of its entries' JSON, so that the order in a file says nothing. */
export function sorted(list: readonly unknown[]): unknown[] {
  return missingFrom(list, [])
    .map((entry) => ({ entry, text: canonical(entry) }))
    .toSorted((one, other) => compareTexts(one.text, other.text))
    .map(({ entry }) => entry)
}

/** By code units: the same on every machine, whatever its language. */
export function compareTexts(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function write(value: unknown, depth: number): string {
  guardDepth(depth)
  if (Array.isArray(value)) return `[${value.map((entry) => write(entry, depth + 1)).join(',')}]`
  if (!isSchema(value)) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  entries.sort(([one], [other]) => compareTexts(one, other))
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${write(entry, depth + 1)}`).join(',')}}`
}

function withoutDocumentation(schema: unknown, depth: number): unknown {
  guardDepth(depth)
  if (Array.isArray(schema)) return schema.map((branch) => withoutDocumentation(branch, depth + 1))
  if (!isSchema(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([word, value]) => {
      if (documentationWords.includes(word) || isOff(word, value)) return []
      // What follows these words are schemas; what follows any other is a value, and may itself have a key `description`.
      if (word === 'properties') {
        const fields = Object.entries(schemaOf(value)).map(([name, field]) => [
          name,
          withoutDocumentation(field, depth + 1),
        ])
        return [[word, Object.fromEntries(fields)]]
      }
      return [[word, inOneOrder(word, schemaWords.has(word) ? withoutDocumentation(value, depth + 1) : value)]]
    }),
  )
}

/** A word that is null, or a flag that is off, is as good as none. */
const isOff = (word: string, value: unknown) => value === null || (value === false && word !== 'default')

/** The order of these lists says nothing; nor do the words with which a rule refuses. */
function inOneOrder(word: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  if (word === 'x-kubernetes-validations') return inOrderOfText(value.map(withoutWords))
  return unordered.has(word) ? inOrderOfText(value) : value
}

/** Each entry stays: two alternatives that are the same are not one. */
const inOrderOfText = (list: readonly unknown[]) =>
  list.toSorted((one, other) => compareTexts(canonical(one), canonical(other)))

function withoutWords(rule: unknown): unknown {
  const { rule: expression, optionalOldSelf } = schemaOf(rule)
  return { rule: expression, optionalOldSelf: optionalOldSelf === true }
}

const unordered = new Set(['required', 'enum', 'allOf', 'anyOf', 'oneOf', 'x-kubernetes-list-map-keys'])
const schemaWords = new Set(['items', 'additionalProperties', 'allOf', 'anyOf', 'oneOf', 'not'])
