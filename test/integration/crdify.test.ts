/**
 * The profiles `strict` and `olm` beside crdify itself: the same verdict, and the same validations that fail at the same places.
 * crdify is built from the module in test/oracles/crdify.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { compare } from '../../src/crds/comparison/compare.ts'
import type { ProfileName } from '../../src/crds/comparison/comparison.types.ts'
import { readConfig } from '../../src/crds/comparison/config.ts'
import type { CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { memoryFolder } from '../../src/playground/playground.ts'
import { differences, type Pair, readings } from '../oracles/crdify/differences.ts'
import { crdifyCell, differenceRows } from '../oracles/crdify/page.ts'
import {
  type Crdify,
  type CrdifyReport,
  type CrdifyVerdict,
  crdifyPossible,
  ensureCrdify,
  inParallel,
  runCrdify,
  verdictOf,
} from '../support/crdify.ts'
import { someDefinition, successor } from '../support/properties/crd-comparison.ts'
import { type Property, testProperties } from '../support/seeded.ts'
import { definition, root, version } from '../unit/crds/comparison/definitions.ts'
import { ruleCases } from '../unit/crds/comparison/rule-cases.ts'
import { nearMisses } from '../unit/crds/comparison/rule-near-misses.ts'

type Definition = CustomResourceDefinition

const { possible, reason } = crdifyPossible()
if (!possible) process.stderr.write(`skipped: ${reason}\n`)

const upstream = fileURLToPath(new URL('../../../shared/upstream/', import.meta.url))
const realFiles = existsSync(upstream)
if (!realFiles) process.stderr.write('skipped: real definitions are not beside the repository (../shared/upstream)\n')

/** What the operator lifecycle manager runs crdify with. */
const olm = {
  conversion: 'Ignore',
  validations: [
    { name: 'description', enforcement: 'None' },
    { name: 'enum', enforcement: 'Error', configuration: { additionPolicy: 'Allow' } },
  ],
}

/** A configuration with each kind of entry. */
const lenient = {
  unhandledEnforcement: 'Warn',
  validations: [
    { name: 'type', enforcement: 'Warn' },
    { name: 'existingFieldRemoval', enforcement: 'None' },
    { name: 'enum', enforcement: 'Warn', configuration: { additionPolicy: 'Allow' } },
  ],
}

/** What we say in the place of crdify, in the words in which its report is read. */
function ours(before: Definition, after: Definition, profile: ProfileName, settings?: unknown): CrdifyVerdict {
  const { config } = readConfig(settings)
  const { upgrade } = compare(before, after, { profile, context: { today: '2026-11-22' }, config })
  const of = (level: string) =>
    upgrade
      .filter((finding) => finding.level === level)
      .map(({ version: name, path, id }) =>
        [name, path, id.replace('crdify.', '')].filter((part) => part !== '').join(' '),
      )
      .toSorted()
  return { failed: of('error').length > 0, errors: of('error'), warnings: of('warning') }
}

const ruleSchema = (x: object) => root({ type: 'object', properties: { x } })

/** One pair for each case of our rules: there within a version, back between two that are served. */
const rulePairs = [
  ...ruleCases,
  ...nearMisses.map(([rule, what, ...schemas]) => [`${rule}: ${what}`, ...schemas] as const),
].map(
  ([what, one, other]): Pair => [
    what,
    definition([version('v1', { root: ruleSchema(one) }), version('v2', { root: ruleSchema(one) })]),
    definition([version('v1', { root: ruleSchema(other) }), version('v2', { root: ruleSchema(one) })]),
  ],
)

describe.skipIf(!possible)('crdify', () => {
  let crdify: Crdify
  let folder: string
  let files = 0
  const write = (content: unknown): string => {
    const file = join(folder, `${files++}.yaml`)
    writeFileSync(file, stringify(content, { aliasDuplicateObjects: false }))
    return file
  }
  const theirs = (before: Definition, after: Definition, settings?: unknown) =>
    runCrdify(crdify, [write(before), write(after)], settings === undefined ? undefined : write(settings))

  beforeAll(async () => {
    crdify = await ensureCrdify()
    folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-crdify-'))
    // Where it is not in the cache, it is downloaded and compiled.
  }, 900_000)
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  test('its own cases', async () => {
    const names = readdirSync(crdify.cases)
    expect(names.length).toBeGreaterThan(15)
    const read = (name: string, file: string) => readFileSync(join(crdify.cases, name, file), 'utf8')
    const open = (name: string, file: string) => parse(read(name, file)) as Definition
    const said = await inParallel(names, (name) =>
      runCrdify(crdify, [join(crdify.cases, name, 'a.yaml'), join(crdify.cases, name, 'b.yaml')]),
    )
    const strict = names.map((name) => ours(open(name, 'a.yaml'), open(name, 'b.yaml'), 'strict'))
    const written = names.map((name) => verdictOf(JSON.parse(read(name, 'expected.json')) as CrdifyReport))
    expect(byName(names, strict)).toEqual(byName(names, said))
    expect(byName(names, said)).toMatchObject(byName(names, written))
    // Else a report that is read wrongly would agree with everything.
    expect(said.filter(({ failed }) => failed).length).toBeGreaterThan(12)
    expect(said.every(({ failed, errors }) => failed === errors.length > 0)).toBe(true)
    const words = ours(open('descriptionchanged', 'a.yaml'), open('descriptionchanged', 'b.yaml'), 'kubernetes')
    expect(words).toEqual({ failed: false, errors: [], warnings: [] })
  })

  test('its examples, also with its configuration', async () => {
    const names = readdirSync(crdify.examples).filter((name) => name !== 'config.yaml' && name !== 'base-crd.yaml')
    const [base, config] = ['base-crd.yaml', 'config.yaml'].map((name) => join(crdify.examples, name)) as [
      string,
      string,
    ]
    const open = (file: string) => parse(readFileSync(file, 'utf8')) as Definition
    for (const settings of [undefined, config]) {
      const said = await inParallel(names, (name) => runCrdify(crdify, [base, join(crdify.examples, name)], settings))
      const same = names.map((name) =>
        ours(open(base), open(join(crdify.examples, name)), 'strict', settings && open(settings)),
      )
      expect(byName(names, same)).toEqual(byName(names, said))
    }
  })

  const page = Object.values(differences).flat()
  const settings: [what: string, profile: ProfileName, pairs: Pair[], theirs?: unknown, ours?: unknown][] = [
    ['strict, every case of our rules', 'strict', [...rulePairs, ...page, ...readings]],
    ['olm, the cases of the page', 'olm', [...page, ...readings], olm],
    ['strict with a configuration, the cases of the page', 'strict', page, lenient, lenient],
  ]
  test.each(settings)('%s', async (_, profile, pairs, given, own) => {
    const said = await inParallel(pairs, ([, before, after]) => theirs(before, after, given))
    const same = pairs.map(([, before, after]) => ours(before, after, profile, own))
    const names = pairs.map(([what], index) => `${index} ${what}`)
    expect(byName(names, same)).toEqual(byName(names, said))
    expect(said.filter(({ errors, warnings }) => errors.length + warnings.length > 0).length).toBeGreaterThan(20)
  })

  testProperties([sameVerdict((...pair) => theirs(...pair))], { seed: 1, cases: 40 })

  test('the page says what it says', async () => {
    const said = await inParallel(page, ([, before, after]) => theirs(before, after))
    expect(differenceRows().map(({ name, crdify: cell }) => [name, cell])).toEqual(
      page.map(([name], index) => [name, crdifyCell(said[index]?.errors ?? [])]),
    )
  })

  test('what it says of fields that two versions had required differently before is left to chance', async () => {
    const fields = { a: { type: 'string' }, b: { type: 'string' } }
    const crd = definition([
      version('v1', { spec: { type: 'object', properties: fields } }),
      version('v2', { spec: { type: 'object', properties: fields, required: ['a', 'b'] } }),
    ])
    const said = new Set<string>()
    for (let tried = 0; tried < 200 && said.size < 2; tried++) said.add((await theirs(crd, crd)).errors.join())
    expect([...said].toSorted()).toEqual(['', 'v1 -> v2 ^.spec required'])
    expect(ours(crd, crd, 'strict').errors).toEqual([])
  })

  test('it crashes on a version without a schema, which we compare', async () => {
    const before = definition([version('v1')])
    const after = definition([{ name: 'v1', served: true, storage: true }])
    await expect(theirs(before, after)).rejects.toThrow('nil pointer dereference')
    expect(ours(before, after, 'kubernetes').failed).toBe(true)
  })

  const real: [what: string, before: string, after: string][] = [
    ['KAITO workspaces', 'kaito/v0.4.4/workspaces.crd.yaml', 'kaito/v0.4.5/workspaces.crd.yaml'],
    ['KAITO RAG engines', 'kaito/v0.8.0/ragengines.crd.yaml', 'kaito/v0.9.0/ragengines.crd.yaml'],
    ['KubeRay services', 'kuberay/v0.6.0/rayservices.crd.yaml', 'kuberay/v1.0.0/rayservices.crd.yaml'],
    ['AI Runway', 'airunway/v0.4.0/controller.yaml', 'airunway/v0.5.0/controller.yaml'],
  ]
  test.skipIf(!realFiles).each(real)('real definitions in both directions: %s', async (_, one, other) => {
    const [old, now] = [definitionsIn(one), definitionsIn(other)]
    const pairs = old.flatMap((before) => {
      const after = now.find(({ metadata }) => metadata.name === before.metadata.name)
      return after === undefined ? [] : [[before, after] as const, [after, before] as const]
    })
    expect(pairs.length).toBeGreaterThan(1)
    const said = await inParallel(pairs, ([before, after]) => theirs(before, after))
    expect(pairs.map(([before, after]) => ours(before, after, 'strict'))).toEqual(said)
  })
})

function definitionsIn(file: string): Definition[] {
  return parseAllDocuments(readFileSync(join(upstream, file), 'utf8'))
    .map((document) => document.toJS() as Definition | null)
    .filter((object) => object?.kind === 'CustomResourceDefinition')
    .map((object) => object as Definition)
}

const sameVerdict = (
  theirs: (before: Definition, after: Definition, settings?: unknown) => Promise<CrdifyVerdict>,
): Property => ({
  title: 'a random definition and its successor',
  holds: async (chance) => {
    const before = someDefinition(chance)
    const after = successor(before, chance)
    const [strict, lifecycle] = await Promise.all([theirs(before, after), theirs(before, after, olm)])
    const settled = withoutChance(before)
    expect(settled(ours(before, after, 'strict'))).toEqual(settled(strict))
    expect(settled(ours(before, after, 'olm'))).toEqual(settled(lifecycle))
  },
})

/**
 * What failed between two served versions before is known to crdify by its text. Two texts name it in an order of chance, or with
 * the words beside it, or not to the end: what is new is not certain there.
 */
function withoutChance(before: Definition): (verdict: CrdifyVerdict) => string[] {
  const versions = before.spec.versions.map((one) => ({ ...one, served: false }))
  const known = new Set(ours({ ...before, spec: { ...before.spec, versions } }, before, 'strict').errors)
  return ({ errors }) => errors.filter((error) => !(/ -> .* (required|unhandled)$/.test(error) && known.has(error)))
}

/** So that a difference names its case. */
const byName = <T>(names: readonly string[], values: readonly T[]): Record<string, T | undefined> =>
  Object.fromEntries(names.map((name, index) => [name, values[index]]))
