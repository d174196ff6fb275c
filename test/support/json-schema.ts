/** A JSON Schema validator for the schemas of this project: just the keywords they use; any other throws, so none is silently ignored. */

export type JsonSchema = { [keyword: string]: unknown }

type Rule = (value: unknown, argument: unknown, at: string, scope: Scope) => string[]

interface Scope {
  root: JsonSchema
  /** the schema that the keyword stands in: additionalProperties must see properties */
  schema: JsonSchema
}

/** Says what does not fit, each with its path; empty where the value is valid. Throws on a keyword or reference it does not know. */
export function validate(value: unknown, schema: JsonSchema, root: JsonSchema = schema, at = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    const rule = rules[keyword]
    if (!rule) throw new Error(`${at}: the validator does not know the schema keyword ${JSON.stringify(keyword)}`)
    return rule(value, argument, at, { root, schema })
  })
}

const annotation: Rule = () => []

const rules: Record<string, Rule | undefined> = {
  $schema: annotation,
  $id: annotation,
  $defs: annotation,
  title: annotation,
  description: annotation,
  type: (value, type, at) => {
    const wanted = Array.isArray(type) ? type : [type]
    return wanted.some((name) => isOfType(value, name))
      ? []
      : [`${at}: ${typeName(value)} is not ${wanted.join(' or ')}`]
  },
  const: (value, wanted, at) => (same(value, wanted) ? [] : [`${at}: ${show(value)} is not ${show(wanted)}`]),
  enum: (value, choices, at) =>
    list(choices).some((choice) => same(value, choice)) ? [] : [`${at}: ${show(value)} is none of ${show(choices)}`],
  pattern: (value, pattern, at) =>
    typeof value !== 'string' || new RegExp(String(pattern), 'u').test(value)
      ? []
      : [`${at}: ${show(value)} does not match ${String(pattern)}`],
  minimum: (value, minimum, at) =>
    typeof value !== 'number' || value >= Number(minimum) ? [] : [`${at}: ${value} is below ${String(minimum)}`],
  maximum: (value, maximum, at) =>
    typeof value !== 'number' || value <= Number(maximum) ? [] : [`${at}: ${value} is above ${String(maximum)}`],
  minLength: (value, length, at) =>
    typeof value !== 'string' || value.length >= Number(length) ? [] : [`${at}: shorter than ${String(length)}`],
  maxLength: (value, length, at) =>
    typeof value !== 'string' || value.length <= Number(length) ? [] : [`${at}: longer than ${String(length)}`],
  minItems: (value, length, at) =>
    !Array.isArray(value) || value.length >= Number(length) ? [] : [`${at}: fewer than ${String(length)} items`],
  maxItems: (value, length, at) =>
    !Array.isArray(value) || value.length <= Number(length) ? [] : [`${at}: more than ${String(length)} items`],
  required: (value, names, at) =>
    isRecord(value)
      ? list(names)
          .filter((name) => !Object.hasOwn(value, String(name)))
          .map((name) => `${at}: ${String(name)} is missing`)
      : [],
  properties: (value, properties, at, { root }) =>
    isRecord(value) && isRecord(properties)
      ? Object.entries(properties).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? validate(value[name], asSchema(schema, at), root, `${at}.${name}`) : [],
        )
      : [],
  additionalProperties: (value, allowed, at, { root, schema }) => {
    if (!isRecord(value)) return []
    const known = isRecord(schema['properties']) ? schema['properties'] : {}
    const others = Object.keys(value).filter((name) => !Object.hasOwn(known, name))
    if (allowed === true) return []
    if (allowed === false) return others.map((name) => `${at}: ${name} is not allowed`)
    return others.flatMap((name) => validate(value[name], asSchema(allowed, at), root, `${at}.${name}`))
  },
  items: (value, items, at, { root }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => validate(item, asSchema(items, at), root, `${at}[${index}]`))
      : [],
  oneOf: (value, choices, at, { root }) => {
    const results = list(choices).map((choice) => validate(value, asSchema(choice, at), root, at))
    const fitting = results.filter((errors) => errors.length === 0).length
    return fitting === 1 ? [] : [`${at}: fits ${fitting} of ${results.length} choices: ${results.flat().join('; ')}`]
  },
  $ref: (value, reference, at, { root }) => validate(value, resolve(String(reference), root), root, at),
}

function resolve(reference: string, root: JsonSchema): JsonSchema {
  const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1]
  const definitions = root['$defs']
  const found = name !== undefined && isRecord(definitions) ? definitions[name] : undefined
  if (!isRecord(found)) throw new Error(`the schema has no ${reference}`)
  return found
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'object':
      return isRecord(value)
    case 'array':
      return Array.isArray(value)
    case 'null':
      return value === null
    case 'integer':
      return Number.isInteger(value)
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
    default:
      throw new Error(`the validator does not know the type ${String(type)}`)
  }
}

function asSchema(schema: unknown, at: string): JsonSchema {
  if (!isRecord(schema)) throw new Error(`${at}: ${show(schema)} is no schema`)
  return schema
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${show(value)} has to be a list`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Compares by value; the order of keys does not matter. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]))
  if (isRecord(a) && isRecord(b)) {
    const keys = Object.keys(a)
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  }
  return a === b
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
