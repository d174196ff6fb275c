/** Histories as people make them, newest run first, and what each verb is then about. */
import { describe, expect, test } from 'vitest'
import type { RunState, RunSummary } from '../../../src/journal/journal.types.ts'
import { beganHalfWay, newestStanding, unfinishedRun, upgradeInForce } from '../../../src/journal/standing.ts'
import type { PlanKind } from '../../../src/plan/plan.types.ts'

interface Told {
  kind?: PlanKind
  state: RunState
  undoes?: number
  supersededBy?: number
}

/** Oldest first, as they were begun; numbered from 1. */
const history = (...runs: Told[]): RunSummary[] =>
  runs
    .map(({ kind = 'upgrade', ...rest }, index) => ({
      number: index + 1,
      kind,
      product: 'p',
      from: 'v0.1.0',
      to: 'v0.2.0',
      startedAt: '2026-11-22T12:00:00Z',
      by: 'me',
      planHash: 'h',
      ...rest,
    }))
    .toReversed()

const upgraded: Told = { state: 'succeeded' }

interface Case {
  runs: RunSummary[]
  unfinished?: number
  standing?: number
  inForce?: number
}

describe.each<[string, Case]>([
  ['nothing was done yet', { runs: [] }],
  ['an upgrade', { runs: history(upgraded), standing: 1, inForce: 1 }],
  ['an upgrade that failed', { runs: history({ state: 'failed' }), unfinished: 1, standing: 1, inForce: 1 }],
  [
    'an upgrade, and one that was closed before it changed anything',
    { runs: history(upgraded, { state: 'superseded' }), standing: 1, inForce: 1 },
  ],
  [
    'an upgrade and a migration, which is no release',
    { runs: history(upgraded, { kind: 'migration', state: 'succeeded' }), standing: 2, inForce: 1 },
  ],
  [
    'an upgrade and a migration that stopped',
    {
      runs: history(upgraded, { kind: 'migration', state: 'interrupted' }),
      unfinished: 2,
      standing: 2,
      inForce: 1,
    },
  ],
  [
    'an upgrade, a migration that was closed, and a rollback',
    {
      runs: history(
        upgraded,
        { kind: 'migration', state: 'superseded' },
        { kind: 'rollback', state: 'succeeded', undoes: 1 },
      ),
      standing: 3,
    },
  ],
  ['just a migration', { runs: history({ kind: 'migration', state: 'succeeded' }), standing: 1 }],
  [
    'an upgrade and its rollback',
    { runs: history(upgraded, { kind: 'rollback', state: 'succeeded', undoes: 1 }), standing: 2 },
  ],
  [
    'a rollback that was interrupted',
    {
      runs: history(upgraded, { kind: 'rollback', state: 'interrupted', undoes: 1 }),
      unfinished: 2,
      standing: 2,
      inForce: 1,
    },
  ],
  [
    'a rollback that was aborted: the upgrade runs again',
    {
      runs: history(
        upgraded,
        { kind: 'rollback', state: 'superseded', undoes: 1, supersededBy: 3 },
        { kind: 'abort', state: 'succeeded', undoes: 2 },
      ),
      standing: 3,
      inForce: 1,
    },
  ],
  [
    'the abort of a rollback, stopped as well',
    {
      runs: history(
        upgraded,
        { kind: 'rollback', state: 'superseded', undoes: 1, supersededBy: 3 },
        { kind: 'abort', state: 'running', undoes: 2 },
      ),
      unfinished: 3,
      standing: 3,
      inForce: 1,
    },
  ],
  [
    'an upgrade that was aborted',
    {
      runs: history({ state: 'superseded', supersededBy: 2 }, { kind: 'abort', state: 'succeeded', undoes: 1 }),
      standing: 2,
    },
  ],
  [
    'an abort that died before it took the place of the upgrade',
    {
      runs: history({ state: 'failed' }, { kind: 'abort', state: 'running', undoes: 1 }),
      unfinished: 2,
      standing: 2,
      inForce: 1,
    },
  ],
  [
    'the same, whose abort was closed: the upgrade is still to be ended',
    {
      runs: history({ state: 'failed' }, { kind: 'abort', state: 'superseded', undoes: 1 }),
      unfinished: 1,
      standing: 1,
      inForce: 1,
    },
  ],
  [
    'a rollback whose upgrade is not recorded any more',
    { runs: history({ kind: 'rollback', state: 'failed', undoes: 7 }), unfinished: 1, standing: 1 },
  ],
])('%s', (_title, { runs, unfinished, standing, inForce }) => {
  test('the run that has to be ended', () => expect(unfinishedRun(runs)?.number).toBe(unfinished))
  test('the newest that counts', () => expect(newestStanding(runs)?.number).toBe(standing))
  test('the upgrade that a rollback is about', () => expect(upgradeInForce(runs)?.number).toBe(inForce))
})

test('a rollback of half an upgrade began half-way, one of a whole upgrade did not', () => {
  const half = history({ state: 'superseded', supersededBy: 2 }, { kind: 'rollback', state: 'failed', undoes: 1 })
  const whole = history(upgraded, { kind: 'rollback', state: 'failed', undoes: 1 })
  const began = [half, whole].map((runs) => runs.slice(0, 1).map((run) => beganHalfWay(run, runs)))
  expect(began).toEqual([[true], [false]])
})
