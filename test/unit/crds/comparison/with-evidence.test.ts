import { describe, expect, test } from 'vitest'
import type { Audience, Comparison, Finding, Level } from '../../../../src/crds/comparison/comparison.types.ts'
import type { LiveEvidence } from '../../../../src/crds/comparison/evidence.types.ts'
import { type Counted, levelsWithoutStored, withEvidence } from '../../../../src/crds/comparison/with-evidence.ts'

const live: LiveEvidence = { kubernetes: '1.36', objects: 7, dryRun: { outcome: 'accepted' }, users: [] }
const none: Counted = { checked: 7, affected: 0, offenders: [], ratchets: false }
const some: Counted = { ...none, affected: 1, offenders: [{ name: 'a', field: 'spec.x', message: 'is dropped' }] }

const findingOf = (level: Level, audiences: Audience[], id = 'crd.some.change'): Finding => ({
  id,
  scope: 'same-version',
  version: 'v1',
  path: '^.spec.x',
  audiences,
  level,
  title: '',
  why: '',
  fix: '',
})

function levelAfter(finding: Finding, counted: Counted | undefined): Level | undefined {
  const comparison: Comparison = { name: 'models.example.io', profile: 'kubernetes', upgrade: [finding], rollback: [] }
  const stored = new Map(counted === undefined ? [] : [[finding, counted]])
  return withEvidence(comparison, { live, stored }).upgrade[0]?.level
}

const W: Audience = 'writer'
const R: Audience = 'reader'
const S: Audience = 'stored'

describe('what a count makes of a level', () => {
  test.each<
    [what: string, audiences: Audience[], level: Level, counted: Counted | undefined, expected: Level, id?: string]
  >([
    ['only stored objects, none hurt', [S], 'error', none, 'warning'],
    ['only stored objects, none hurt', [S], 'warning', none, 'info'],
    ['only stored objects, none hurt', [S], 'info', none, 'info'],
    ['only stored objects, one hurt', [S], 'error', some, 'error'],
    ['only stored objects, one hurt', [S], 'warning', some, 'warning'],
    ['only stored objects, one hurt', [S], 'info', some, 'info'],
    ['only stored objects, not counted', [S], 'error', undefined, 'error'],
    ['no objects at all', [S], 'error', { ...none, checked: 0 }, 'warning'],
    ['readers of objects', [R, S], 'error', none, 'warning'],
    ['readers of objects', [R, S], 'warning', none, 'info'],
    ['readers of objects, one hurt', [R, S], 'error', some, 'error'],
    ['writers too', [W, S], 'error', none, 'error'],
    ['writers too', [W, S], 'warning', none, 'warning'],
    ['everybody', [W, R, S], 'error', none, 'error'],
    ['not about stored objects', [W], 'error', none, 'error'],
    ['not about stored objects', [R], 'error', none, 'error'],
    ['a version that goes', [R, S], 'error', none, 'error', 'crd.version.removed-stored'],
    ['a storage version that moves', [S], 'error', none, 'error', 'crd.storage.moved-to-new-version'],
  ])('%s (%j, %s)', (_, audiences, level, counted, expected, id) => {
    expect(levelAfter(findingOf(level, audiences, id), counted)).toBe(expected)
  })

  test('no level is ever higher than before', () => {
    const weights: Record<Level, number> = { error: 2, warning: 1, info: 0 }
    const raised = Object.values(levelsWithoutStored).flatMap((row) =>
      (['error', 'warning', 'info'] as const).filter((level) => weights[row[level]] > weights[level]),
    )
    expect(raised).toEqual([])
  })
})

test('the evidence stands beside the level that was before it, in either direction', () => {
  const [up, down, other] = [findingOf('error', [S]), findingOf('warning', [R, S]), findingOf('error', [W])]
  const comparison: Comparison = { name: 'm', profile: 'ngf', upgrade: [up, other], rollback: [down] }
  const stored = new Map([
    [up, none],
    [down, some],
  ])
  expect(withEvidence(comparison, { live, stored })).toEqual({
    ...comparison,
    upgrade: [{ ...up, level: 'warning', live: { ...none, levelBefore: 'error' } }, other],
    rollback: [{ ...down, live: { ...some, levelBefore: 'warning' } }],
    live,
  })
  expect(up).toEqual(findingOf('error', [S]))
})

test('a finding that was ignored keeps its level and its reason', () => {
  const ignored = { ...findingOf('info', [S]), ignored: { reason: 'nobody uses it' } }
  const comparison: Comparison = { name: 'm', profile: 'ngf', upgrade: [ignored], rollback: [] }
  const [finding] = withEvidence(comparison, { live, stored: new Map([[ignored, some]]) }).upgrade
  expect(finding).toMatchObject({ level: 'info', ignored: { reason: 'nobody uses it' }, live: { affected: 1 } })
})
