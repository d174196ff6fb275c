/** Goes on with a run that was interrupted or failed, from the step it stopped in. */
import { listRuns, openRun, planOf } from '../journal/records.ts'
import { isUnfinished, unfinishedRun } from '../journal/standing.ts'
import { Refusal } from '../report/refusal.ts'
import { beforeRun } from './before-run.ts'
import { type ChangeContext, type ChangeRequest, planReport, runJournal, withClient } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'
import { refuseWhileUnfinishedIsHeld, underLock } from './under-lock.ts'

/** Throws `usage` where nothing is unfinished, `locked` where somebody still works on it. */
export const resume = async (request: ChangeRequest, options: { dryRun: boolean }): Promise<ChangeResult> =>
  withClient(request, async (context) => resumeWith(context, options))

const resumeWith = async (context: ChangeContext, options: { dryRun: boolean }): Promise<ChangeResult> => {
  const { client, recordNamespace } = context
  const runs = await listRuns(client, recordNamespace)
  const run = unfinishedRun(runs)
  if (run === undefined)
    throw new Refusal('usage', 'There is no unfinished run to go on with.', { next: 'kubectl airunway history' })
  if (!options.dryRun) await refuseWhileUnfinishedIsHeld(context, runs)
  const plan = await planOf(client, recordNamespace, run.number)
  const resumed = { number: run.number, done: (await openRun(client, recordNamespace, run.number)).done() }
  const begun = await beforeRun(context, {
    plan,
    show: async () => ({ report: planReport(plan, context) }),
    dryRun: options.dryRun,
    resumed,
  })
  if ('ended' in begun) return begun.ended
  return underLock(context, async (signal, held) => {
    const now = unfinishedRun(await listRuns(held.client, recordNamespace))
    if (now !== undefined && now.number !== run.number)
      throw new Refusal('usage', `Run ${run.number} is not the one to go on with any more.`, {
        why: 'Another run has changed the installation since.',
        next: 'kubectl airunway history',
      })
    const journal = await openRun(held.client, recordNamespace, run.number)
    if (!isUnfinished(journal.summary))
      throw new Refusal('usage', `Run ${run.number} has ended meanwhile.`, { next: 'kubectl airunway history' })
    return { outcome: 'ran', report: await runJournal(held, plan, journal, signal) }
  })
}
