/** Compares what our decoding makes of random objects with what a real API server does. */
import type { JSONSchema } from '../../../src/crds/comparison/comparison.types.ts'
import { canonical, isSchema, listOf, schemaOf } from '../../../src/crds/comparison/schema-reading.ts'
import { decode } from '../../../src/crds/decode/decode.ts'
import type { Decoded } from '../../../src/crds/decode/decode.types.ts'
import type { KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { eventually } from '../control-plane.ts'
import { chanceOf } from '../seeded.ts'
import { randomMetadata, randomSchema, randomValue } from './crd-decode-cases.ts'
import { decodeRows } from './crd-decode-rows.ts'
import { decodeTexts, formatTexts, patterns } from './crd-decode-texts.ts'

export interface DecodeRun {
  pairs: number
  /** what differs, with the seed of its case */
  differences: string[]
  outcomes: Record<'pruned' | 'defaulted' | 'invalid' | 'undecodable' | 'stored', number>
  /** pairs whose schema has it */
  constructs: Map<string, number>
}

interface Pair {
  seed: number
  /** of the field */
  schema: JSONSchema
  object: Record<string, unknown>
}

/** Definitions with so many schemas each: to establish one takes about a second. */
const perDefinition = 50
const group = 'decode.example.com'

/** Tries the cases from `seed` on. */
export async function decodeDifferences(client: KubernetesClient, seed: number, pairs: number): Promise<DecodeRun> {
  const batches = Array.from({ length: Math.ceil(pairs / perDefinition) }, (_, batch) => {
    const size = Math.min(perDefinition, pairs - batch * perDefinition)
    return Array.from({ length: size }, (__, index) => pairOf(seed + batch * perDefinition + index, batch))
  })
  return tryBatches(client, batches)
}

/** Tries the rows that are judged by hand, every text with every pattern, and those of each format. */
export async function decodeRowDifferences(client: KubernetesClient): Promise<DecodeRun> {
  const lists = [
    ...Object.entries(formatTexts).map(([format, texts]) => ({ words: { format }, texts: [...texts, ...decodeTexts] })),
    ...patterns.map((pattern) => ({ words: { pattern }, texts: decodeTexts })),
  ]
  const batches = [
    decodeRows.map(([, schema, value]) => ({ schema, value })),
    lists.map(({ words, texts }) => ({
      schema: { type: 'array', items: { type: 'string', ...words } },
      value: texts,
    })),
  ]
  const pairs = batches.map((list, batch) =>
    list.map(({ schema, value }, seed) => ({ seed, schema, object: objectOf(seed, batch, { value }) })),
  )
  return tryBatches(client, pairs)
}

async function tryBatches(client: KubernetesClient, batches: readonly Pair[][]): Promise<DecodeRun> {
  const { minor } = await client.serverVersion()
  const run: DecodeRun = {
    pairs: batches.flat().length,
    differences: [],
    outcomes: { pruned: 0, defaulted: 0, invalid: 0, undecodable: 0, stored: 0 },
    constructs: new Map(),
  }
  // While one is established, the others answer.
  const queue = batches.entries()
  const work = async (): Promise<void> => {
    for (const [batch, list] of queue) await tryBatch(client, minor, batch, list, run)
  }
  await Promise.all([work(), work(), work()])
  return run
}

function objectOf(seed: number, batch: number, field: object): Record<string, unknown> {
  return {
    apiVersion: `${group}/v1`,
    kind: kindOf(batch),
    metadata: { name: 'x' },
    spec: { [`s${seed}`]: field },
  }
}

function pairOf(seed: number, batch: number): Pair {
  const chance = chanceOf(seed)
  const schema = randomSchema(chance)
  const isThere = schema['default'] === undefined ? chance.below(8) > 0 : chance.flip()
  const metadata = chance.below(8) === 0 ? randomMetadata(chance, 2) : {}
  return {
    seed,
    schema,
    object: {
      ...objectOf(seed, batch, isThere ? { value: randomValue(chance, schema, 20) } : {}),
      metadata: isSchema(metadata) ? { ...metadata, name: 'x' } : metadata,
      ...(chance.below(8) === 0 && { unknown: { a: 1 } }),
      ...(chance.below(8) === 0 && { status: { phase: chance.pick([1, 'a']), unknown: null } }),
    },
  }
}

const kindOf = (batch: number): string => `Decode${batch}`

/** By turns with a status subresource, unknown fields, and a default at the root. */
function rootSchema(batch: number, fields: Record<string, JSONSchema>): JSONSchema {
  return {
    type: 'object',
    ...(batch % 4 === 1 && { 'x-kubernetes-preserve-unknown-fields': true }),
    ...(batch % 4 === 2 && { required: ['added', 'status'] }),
    properties: {
      spec: { type: 'object', properties: fields },
      added: { type: 'object', default: {}, properties: { value: { type: 'string', default: 'x' } } },
      status: { type: 'object', properties: { phase: { type: 'string', default: 'none' } } },
    },
  }
}

const hasStatus = (batch: number): boolean => batch % 3 === 0

function definition(batch: number, pairs: readonly Pair[]): CustomResourceDefinition {
  const plural = `decode${batch}s`
  const fields = Object.assign({}, ...pairs.map(fieldOf)) as Record<string, JSONSchema>
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural, kind: kindOf(batch) },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(batch, fields) },
          ...(hasStatus(batch) && { subresources: { status: {} } }),
        },
      ],
    },
  }
}

/** Each in an object of its own, so that its default is no field of other objects. */
const fieldOf = ({ seed, schema }: Pair): Record<string, JSONSchema> => ({
  [`s${seed}`]: { type: 'object', properties: { value: schema } },
})

async function tryBatch(
  client: KubernetesClient,
  minor: number,
  batch: number,
  pairs: readonly Pair[],
  run: DecodeRun,
): Promise<void> {
  const crd = definition(batch, pairs)
  const reference = { apiVersion: crd.apiVersion, kind: crd.kind, name: crd.metadata.name }
  // The one of an earlier run may still be going.
  await eventually(async () => (await client.find(reference)) === undefined, { interval: 100 })
  await client.create(crd)
  const path = `/apis/${group}/v1/decode${batch}s?dryRun=All`
  await eventually(async () => (await client.raw({ method: 'GET', path })).status === 200, { interval: 100 })
  const queue = pairs.values()
  const work = async (): Promise<void> => {
    for (const pair of queue) {
      const { status, text } = await client.raw({
        method: 'POST',
        path,
        body: pair.object,
        contentType: 'application/json',
      })
      const schema = rootSchema(batch, fieldOf(pair))
      const ours = decode(schema, pair.object, { statusSubresource: hasStatus(batch), minor })
      tally(run, pair, ours)
      const difference = differenceOf(ours, status, JSON.parse(text))
      if (difference !== undefined) run.differences.push(describe(pair, difference))
    }
  }
  await Promise.all([work(), work(), work(), work()])
  await client.delete(reference)
}

function describe({ seed, schema, object }: Pair, difference: string): string {
  return [
    `SEED=${seed} ${difference}`,
    `  schema ${JSON.stringify(schema)}`,
    `  object ${JSON.stringify(object)}`,
  ].join('\n')
}

function differenceOf(ours: Decoded<object>, status: number, answer: unknown): string | undefined {
  const undecodable = ours.invalid.filter(({ reason }) => reason === 'BadRequest')
  if (status === 400 || undecodable.length > 0) {
    return status === 400 && undecodable.length > 0
      ? undefined
      : `HTTP ${status}, ours ${JSON.stringify(ours.invalid)} ${JSON.stringify(answer)}`
  }
  const [theirs, mine] =
    status === 201
      ? [canonical(comparable(answer)), canonical(ours.invalid.length > 0 ? causesOf(ours) : comparable(ours.object))]
      : [canonical(causesIn(answer)), canonical(causesOf(ours))]
  return theirs === mine ? undefined : `HTTP ${status}\n  theirs ${theirs}\n  ours   ${mine}`
}

/** Which fields are refused and why. */
function causesOf({ invalid }: Decoded<object>): string[] {
  const texts = invalid.map(({ field, reason, unplaced }) => `${reason} ${unplaced || field === '' ? '<nil>' : field}`)
  return [...new Set(texts)].toSorted()
}

function causesIn(answer: unknown): string[] {
  const causes = listOf(schemaOf(schemaOf(answer)['details'])['causes']).filter(isSchema)
  const texts = causes
    // That rules in CEL were not looked at is said where something else is refused.
    .filter(({ message }) => !String(message).includes('some validation rules were not checked'))
    .map(({ field, reason }) => `${String(reason)} ${String(field)}`)
  return [...new Set(texts)].toSorted()
}

const serverSet = new Set(['uid', 'creationTimestamp', 'generation', 'managedFields', 'resourceVersion'])

function comparable(object: unknown): unknown {
  const { metadata, ...fields } = schemaOf(object)
  const kept = Object.entries(schemaOf(metadata)).filter(([name]) => !serverSet.has(name))
  return { ...fields, metadata: Object.fromEntries(kept) }
}

function tally(run: DecodeRun, { schema }: Pair, ours: Decoded<object>): void {
  const undecodable = ours.invalid.some(({ reason }) => reason === 'BadRequest')
  if (ours.pruned.length > 0) run.outcomes.pruned++
  // The root has a default for each object; what counts is one of the case's own.
  if (ours.defaulted.some(([first]) => first === 'spec')) run.outcomes.defaulted++
  if (undecodable) run.outcomes.undecodable++
  else if (ours.invalid.length > 0) run.outcomes.invalid++
  else run.outcomes.stored++
  for (const construct of constructsOf(schema)) run.constructs.set(construct, (run.constructs.get(construct) ?? 0) + 1)
}

function constructsOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (!isSchema(schema)) return found
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'type' || word === 'x-kubernetes-list-type') found.add(`${word}: ${String(value)}`)
    else found.add(value === true && word === 'additionalProperties' ? `${word}: true` : word)
    if (word === 'properties') for (const field of Object.values(schemaOf(value))) constructsOf(field, found)
    if (['items', 'additionalProperties', 'not'].includes(word)) constructsOf(value, found)
    if (['allOf', 'anyOf', 'oneOf'].includes(word)) for (const branch of listOf(value)) constructsOf(branch, found)
  }
  return found
}

/** As a table: how many pairs have each construct, and what became of them. */
export function decodeTable({ pairs, outcomes, constructs }: DecodeRun): string {
  const share = (count: number): string => `${count} (${Math.round((count / pairs) * 100)} %)`
  const rows = [...constructs]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `  ${name}: ${count}`)
  const results = Object.entries(outcomes).map(([name, count]) => `  ${name}: ${share(count)}`)
  return [`${pairs} pairs of schema and object`, ...results, 'constructs', ...rows, ''].join('\n')
}

const typeNames = ['string', 'integer', 'number', 'boolean', 'object', 'array']
const words = `additionalProperties properties items required nullable default allOf anyOf oneOf not enum pattern format
minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems minProperties maxProperties`
const extensions = `list-map-keys preserve-unknown-fields embedded-resource int-or-string validations`

/** Every construct that a case may have. */
export const decodeConstructs: readonly string[] = [
  ...typeNames.map((type) => `type: ${type}`),
  ...['atomic', 'set', 'map'].map((type) => `x-kubernetes-list-type: ${type}`),
  ...words.split(/\s/),
  'additionalProperties: true',
  ...extensions.split(' ').map((name) => `x-kubernetes-${name}`),
]
