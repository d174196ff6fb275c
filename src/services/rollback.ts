/** Goes back to the release before the last upgrade, from wherever that upgrade ended or stopped. */
import type { Backup } from '../backup/backup.types.ts'
import { takeInventory } from '../installation/take-inventory.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import { listRuns, openRun, planOf, readKept } from '../journal/records.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { planRollback } from '../rollback/plan-rollback.ts'
import { BACKUP } from '../steps/back-up.ts'
import { refuseWithoutAccess } from './check-access.ts'
import {
  type ChangeContext,
  type ChangeRequest,
  isUnfinished,
  planReport,
  runNewPlan,
  underLock,
  withClient,
} from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'

/** Throws `cannot-go-back` with the reason where there is no way, or nothing to go back from. */
export const rollback = async (request: ChangeRequest, options: { dryRun: boolean }): Promise<ChangeResult> =>
  withClient(request, async (context) => rollbackWith(context, options))

const rollbackWith = async (context: ChangeContext, options: { dryRun: boolean }): Promise<ChangeResult> => {
  const { client, recordNamespace, signal } = context
  const run = runToUndo(await listRuns(client, recordNamespace))
  const [original, backup, journal] = await Promise.all([
    planOf(client, recordNamespace, run.number),
    readKept<Backup>(client, recordNamespace, run.number, BACKUP),
    openRun(client, recordNamespace, run.number),
  ])
  if (backup === undefined && journal.done().size > 0)
    throw new Refusal(
      'cannot-go-back',
      `The back-up of run ${run.number} is missing from the namespace ${recordNamespace}.`,
      {
        why: 'The run took it and went on; somebody has deleted Secrets of its records since.',
        next: `kubectl get secrets -n ${recordNamespace} -l cli.airunway.ai/run=${run.number}`,
      },
    )
  if (backup === undefined) return abandon(context, run, options.dryRun)
  const plan = await planBack(context, run, original, backup, signal)
  const report = planReport(plan, context)
  if (options.dryRun) return { outcome: 'planned', report }
  await refuseWithoutAccess(client, plan, recordNamespace, signal)
  if (!(await context.confirm(report))) return { outcome: 'declined', report }
  const ran = await runNewPlan(context, plan, {
    stillSo: async (held) => {
      const now = runToUndo(await listRuns(client, recordNamespace))
      if (now.number !== run.number)
        throw new Refusal('blocked', `Run ${now.number} has been made since; nothing was done.`, {
          next: 'look at it again: kubectl airunway rollback --dry-run',
        })
      return planBack(context, run, original, backup, held)
    },
    undoes: run.number,
    allowUnfinished: true,
  })
  return { outcome: 'ran', report: ran }
}

/** The upgrade that a rollback is about: the newest run, or the one that an unfinished rollback was going back from. */
const runToUndo = (runs: RunSummary[]): RunSummary => {
  // An upgrade that was closed before it changed anything is not what runs.
  const newest = runs.find(({ kind, state }) => kind !== 'upgrade' || state !== 'superseded')
  if (newest === undefined)
    throw new Refusal(
      'cannot-go-back',
      'No upgrade of this installation is recorded, so there is nothing to go back to.',
      {
        why: 'Going back uses the back-up that `kubectl airunway upgrade` takes before it changes anything.',
        next: 'kubectl airunway upgrade --to VERSION, with the version you want to run',
      },
    )
  if (newest.kind === 'upgrade') return newest
  const undone = runs.find(({ number }) => number === newest.undoes)
  if (newest.state === 'succeeded' || undone === undefined)
    throw new Refusal('cannot-go-back', `The last run (${newest.number}) was itself a rollback to ${newest.to}.`, {
      why: 'There is no upgrade after it that could be gone back from.',
      next: 'kubectl airunway upgrade --to VERSION, or kubectl airunway history',
    })
  return undone
}

const planBack = async (
  { client, now }: ChangeContext,
  run: RunSummary,
  plan: Plan,
  backup: Backup,
  signal: AbortSignal,
): Promise<Plan> => {
  const inventory = await takeInventory(client, { now: now(), signal })
  const planned = planRollback({ run, plan, backup, inventory })
  if ('plan' in planned) return planned.plan
  const { message, why, next } = planned.refused
  throw new Refusal('cannot-go-back', message, { why, next })
}

/** The back-up is the first step, so a run without one has changed nothing: it is closed, and that is all. */
const abandon = async (context: ChangeContext, run: RunSummary, dryRun: boolean): Promise<never> => {
  const { recordNamespace, now } = context
  if (!dryRun)
    await underLock(context, async (_signal, held) => {
      const journal = await openRun(held.client, recordNamespace, run.number)
      // It may have gone on, and even ended, before we had the lock.
      if (!isUnfinished(journal.summary) || journal.done().size > 0)
        throw new Refusal('blocked', `Run ${run.number} has gone on meanwhile; nothing was done.`, {
          next: 'look at it again: kubectl airunway rollback --dry-run',
        })
      const reason = 'stopped before it changed anything'
      await journal.settle({ state: 'superseded', finishedAt: now().toISOString(), reason })
    })
  throw new Refusal(
    'cannot-go-back',
    `Run ${run.number} stopped before it changed anything${dryRun ? '' : '; it is closed now'}.`,
    {
      why: `${run.from} runs as before.`,
      next: `kubectl airunway upgrade --to ${run.to}`,
    },
  )
}
