/** Goes on with a run that was interrupted or failed, from the step it stopped in. */
import { listRuns, openRun, planOf } from '../journal/records.ts'
import { Refusal } from '../report/refusal.ts'
import { refuseWithoutAccess } from './check-access.ts'
import {
  type ChangeContext,
  type ChangeRequest,
  isUnfinished,
  planReport,
  runJournal,
  underLock,
  withClient,
} from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'

/** Throws `usage` where nothing is unfinished. */
export const resume = async (request: ChangeRequest, options: { dryRun: boolean }): Promise<ChangeResult> =>
  withClient(request, async (context) => resumeWith(context, options))

const resumeWith = async (context: ChangeContext, options: { dryRun: boolean }): Promise<ChangeResult> => {
  const { client, recordNamespace } = context
  const [newest] = await listRuns(client, recordNamespace)
  if (newest === undefined || !isUnfinished(newest))
    throw new Refusal('usage', 'There is no unfinished run to go on with.', { next: 'kubectl airunway history' })
  const plan = await planOf(client, recordNamespace, newest.number)
  const report = planReport(plan, context)
  if (options.dryRun) return { outcome: 'planned', report }
  await refuseWithoutAccess(client, plan, recordNamespace, context.signal)
  if (!(await context.confirm(report))) return { outcome: 'declined', report }
  return underLock(context, async (signal, held) => {
    const [now] = await listRuns(held.client, recordNamespace)
    if (now?.number !== newest.number)
      throw new Refusal('usage', `Run ${newest.number} is not the newest run any more.`, {
        why: 'Another run has changed the installation since.',
        next: 'kubectl airunway history',
      })
    const journal = await openRun(held.client, recordNamespace, newest.number)
    if (!isUnfinished(journal.summary))
      throw new Refusal('usage', `Run ${newest.number} has ended meanwhile.`, { next: 'kubectl airunway history' })
    return { outcome: 'ran', report: await runJournal(held, plan, journal, signal) }
  })
}
