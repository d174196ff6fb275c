/**
 * The validation of values by their schema, as the API server does it: kube-openapi's validators one after the other, with the
 * same findings about what they see and what they overlook.
 */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { canonical, isSchema, listOf, schemaOf, stringsOf } from '../comparison/schema-reading.ts'
import type { DecodeContext, Invalid, NodeStep } from './decode.types.ts'
import { validateEmbedded } from './embedded.ts'
import { formatOf, hasFormat } from './formats.ts'
import { codePoints, isEnumValue, isInt64, isNearlyInteger } from './go-values.ts'
import { validateLists } from './list-types.ts'
import { validateNumber } from './numbers.ts'
import { add, fieldAt, itemAt, merge, nothing, type Outcome, type Place, refused, refusedUnplaced } from './outcome.ts'
import { goPattern } from './re2.ts'
import { fieldName, guardNesting } from './structural.ts'

/** The minor of the API server that is meant where none is told. */
const newestMinor = 36

/**
 * What the API server refuses about one node of an object: by its schema, by the types of its lists and by its embedded objects.
 * Rules in CEL are not looked at.
 * @param path of the node in its object
 * @throws TooDeep
 */
export function validateNode(
  schema: JSONSchema,
  value: unknown,
  path: readonly NodeStep[] = [],
  context: DecodeContext = {},
): Invalid[] {
  guardNesting(schema, 'the schema')
  guardNesting(value, 'the object')
  return refusalsOf(schema, value, path, context)
}

/** Like `validateNode`, for a schema and a value that are known not to nest too deep. */
export function refusalsOf(
  schema: JSONSchema,
  value: unknown,
  path: readonly NodeStep[],
  { minor = newestMinor }: DecodeContext,
): Invalid[] {
  const at = { path, name: fieldName(path) }
  const { invalid } = validateValue(schema, value, at, minor)
  return [...invalid, ...validateEmbedded(schema, value, at), ...validateLists(schema, value, at)]
}

function validateValue(schema: JSONSchema, value: unknown, at: Place, minor: number): Outcome {
  const types = typesOf(schema)
  const format = formatOf(schema, types, minor)
  if (value === null) return validateNull(schema, types, at)
  const outcome = nothing()
  const ran = (validator: Outcome): void => {
    merge(outcome, validator)
    outcome.passed++
  }
  if (types.length > 0 || format !== '') ran(validateType(types, format, value, at))
  ran(validateBranches(schema, value, at, minor))
  if (typeof value === 'string') {
    ran(validateString(schema, value, at))
    if (format !== '' && isTextual(types)) ran(validateFormat(format, value, at))
  }
  if (typeof value === 'number') ran(validateNumber(schema, value, at, minor >= newestMinor ? { types, format } : {}))
  if (Array.isArray(value)) ran(validateList(schema, value, at, minor))
  ran(validateEnum(schema, value, at))
  if (isSchema(value)) ran(validateObject(schema, value, at, minor))
  outcome.passed++
  return outcome
}

/** The types that a value may have; an int-or-string has two. */
export function typesOf(schema: JSONSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string']
  return typeof schema['type'] === 'string' && schema['type'] !== '' ? [schema['type']] : []
}

function validateNull(schema: JSONSchema, types: readonly string[], at: Place): Outcome {
  const outcome = nothing()
  if (types.length > 0 && schema['nullable'] !== true) add(outcome, wrongType(at, types, 'null'))
  else outcome.passed++
  return merge(outcome, validateEnum(schema, null, at))
}

function validateType(types: readonly string[], format: string, value: unknown, at: Place): Outcome {
  const isNumeric = types.includes('number') || types.includes('integer')
  const isTextOrList = typeof value === 'string' || Array.isArray(value)
  // Where there is a format for strings, the server does not look at the type of a list.
  if (format !== '' && !isNumeric && isTextOrList) return { invalid: [], passed: 1 }
  const type = typeOf(value)
  const fits =
    types.includes(type) ||
    (type === 'number' && types.includes('integer') && isNearlyInteger(Number(value))) ||
    (type === 'integer' && types.includes('number'))
  return fits ? { invalid: [], passed: 1 } : { invalid: [wrongType(at, types, type)], passed: 0 }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return isInt64(value) ? 'integer' : 'number'
  return typeof value
}

function wrongType(at: Place, types: readonly string[], type: string): Invalid {
  return refused(at, 'FieldValueTypeInvalid', `must be of type ${types.join(',')}: "${type}"`)
}

function validateString(schema: JSONSchema, value: string, at: Place): Outcome {
  const { maxLength, minLength, pattern } = schema
  const length = codePoints(value)
  // Only the first of these is told.
  if (typeof maxLength === 'number' && length > maxLength) {
    return { invalid: [refused(at, 'FieldValueTooLong', `should be at most ${maxLength} chars long`)], passed: 0 }
  }
  if (typeof minLength === 'number' && length < minLength) {
    return { invalid: [refused(at, 'FieldValueInvalid', `should be at least ${minLength} chars long`)], passed: 0 }
  }
  if (typeof pattern !== 'string' || pattern === '') return nothing()
  const expression = goPattern(pattern)
  if (expression === undefined) {
    // Rather one refusal too many than a value that only seems to be valid.
    return { invalid: [refused(at, 'FieldValueInvalid', `cannot be compared with '${pattern}'`)], passed: 0 }
  }
  if (expression.test(value)) return nothing()
  return { invalid: [refused(at, 'FieldValueInvalid', `should match '${pattern}'`)], passed: 0 }
}

/** Of these types the format is one of strings. */
function isTextual(types: readonly string[]): boolean {
  return types.length !== 1 || types[0] === 'string'
}

function validateFormat(format: string, value: string, at: Place): Outcome {
  if (hasFormat(format, value)) return nothing()
  return {
    invalid: [refused(at, 'FieldValueTypeInvalid', `must be of type ${format}: ${JSON.stringify(value)}`)],
    passed: 0,
  }
}

function validateEnum(schema: JSONSchema, value: unknown, at: Place): Outcome {
  const allowed = listOf(schema['enum'])
  // A null is never one of them, not even of an enum with null.
  if (allowed.length === 0 || allowed.some((one) => isEnumValue(value, one))) return nothing()
  return {
    invalid: [refused(at, 'FieldValueNotSupported', `should be one of ${allowed.map(canonical).join(', ')}`)],
    passed: 0,
  }
}

function validateList(schema: JSONSchema, value: readonly unknown[], at: Place, minor: number): Outcome {
  const outcome = nothing()
  const { items, maxItems, minItems } = schema
  if (isSchema(items)) {
    value.forEach((item, index) => merge(outcome, validateValue(items, item, itemAt(at, index), minor)))
  }
  if (typeof minItems === 'number' && value.length < minItems) {
    add(outcome, refused(at, 'FieldValueInvalid', `should have at least ${minItems} items`))
  }
  if (typeof maxItems === 'number' && value.length > maxItems) {
    add(outcome, refused(at, 'FieldValueTooMany', `should have at most ${maxItems} items`))
  }
  outcome.passed++
  return outcome
}

function validateObject(schema: JSONSchema, value: JSONSchema, at: Place, minor: number): Outcome {
  const outcome = nothing()
  const { additionalProperties: values, maxProperties, minProperties } = schema
  const count = Object.keys(value).length
  if (typeof minProperties === 'number' && count < minProperties) {
    add(outcome, refused(at, 'FieldValueInvalid', `should have at least ${minProperties} properties`))
  }
  if (typeof maxProperties === 'number' && count > maxProperties) {
    add(outcome, refused(at, 'FieldValueTooMany', `should have at most ${maxProperties} properties`))
  }
  const properties = schemaOf(schema['properties'])
  for (const [name, entry] of Object.entries(value)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : values
    if (isSchema(field)) merge(outcome, validateValue(field, entry, fieldAt(at, name), minor))
  }
  for (const name of stringsOf(schema['required'])) {
    if (!Object.hasOwn(value, name)) add(outcome, refused(fieldAt(at, name), 'FieldValueRequired', 'is required'))
  }
  return outcome
}

/** Branches: what a failing `not`, `oneOf` and so on says has no place of its own. */
function validateBranches(schema: JSONSchema, value: unknown, at: Place, minor: number): Outcome {
  const outcome = nothing()
  const run = (word: string): Outcome[] =>
    listOf(schema[word]).map((branch) => validateValue(schemaOf(branch), value, at, minor))
  validateAnyOf(run('anyOf'), at, outcome)
  validateOneOf(run('oneOf'), at, outcome)
  const all = run('allOf')
  const valid = all.filter(isValid).length
  merge(outcome, ...all)
  if (valid !== all.length) {
    const none = valid === 0 ? '. None validated' : ''
    add(outcome, refusedUnplaced(at, `must validate all the schemas (allOf)${none}`))
  }
  if (isSchema(schema['not']) && isValid(validateValue(schema['not'], value, at, minor))) {
    add(outcome, refusedUnplaced(at, 'must not validate the schema (not)'))
  }
  outcome.passed++
  return outcome
}

function validateAnyOf(branches: readonly Outcome[], at: Place, outcome: Outcome): void {
  if (branches.length === 0) return
  const valid = branches.find(isValid)
  if (valid === undefined) add(outcome, refusedUnplaced(at, 'must validate at least one schema (anyOf)'))
  merge(outcome, valid ?? closest(branches))
}

function validateOneOf(branches: readonly Outcome[], at: Place, outcome: Outcome): void {
  if (branches.length === 0) return
  const [valid, ...more] = branches.filter(isValid)
  if (valid === undefined) {
    add(outcome, refusedUnplaced(at, 'must validate one and only one schema (oneOf). Found none valid'))
    merge(outcome, closest(branches))
  } else if (more.length > 0) {
    const found = `Found ${more.length + 1} valid alternatives`
    add(outcome, refusedUnplaced(at, `must validate one and only one schema (oneOf). ${found}`))
  } else {
    merge(outcome, valid)
  }
}

function isValid({ invalid }: Outcome): boolean {
  return invalid.length === 0
}

/** The first of those that passed the most checks. */
function closest(branches: readonly Outcome[]): Outcome {
  return branches.reduce((best, branch) => (branch.passed > best.passed ? branch : best), branches[0] ?? nothing())
}
