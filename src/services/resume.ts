/** Goes on with a run that was interrupted or failed, from the step it stopped in. */
import { listRuns, type OpenJournal, openRun, planOf } from '../journal/records.ts'
import { isUnfinished, unfinishedRun } from '../journal/standing.ts'
import { stillMoving, withStorageHeld } from '../plan/migration-steps.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { beforeRun } from './before-run.ts'
import { outdateRequests } from './outdate-requests.ts'
import { type ChangeContext, type ChangeRequest, planReport, runJournal, withClient } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'
import { refuseWhileUnfinishedIsHeld, underLock } from './under-lock.ts'

export interface ResumeOptions {
  dryRun: boolean
  /** ends an upgrade without what is left of moving stored objects; `migrate` does that later */
  holdStorage?: boolean
}

/** Throws `usage` where nothing is unfinished, or there is no storage to be held; `locked` where somebody still works on it. */
export const resume = async (request: ChangeRequest, options: ResumeOptions): Promise<ChangeResult> =>
  withClient(request, async (context) => resumeWith(context, options))

const resumeWith = async (context: ChangeContext, options: ResumeOptions): Promise<ChangeResult> => {
  const { client, recordNamespace } = context
  const runs = await listRuns(client, recordNamespace)
  const run = unfinishedRun(runs)
  if (run === undefined)
    throw new Refusal('usage', 'There is no unfinished run to go on with.', { next: 'kubectl airunway history' })
  if (!options.dryRun) await refuseWhileUnfinishedIsHeld(context, runs)
  const recorded = await planOf(client, recordNamespace, run.number)
  const resumed = { number: run.number, done: (await openRun(client, recordNamespace, run.number)).done() }
  const plan = options.holdStorage === true ? held(recorded, resumed) : recorded
  const begun = await beforeRun(context, {
    plan,
    show: async () => ({ report: planReport(plan, context) }),
    dryRun: options.dryRun,
    resumed,
  })
  if ('ended' in begun) return begun.ended
  return underLock(context, async (signal, underIt) => {
    const now = unfinishedRun(await listRuns(underIt.client, recordNamespace))
    if (now !== undefined && now.number !== run.number)
      throw new Refusal('usage', `Run ${run.number} is not the one to go on with any more.`, {
        why: 'Another run has changed the installation since.',
        next: 'kubectl airunway history',
      })
    const journal = await openRun(underIt.client, recordNamespace, run.number)
    if (!isUnfinished(journal.summary))
      throw new Refusal('usage', `Run ${run.number} has ended meanwhile.`, { next: 'kubectl airunway history' })
    if (options.holdStorage !== true)
      return { outcome: 'ran', report: await runJournal(underIt, recorded, journal, signal) }
    // A process that was stopped may be about to move a storage version, and nobody writes that definition any more.
    if (beganToMove(recorded, journal)) await outdateRequests({ ...underIt, signal }, journal, run.number)
    const shortened = held(recorded, { number: run.number, done: journal.done() })
    return { outcome: 'ran', report: await runJournal(underIt, shortened, journal, signal) }
  })
}

/** Throws `usage` where the run moves nothing more: whoever asks for this is mistaken about what it does. */
const held = (recorded: Plan, { number, done }: { number: number; done: ReadonlySet<string> }): Plan => {
  if (recorded.kind === 'upgrade' && stillMoving(recorded, done).length > 0) return withStorageHeld(recorded, done)
  if (recorded.kind === 'migration')
    throw new Refusal('usage', `Run ${number} is a migration: --hold-storage ends an upgrade without one.`, {
      next: 'kubectl airunway abort (leaves it as it is: what was rewritten stays rewritten)',
    })
  throw new Refusal('usage', `Run ${number} (${recorded.kind}) does not move stored objects any more.`, {
    next: 'kubectl airunway resume',
  })
}

const beganToMove = ({ steps }: Plan, journal: OpenJournal): boolean => {
  const done = journal.done()
  const begun = new Set(journal.entries.map(({ step }) => step))
  return steps.some(({ kind, id }) => kind === 'flip-storage' && begun.has(id) && !done.has(id))
}
