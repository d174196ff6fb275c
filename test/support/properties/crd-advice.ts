import { expect } from 'vitest'
import { adviseNext } from '../../../src/crds/comparison/advice.ts'
import { compare } from '../../../src/crds/comparison/compare.ts'
import { profileNames } from '../../../src/crds/comparison/profiles.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import type { Chance, Property } from '../seeded.ts'
import { someDefinition, successor } from './crd-comparison.ts'

type Definition = CustomResourceDefinition

const context = { today: '2026-11-22' }

/** The definition with other schemas, and nothing else. */
function edited(crd: Definition, chance: Chance): Definition {
  const { versions } = successor(crd, chance).spec
  const schemaAt = (index: number) => versions[index]?.schema ?? {}
  const kept = crd.spec.versions.map((version, index) => ({ ...version, schema: schemaAt(index) }))
  return { ...crd, spec: { ...crd.spec, versions: kept } }
}

export const crdAdviceProperties: Property[] = [
  {
    title: 'where nothing is wanted, nothing is advised',
    holds: (chance) => {
      const crd = someDefinition(chance)
      for (const profile of profileNames) {
        const advice = adviseNext(crd, structuredClone(crd), { profile, context })
        expect(advice).toMatchObject({ bump: 'none', because: [], parts: [], byHand: [], impossible: [] })
      }
    },
  },
  {
    title: 'a new version is advised where the comparison has an error within a version, and only there',
    holds: (chance) => {
      const before = someDefinition(chance)
      const wanted = edited(before, chance)
      for (const profile of profileNames) {
        const { bump } = adviseNext(before, wanted, { profile, context })
        const errors = compare(before, wanted, { profile, context }).upgrade.filter(
          ({ scope, level }) => scope === 'same-version' && level === 'error',
        )
        expect([profile, bump !== 'none', errors.map(({ id }) => id)]).toEqual([
          profile,
          errors.length > 0,
          errors.map(({ id }) => id),
        ])
      }
    },
  },
  {
    title: 'releases are in order, each says something once, and a bump has a name that is not taken',
    holds: (chance) => {
      const before = someDefinition(chance)
      const wanted = chance.flip() ? edited(before, chance) : successor(before, chance)
      for (const profile of profileNames) {
        const advice = adviseNext(before, wanted, { profile, context, nextRelease: 'v1.4.0' })
        const days = advice.parts.map(({ releasesLater }) => releasesLater)
        expect(days).toEqual([...new Set(days)].toSorted((one, other) => one - other))
        for (const { actions } of advice.parts) expect([...new Set(actions)]).toEqual(actions)
        const names = before.spec.versions.map(({ name }) => name)
        expect(advice.bump === 'none').toBe(advice.newVersion === undefined)
        expect(names).not.toContain(advice.newVersion)
        expect(names).toContain(advice.version)
      }
    },
  },
]
