import { join } from 'node:path'
import { expect, test } from 'vitest'
import { profileChoices } from '../../../src/cli/crd-flags.ts'
import { profileNames } from '../../../src/crds/comparison/profiles.ts'
import { allRules } from '../../../src/crds/comparison/rules.ts'
import { rulesPage } from '../../support/crd-rules-page.ts'

test('docs/crd-rules.md is the list of rules', async () => {
  await expect(rulesPage()).toMatchFileSnapshot(join(import.meta.dirname, '../../../docs/crd-rules.md'))
})

test('the page tells of every kind of change once', () => {
  const told = [...rulesPage().matchAll(/^\| `(crd\.[^`]+)`/gm)].map(([, id]) => id)
  const kinds = allRules.flatMap(({ id, kinds: all }) => Object.keys(all).map((name) => `${id}.${name}`))
  expect(told).toHaveLength(kinds.length)
  expect(new Set(told)).toEqual(new Set(kinds))
})

test('--profile offers the profiles that there are', () => {
  expect(profileChoices).toEqual(profileNames)
})
