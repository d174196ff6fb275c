/** What every plan goes through between being made and being carried out: shown, judged by rights and size, confirmed. */
import { refuseFile } from '../backup/file.ts'
import { type BackupSize, measureBackup } from '../backup/measure.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { refuseWithoutAccess } from './check-access.ts'
import { printedRights } from './print-rights.ts'
import type { ChangeContext } from './run-plan.ts'
import type { ChangeResult, PlanReport } from './run-report.types.ts'

/** Compressed, as kept in the records. Beyond it a cluster's etcd should not hold the only copy. */
const BACKUP_LIMIT_BYTES = 50 * 1000 * 1000

export interface PlannedRun {
  plan: Plan
  /**
   * How it is shown, asked for once the rights are known to be there; `refuse` throws where the plan must not be carried
   * out as it is, and is not asked for a dry run.
   */
  show(): Promise<{ report: PlanReport; refuse?(): void }>
  dryRun: boolean
  /** what was looked at to make the plan */
  inventory?: Inventory
  /** the run that is gone on with: its number, and the ids of its steps that are done */
  resumed?: { number: number; done: ReadonlySet<string> }
}

/**
 * Gives the result where it ends here (rights were asked for, a dry run, declined), else the report with what was measured.
 * Throws Refusal: `usage` for the back-up's file, `blocked` for missing rights.
 */
export const beforeRun = async (
  context: ChangeContext,
  run: PlannedRun,
): Promise<{ ended: ChangeResult } | { report: PlanReport }> => {
  const { plan, dryRun, inventory } = run
  const needs = { plan, recordNamespace: context.recordNamespace, inventory, run: run.resumed?.number }
  if (context.printRbac !== undefined)
    return { ended: { outcome: 'rights', report: await printedRights(context, needs, context.printRbac) } }
  if (!dryRun) await refuseWithoutAccess(context.client, needs, context.signal)
  const shown = await run.show()
  const records = await sizeOf(context, run)
  const report: PlanReport = { ...shown.report, ...(records && { records }) }
  if (dryRun) return { ended: { outcome: 'planned', report } }
  shown.refuse?.()
  await refuseBackup(context, run, records)
  return (await context.confirm(report)) ? { report } : { ended: { outcome: 'declined', report } }
}

const isTaken = ({ steps }: Plan, done: ReadonlySet<string>): boolean =>
  steps.some(({ kind, id }) => kind === 'back-up' && done.has(id))

/** Undefined where the back-up is there already, and where this user may not read it: then the missing rights are told. */
const sizeOf = async (
  { client, now, signal }: ChangeContext,
  { plan, resumed }: PlannedRun,
): Promise<BackupSize | undefined> => {
  const step = plan.steps.find((each) => each.kind === 'back-up')
  if (step === undefined || (resumed !== undefined && isTaken(plan, resumed.done))) return undefined
  try {
    return await measureBackup(client, step, { now: now(), signal })
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

const refuseBackup = async (
  { backupFile, backupLimitBytes = BACKUP_LIMIT_BYTES }: ChangeContext,
  { plan, resumed }: PlannedRun,
  records: BackupSize | undefined,
): Promise<void> => {
  if (backupFile !== undefined && resumed !== undefined && isTaken(plan, resumed.done))
    throw new Refusal('usage', `The back-up of run ${resumed.number} has been taken already.`, {
      next: `kubectl airunway history export ${resumed.number} FILE (writes it, with all else of that run)`,
    })
  if (backupFile !== undefined) return refuseFile(backupFile)
  if (records === undefined || records.bytes <= backupLimitBytes) return
  throw new Refusal('usage', `The back-up would be about ${megabytes(records.bytes)}.`, {
    why: `It holds ${records.objects} objects. Beyond ${megabytes(backupLimitBytes)} it is also wanted in a file, so that the only copy is not in the cluster that is changed. Nothing was written.`,
    next: 'add --backup-file FILE',
    details: { ...records },
  })
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 100_000) / 10} MB`
