/** Goes back from a run with the back-up that it took: what `rollback` and `abort` share. */
import type { Backup } from '../backup/backup.types.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import { takeInventory } from '../installation/take-inventory.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import { listRuns, openRun, planOf, readKept } from '../journal/records.ts'
import { isUnfinished, newestStanding } from '../journal/standing.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { planRollback } from '../rollback/plan-rollback.ts'
import { BACKUP } from '../steps/back-up.ts'
import { beforeRun } from './before-run.ts'
import { clusterOf } from './cluster-name.ts'
import { type ChangeContext, planReport, runNewPlan } from './run-plan.ts'
import type { ChangeResult, ClosedRun } from './run-report.types.ts'
import { underLock } from './under-lock.ts'

export interface WayBack {
  kind: 'rollback' | 'abort'
  dryRun: boolean
  /** which run it is about; asked again under the lock. Throws Refusal where there is none. */
  choose(runs: readonly RunSummary[]): RunSummary
}

/**
 * Plans the way back and carries it out; gives a closed run where it had not changed anything yet. Throws `cannot-go-back` with
 * the reason where there is no way, `blocked` where another run came in between.
 */
export const goBack = async (
  context: ChangeContext,
  way: WayBack,
): Promise<ChangeResult | { outcome: 'closed'; report: ClosedRun }> => {
  const { client, recordNamespace } = context
  const run = way.choose(await listRuns(client, recordNamespace))
  const [original, backup, journal] = await Promise.all([
    planOf(client, recordNamespace, run.number),
    readKept<Backup>(client, recordNamespace, run.number, BACKUP),
    openRun(client, recordNamespace, run.number),
  ])
  if (backup === undefined && journal.done().size > 0) throw backupMissing(run, recordNamespace)
  if (backup === undefined) return close(context, run, way)
  const planned = async (signal: AbortSignal) => planBack(context, { run, plan: original, backup }, way.kind, signal)
  const { plan, inventory } = await planned(context.signal)
  const show = async () => ({ report: planReport(plan, context) })
  const begun = await beforeRun(context, { plan, show, dryRun: way.dryRun, inventory })
  if ('ended' in begun) return begun.ended
  const ran = await runNewPlan(context, plan, {
    stillSo: async (signal) => {
      const now = way.choose(await listRuns(client, recordNamespace))
      if (now.number !== run.number) throw goneOn(`Run ${now.number} has been made since`, way)
      return (await planned(signal)).plan
    },
    undoes: run.number,
    allowUnfinished: true,
  })
  return { outcome: 'ran', report: ran }
}

const planBack = async (
  { client, recordNamespace, now }: ChangeContext,
  undone: { run: RunSummary; plan: Plan; backup: Backup },
  kind: WayBack['kind'],
  signal: AbortSignal,
): Promise<{ plan: Plan; inventory: Inventory }> => {
  const inventory = await takeInventory(client, { now: now(), signal })
  // Where a later run has begun and not ended, what is on the cluster is the end of neither.
  const settled = newestStanding(await listRuns(client, recordNamespace))?.state === 'succeeded'
  const planned = planRollback({ ...undone, inventory, kind, settled })
  if ('plan' in planned) return { plan: planned.plan, inventory }
  const { message, why, next } = planned.refused
  throw new Refusal('cannot-go-back', message, { why, next })
}

/** The back-up is the first step, so a run without one has changed nothing: it is closed, and that is all. */
const close = async (
  context: ChangeContext,
  run: RunSummary,
  way: WayBack,
): Promise<{ outcome: 'closed'; report: ClosedRun }> => {
  const { client, recordNamespace, now } = context
  const metadata = { time: now().toISOString(), cluster: clusterOf(client), recordNamespace }
  if (way.dryRun) return { outcome: 'closed', report: { metadata, run, closed: false } }
  return underLock(context, async (_signal, held) => {
    const journal = await openRun(held.client, recordNamespace, run.number)
    // It may have gone on, and even ended, before we had the lock.
    if (!isUnfinished(journal.summary) || journal.done().size > 0)
      throw goneOn(`Run ${run.number} has gone on meanwhile`, way)
    const reason = 'stopped before it changed anything'
    await journal.settle({ state: 'superseded', finishedAt: now().toISOString(), reason })
    return { outcome: 'closed', report: { metadata, run: journal.summary, closed: true } }
  })
}

const goneOn = (what: string, { kind }: WayBack): Refusal =>
  new Refusal('blocked', `${what}; nothing was done.`, { next: `look at it again: kubectl airunway ${kind} --dry-run` })

const backupMissing = ({ number }: RunSummary, recordNamespace: string): Refusal =>
  new Refusal('cannot-go-back', `The back-up of run ${number} is missing from the namespace ${recordNamespace}.`, {
    why: 'The run took it and went on; somebody has deleted Secrets of its records since.',
    next: `kubectl get secrets -n ${recordNamespace} -l cli.airunway.ai/run=${number}`,
  })
