import { expect, test } from 'vitest'
import { compareAdded } from '../../../../src/crds/comparison/compare.ts'
import type { Level, ProfileName } from '../../../../src/crds/comparison/comparison.types.ts'
import { profiles } from '../../../../src/crds/comparison/profiles.ts'
import { definition, today } from './definitions.ts'
import { plain, v } from './policy-lines.ts'

test('a new kind begins as v1alpha1 where a policy says so', () => {
  const first = (profile: ProfileName, name: string) =>
    compareAdded(definition([v(name, plain)]), { profile, context: today }).upgrade.map(({ id, level }) => [id, level])
  const warned = (id: string): [string, Level][] => [[id, 'warning']]
  expect(first('ngf', 'v1')).toEqual(warned('ngf.initial-version.not-alpha'))
  expect(first('kubeairunway', 'v1beta1')).toEqual(warned('kubeairunway.initial-version.not-alpha'))
  expect([first('ngf', 'v1alpha1'), first('kubeairunway', 'v1alpha1'), first('kubernetes', 'v1')]).toEqual([[], [], []])
})

test('every profile is listed by its own name', () => {
  expect(Object.entries(profiles).map(([name, profile]) => [name, profile.name])).toEqual(
    Object.keys(profiles).map((name) => [name, name]),
  )
})
