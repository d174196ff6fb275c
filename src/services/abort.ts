/**
 * Ends a run that stopped half-way by undoing what it did: an upgrade goes back to the release before it, a rollback forward
 * again to the release that it was going back from. A migration is closed: what it rewrote can be read as before.
 */
import type { RunSummary } from '../journal/journal.types.ts'
import { listRuns } from '../journal/records.ts'
import { beganHalfWay, newestStanding, unfinishedRun } from '../journal/standing.ts'
import { Refusal } from '../report/refusal.ts'
import { closeMigration } from './close-migration.ts'
import { goBack } from './go-back.ts'
import { type ChangeContext, type ChangeRequest, withClient } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'
import { nextOf, refuseWhileUnfinishedIsHeld } from './under-lock.ts'

/**
 * Gives the run that undid it, or the closed one where nothing was changed. Throws `usage` where nothing is unfinished, or where
 * an abort is; `cannot-go-back` where there is no way; `locked` where somebody still works on it.
 */
export const abort = async (request: ChangeRequest, options: { dryRun: boolean }): Promise<ChangeResult> =>
  withClient(request, async (context) => abortWith(context, options))

const abortWith = async (context: ChangeContext, { dryRun }: { dryRun: boolean }): Promise<ChangeResult> => {
  if (!dryRun) await refuseWhileUnfinishedIsHeld(context, await listRuns(context.client, context.recordNamespace))
  const run = unfinishedRun(await listRuns(context.client, context.recordNamespace))
  if (run?.kind === 'migration') return closeMigration(context, run, { dryRun })
  return goBack(context, { kind: 'abort', dryRun, choose: runToAbort })
}

/** The unfinished run. */
const runToAbort = (runs: readonly RunSummary[]): RunSummary => {
  const run = unfinishedRun(runs)
  if (run === undefined) throw nothingUnfinished(newestStanding(runs))
  if (run.kind === 'abort')
    throw new Refusal('usage', `Run ${run.number} is itself an abort; it is not aborted.`, {
      why: 'To undo it would be the run again that was given up.',
      next: nextOf(run),
    })
  if (beganHalfWay(run, runs))
    throw new Refusal('cannot-go-back', `Run ${run.number} (${run.kind}) began in the middle of another run.`, {
      why: 'What it would go back to is half of that one.',
      next: 'kubectl airunway resume (go on with it), or kubectl airunway rollback (go back to the release before the upgrade)',
    })
  return run
}

const nothingUnfinished = (newest: RunSummary | undefined): Refusal =>
  new Refusal('usage', 'There is no unfinished run to abort.', {
    ...(newest !== undefined && {
      why: `Run ${newest.number} (${newest.kind} ${newest.from} to ${newest.to}) has ended.`,
    }),
    next: `${newest?.kind === 'upgrade' ? goingBack : ''}kubectl airunway history`,
  })

const goingBack =
  'kubectl airunway rollback (goes back from it where there is a way, which kubectl airunway status tells), or '
