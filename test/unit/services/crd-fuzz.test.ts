/** Definitions with anything anywhere: compared, or refused as bad input; never a crash. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adviseNext } from '../../../src/crds/comparison/advice.ts'
import { compare } from '../../../src/crds/comparison/compare.ts'
import { profileNames } from '../../../src/crds/comparison/profiles.ts'
import { TooDeep } from '../../../src/crds/comparison/schema-reading.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { readDefinitions } from '../../../src/releases/definitions.ts'
import { Refusal } from '../../../src/report/refusal.ts'
import { type Chance, testProperties } from '../../support/seeded.ts'

const sample = (version: string): unknown[] => {
  const file = join(import.meta.dirname, '../../../examples/releases', version, 'manifests/install.yaml')
  const { definitions } = readDefinitions({ name: file, text: readFileSync(file, 'utf8') })
  return definitions.map(({ definition }) => definition)
}
const samples = ['v0.1.0', 'v0.2.0'].flatMap(sample)
const odd = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  '',
  'x',
  'v1',
  [],
  [null],
  ['a', 'a'],
  {},
  { a: null },
  { type: 'object' },
  [{}],
]

interface Place {
  parent: Record<string, unknown>
  key: string
}

const places = (value: unknown): Place[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, entry]) => [
        { parent: value as Record<string, unknown>, key },
        ...places(entry),
      ])

function mutated(chance: Chance): unknown {
  const value: unknown = structuredClone(chance.pick(samples))
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    const all = places(value)
    const { parent, key } = chance.pick(all)
    const kinds = [
      () => (parent[key] = structuredClone(chance.pick(odd))),
      () => delete parent[key],
      () => (parent[key] = structuredClone(chance.pick(all).parent)),
      () => (parent[chance.pick(all).key] = structuredClone(chance.pick(odd))),
    ]
    chance.pick(kinds)()
  }
  return value
}

const read = (value: unknown): CustomResourceDefinition | undefined => {
  try {
    return readDefinitions({ name: 'f', text: JSON.stringify(value) }).definitions[0]?.definition
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'usage') return undefined
    throw error
  }
}

const context = { today: '2026-11-22' }

testProperties(
  [
    {
      title: 'definitions with anything anywhere are compared by every profile, or refused',
      holds: (chance) => {
        const [before, after] = [read(mutated(chance)), read(chance.pick([mutated(chance), chance.pick(samples)]))]
        if (before === undefined || after === undefined) return
        try {
          for (const profile of profileNames) {
            const { upgrade, rollback } = compare(before, after, { profile, context })
            JSON.stringify([upgrade, rollback])
          }
          adviseNext(before, after, { profile: chance.pick(profileNames), context })
        } catch (error) {
          if (!(error instanceof TooDeep)) throw error
        }
      },
    },
  ],
  { seed: Number(process.env['SEED'] ?? 1), cases: Number(process.env['CASES'] ?? 100) },
)
