/** Walks two schemas together and asks every rule about every node that both have. */
import { validateNode } from '../decode/validate.ts'
import type { Change, ChangeKind, JSONSchema, PathElement } from './comparison.types.ts'
import type { NodePair, Rule, Seen } from './rule.types.ts'
import { documentation } from './rules/documentation.ts'
import { withGiven } from './rules/given-fields.ts'
import { relateTypes } from './rules/types.ts'
import { nodeRules, rulesOfAnyNode } from './rules.ts'
import { documentationWords, guardDepth, isSchema, listOf, same, schemaOf, sorted } from './schema-reading.ts'
import { showPath } from './typed-path.ts'

/** A change of a schema, before it is known which versions the schemas are of. */
export type SchemaChange = Omit<Change, 'scope' | 'version'>

/** Compares what two schemas accept, keep and fill in. In no particular order. */
export function compareSchemas(before: JSONSchema, after: JSONSchema): SchemaChange[] {
  const changes: SchemaChange[] = []
  walk({ before, after, path: [] }, changes)
  return changes
}

function walk(pair: NodePair, changes: SchemaChange[]): void {
  guardDepth(pair.path.length)
  for (const rule of rulesFor(pair)) {
    const judged = limits.has(rule.id) && acceptsOldValues(pair) ? ({ level: 'info', audiences: [] } as const) : {}
    rule.compare(pair, (kind, seen) => changes.push(schemaChange(rule, kind, { ...seen, ...judged }, pair)))
  }
  // A value of the one type is none of the other: what else is said about it follows from that.
  if (relateTypes(pair) === 'disjoint') return
  const [before, after] = [pair.before, pair.after]
  const named = { before: schemaOf(before['properties']), after: schemaOf(after['properties']) }
  const fields = withGiven(named.after, named.before, { path: pair.path, schema: after })
  const around = { before, after }
  for (const [property, field] of Object.entries(
    withGiven(named.before, named.after, { path: pair.path, schema: before }),
  )) {
    if (!Object.hasOwn(fields, property)) continue
    const required = { before: requires(before, property), after: requires(after, property) }
    descend(pair, { property }, { before: field, after: fields[property], required, around }, changes)
  }
  descend(pair, 'items', { before: before['items'], after: after['items'] }, changes)
  descend(pair, 'values', { before: before['additionalProperties'], after: after['additionalProperties'] }, changes)
}

const limits = new Set(
  (
    'minimum maximum multiple-of min-length max-length min-items max-items min-properties max-properties pattern format ' +
    'all-of any-of one-of not'
  )
    .split(' ')
    .map((name) => `crd.${name}`),
)

/** Where a closed list named all values, it can be seen of each whether new limits refuse it: what they refuse beside is none. */
function acceptsOldValues({ before, after }: NodePair): boolean {
  const values = listOf(before['enum'])
  const { enum: _, ...words } = after
  return (
    values.length > 0 &&
    same(sorted(values), sorted(listOf(after['enum']))) &&
    values.every((value) => validateNode(words, value).length === 0)
  )
}

interface Child extends Pick<NodePair, 'required' | 'around'> {
  before: unknown
  after: unknown
}

function descend({ path }: NodePair, step: PathElement, { before, after, ...child }: Child, changes: SchemaChange[]) {
  if (isSchema(before) && isSchema(after)) walk({ before, after, path: [...path, step], ...child }, changes)
}

const requires = (schema: JSONSchema, property: string) => listOf(schema['required']).includes(property)

/** Most nodes of real schemas are the same on both sides, but for their words: few rules have anything to say of those. */
function rulesFor(pair: NodePair): readonly Rule<NodePair>[] {
  if (pair.before === pair.after) return []
  if (meansTheSame(pair.before, pair.after) && meansTheSame(pair.after, pair.before)) return [documentation]
  return relateTypes(pair) === 'disjoint' ? rulesOfAnyNode : nodeRules
}

const inner = new Set(['properties', 'items', 'additionalProperties'])

/** Does the other schema say all that the one says, but for documentation and what is inside its children? */
function meansTheSame(one: JSONSchema, other: JSONSchema): boolean {
  for (const word of Object.keys(one)) {
    if (documentationWords.includes(word)) continue
    const [value, counterpart] = [one[word], other[word]]
    if (!inner.has(word) || !isSchema(value) || !isSchema(counterpart)) {
      if (!same(value, counterpart)) return false
    } else if (word === 'properties') {
      for (const name of Object.keys(value)) if (!Object.hasOwn(counterpart, name)) return false
    }
  }
  return true
}

function schemaChange(rule: Rule<NodePair>, name: string, seen: Seen, pair: NodePair): SchemaChange {
  const kind = rule.kinds[name]
  if (kind === undefined) throw new Error(`the rule ${rule.id} has no change named ${name}`)
  const path = seen.path ?? pair.path
  return {
    id: `${rule.id}.${name}`,
    path: showPath(path),
    ...(seen.before !== undefined && { before: seen.before }),
    ...(seen.after !== undefined && { after: seen.after }),
    audiences: [...(seen.audiences ?? kind.audiences)],
    level: seen.level ?? levelAt(path, kind),
    node: { path: [...path], ...(seen.node ?? { before: pair.before, after: pair.after }) },
  }
}

function levelAt([first]: readonly PathElement[], kind: ChangeKind): Change['level'] {
  const inStatus = typeof first === 'object' && first.property === 'status'
  return (inStatus && kind.levelInStatus) || kind.level
}
