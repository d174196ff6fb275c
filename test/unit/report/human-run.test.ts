/** What is said of stored objects: of those that an upgrade has moved, has left, or was about to move. */
import { describe, expect, test } from 'vitest'
import type { RunSummary } from '../../../src/journal/journal.types.ts'
import { renderClosedRun, renderHistory, renderNothingToDo, renderRun } from '../../../src/report/human-run.ts'
import { plainStyle } from '../../../src/report/style.ts'
import type { RunReport } from '../../../src/services/run-report.types.ts'

const models = 'modeldeployments.kubeairunway.ai'
const time = '2026-11-22T12:00:00.000Z'
const metadata = { time, cluster: { server: 'https://127.0.0.1:6443' }, recordNamespace: 'airunway-runs' }
const run: RunSummary = {
  number: 1,
  kind: 'upgrade',
  product: 'kubeairunway',
  from: 'v0.1.0',
  to: 'v0.2.0',
  state: 'succeeded',
  startedAt: time,
  by: 'me@here',
  planHash: 'abc',
}
const style = plainStyle

/** Without its line breaks. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ')

const told = (rest: Partial<RunReport>): string =>
  renderRun(
    {
      metadata,
      run,
      seconds: 1,
      steps: [],
      workloads: { compared: true, children: 3, disturbed: 0, changes: [] },
      notes: [],
      wayBack: { possible: true },
      measured: [],
      ...rest,
    },
    style,
  )

describe('an upgrade', () => {
  test('that has moved stored objects tells what became of them, and that there is no way back', () => {
    const text = told({
      wayBack: { possible: false, why: 'it is stored in v1beta1 at the end' },
      migrated: [
        {
          definition: models,
          storageVersion: 'v1beta1',
          before: { storedVersions: ['v1alpha1', 'v1beta1'] },
          after: { storedVersions: ['v1beta1'] },
          outcome: 'migrated',
          passes: [],
          proof: { pass: 2, objects: 7, startedAt: time, secondsAfterFlip: 35.2 },
          seconds: { settle: 1, rewrite: 1, prove: 33, trim: 0 },
          requests: 36,
          removable: ['v1alpha1'],
        },
      ],
    })
    expect(text).toContain(`${models}: 0 rewritten to v1beta1`)
    expect(text).toContain('pass 2 wrote each of 7 objects without a change, begun 35 s after')
    expect(text).toContain('There is no way back by `rollback`: it is stored in v1beta1 at the end.')
    expect(text).toContain('Next: kubectl airunway preflight\n')
  })

  test.each<[RunReport['wayBack'], string, string]>([
    [
      { possible: true },
      '; from then on there is no rollback to v0.1.0.',
      ', or go back with  kubectl airunway rollback',
    ],
    [{ possible: false, why: 'w' }, '.', ''],
  ])('that has left them (%o) says how to go on, and what that means for going back', (wayBack, across, back) => {
    const text = told({ wayBack, heldStorage: { [models]: 'v1beta1' } })
    expect(flat(text)).toContain(
      `Stored objects have not moved to the version of v0.2.0: ${models} (v1beta1). kubectl airunway migrate moves them${across} `,
    )
    expect(text).toContain(`Next: kubectl airunway migrate${back}\n`)
  })

  test('that has left stored objects of a version that moved says how they move', () => {
    const text = told({ wayBack: { possible: false, why: 'w' }, notMigrated: [models] })
    expect(flat(text)).toContain(
      `Objects may still be stored in a version before that of v0.2.0: ${models}. kubectl airunway migrate moves them. `,
    )
    expect(text).toContain('Next: kubectl airunway migrate\n')
  })

  test('that stopped across it says so in the history, and nothing when it has ended', () => {
    const across = 'it can be gone on with, and not gone back from'
    const history = (rest: Partial<RunSummary>): string =>
      renderHistory({ metadata, runs: [{ ...run, storageMoved: true, ...rest }] }, style)
    expect(history({ state: 'failed' })).toContain(across)
    expect(history({ state: 'succeeded' })).not.toContain(across)
    expect(history({ state: 'superseded', kind: 'migration' })).not.toContain(across)
    expect(history({ state: 'failed', kind: 'migration' })).not.toContain(across)
  })
})

test('what runs already and has objects left to move says so', () => {
  const report = { metadata, product: 'kubeairunway', version: 'v0.2.0' }
  expect(renderNothingToDo(report, style)).not.toContain('Next')
  const text = renderNothingToDo({ ...report, toMigrate: [models] }, style)
  expect(text).toContain(`Objects are not all stored as it stores them: ${models}.`)
  expect(text).toContain('Next: kubectl airunway migrate\n')
})

describe('a migration that was closed', () => {
  const closed = { metadata, run: { ...run, kind: 'migration', product: '2 definitions' }, closed: true } as const

  test('is begun anew with the definitions that it was about', () => {
    const next = 'kubectl airunway migrate widgets.example.com gadgets.example.com --storage gadgets.example.com=v2'
    const text = renderClosedRun({ ...closed, stays: ['some are stored'], next }, style)
    expect(text).toContain(`Next: ${next} (begins anew; what is rewritten is found so)\n`)
  })

  test('points to others where nothing of it is left', () => {
    const next = 'kubectl airunway migrate --all --dry-run'
    expect(renderClosedRun({ ...closed, stays: ['it is migrated'], next }, style)).toContain(
      `Next: ${next} (what else there is)\n`,
    )
  })
})
