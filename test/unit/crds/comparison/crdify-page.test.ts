import { expect, test } from 'vitest'
import { compare } from '../../../../src/crds/comparison/compare.ts'
import { differences } from '../../../oracles/crdify/differences.ts'
import { differenceRows, findingsCell } from '../../../oracles/crdify/page.ts'
import { today } from './definitions.ts'

/** What crdify says of the same cases, the integration test asks crdify itself. */
test('the page on crdify says of every case what the profile kubernetes says', () => {
  const rows = differenceRows().map(({ heading, name, there, back }) => [heading, name, there, back])
  const expected = Object.entries(differences).flatMap(([heading, pairs]) =>
    pairs.map(([name, before, after]) => {
      const { upgrade, rollback } = compare(before, after, { profile: 'kubernetes', context: today })
      return [heading, name, findingsCell(upgrade), findingsCell(rollback)]
    }),
  )
  expect(rows).toEqual(expected)
})

test('what crdify lets pass and hurts is at least a warning here, and what it refuses for nothing is no error', () => {
  const gravest = (heading: string) =>
    (differences[heading] ?? []).map(([name, before, after]) => {
      const { upgrade } = compare(before, after, { profile: 'kubernetes', context: today })
      return [name, findingsCell(upgrade).split(' ')[0]]
    })
  expect(
    gravest('Refused by crdify, though it hurts nobody, or less').filter(([, level]) => level === 'error'),
  ).toEqual([])
  expect(
    gravest('Passed by crdify, though it hurts').filter(([, level]) => level === 'info' || level === 'nothing'),
  ).toEqual([])
})
