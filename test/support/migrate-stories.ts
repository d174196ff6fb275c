/** What stories of the verb `migrate` share: its options, and its results as they are printed. */
import { expect } from 'vitest'
import { documentOf } from '../../src/report/documents.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { renderDocument } from '../../src/report/render.ts'
import type { MigrateOptions } from '../../src/services/migrate-definitions.ts'
import type { ChangeResult, PlanReport, RunReport } from '../../src/services/run-report.types.ts'
import { schemaErrors } from './schemas.ts'

/** As the command has it, with a window that nobody waits for. */
export const usual: MigrateOptions = {
  names: [],
  all: false,
  storage: {},
  maxInFlight: 8,
  preflight: 'sample',
  acceptLoss: [],
  engine: 'own',
  forceScan: false,
  repairUnreadable: false,
  dryRun: false,
  lateWriteSeconds: 1,
}

/** What was refused, and how. */
export const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Refusal)) throw new Error('it was not refused', { cause: error })
  return error
}

/** The report of a run, held to its schema. */
export const ran = ({ outcome, report }: ChangeResult): RunReport => {
  if (outcome !== 'ran') throw new Error(outcome)
  expect(schemaErrors(renderDocument(documentOf('Run', report), 'json'))).toEqual([])
  return report
}

/** A dry run, held to its schema. */
export const planned = ({ outcome, report }: ChangeResult): PlanReport => {
  if (outcome !== 'planned') throw new Error(outcome)
  expect(schemaErrors(renderDocument(documentOf('Plan', report), 'json'))).toEqual([])
  return report
}
