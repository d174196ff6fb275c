/**
 * Carries a plan out under the lock: the same way for upgrades, rollbacks and resumed runs. What decides happened before;
 * here it is made sure that it still holds, and that the records tell how far it went.
 */
import { userInfo } from 'node:os'
import type { JournalEntry, RunSummary } from '../journal/journal.types.ts'
import { LockHeld } from '../journal/lock.ts'
import { beginRun, JournalLost, listRuns, type OpenJournal, openRun, pruneRuns } from '../journal/records.ts'
import { isUnfinished } from '../journal/standing.ts'
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { ApiError } from '../kubernetes/errors.ts'
import { isOutage } from '../kubernetes/outage.ts'
import { describeStep } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.types.ts'
import { windowsOf } from '../plan/windows.ts'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { execute, RunStopped, type StepResult } from '../run/execute.ts'
import { clusterOf } from './cluster-name.ts'
import { removeLateCreates } from './late-creates.ts'
import type { MigratedDefinition } from './migration-report.types.ts'
import { outdateRequests } from './outdate-requests.ts'
import type { PlanReport, RunReport } from './run-report.types.ts'
import { type HeldContext, nextOf, refuseWhileUnfinished, underLock } from './under-lock.ts'

/** What every service that changes a cluster is given. */
export interface ChangeContext {
  client: KubernetesClient
  recordNamespace: string
  now(): Date
  /** the date that support tables are read by */
  today: Date
  progress: Progress
  signal: AbortSignal
  /** asks a person whether to go on with the plan that was shown */
  confirm(plan: PlanReport): Promise<boolean>
  /** how long the lock lasts without being renewed; tests shorten it */
  lockSeconds?: number
  /** how long the request of a dead process may still land; tests shorten it */
  requestLimitMs?: number
  /** takes the lock from its holder at once: it hangs, or its machine sleeps */
  takeOver?: boolean
  /** a file that the back-up is written to as well */
  backupFile?: string
  /** size of a back-up, compressed, from which on a file is asked for; tests lower it */
  backupLimitBytes?: number
  /** gives the rights that the run needs, for this user, instead of running */
  printRbac?: { user?: string }
}

/** The same, before there is a connection. */
export interface ChangeRequest extends Omit<ChangeContext, 'client'> {
  connection: ConnectionFlags
}

/** Connects for the time of `work`. */
export const withClient = async <T>(
  { connection, ...rest }: ChangeRequest,
  work: (context: ChangeContext) => Promise<T>,
): Promise<T> => {
  const client = await connect(connection)
  try {
    return await work({ ...rest, client })
  } finally {
    await client.close()
  }
}

/** The plan as it is shown to people. */
export const planReport = (plan: Plan, context: { client: KubernetesClient; now(): Date }): PlanReport => ({
  metadata: { time: context.now().toISOString(), cluster: clusterOf(context.client) },
  plan: {
    ...plan,
    steps: plan.steps.map((step) => ({
      id: step.id,
      kind: step.kind,
      title: step.title,
      description: describeStep(step),
    })),
  },
})

const startedBy = (client: KubernetesClient): string => {
  let local = 'unknown'
  try {
    local = userInfo().username
  } catch {
    // A container may run under a uid that has no name.
  }
  return client.connection.user ?? local
}

/**
 * Runs a new plan. `stillSo` plans anew under the lock: where that gives another plan, somebody changed the cluster after
 * the plan was shown, and nothing is done.
 */
export const runNewPlan = async (
  context: ChangeContext,
  plan: Plan,
  options: { stillSo(signal: AbortSignal): Promise<Plan>; undoes?: number; allowUnfinished?: boolean },
): Promise<RunReport> =>
  underLock(context, async (signal, held) => {
    if (options.allowUnfinished !== true) await refuseWhileUnfinished(held)
    const again = await options.stillSo(signal)
    if (again.hash !== plan.hash)
      throw new Refusal('blocked', 'The cluster changed after the plan was made; nothing was done.', {
        why: `The plan would be another one now (${again.hash} instead of ${plan.hash}).`,
        next: `look at it again: kubectl airunway ${plan.kind} --dry-run`,
      })
    const journal = await beginRun(held.client, context.recordNamespace, plan, {
      by: startedBy(context.client),
      now: context.now(),
      ...(options.undoes === undefined ? {} : { undoes: options.undoes }),
    })
    return runJournal(held, plan, journal, signal)
  })

/** Carries on with a run that has a journal. Throws a Refusal (`failed`, `interrupted`) that says where it stopped. */
export const runJournal = async (
  context: HeldContext,
  plan: Plan,
  journal: OpenJournal,
  signal: AbortSignal,
): Promise<RunReport> => {
  const started = performance.now()
  await supersede({ ...context, signal }, journal.summary)
  const results = await executed(context, plan, journal, signal)
  // The run has succeeded; what cannot be looked for now is looked for by the next command.
  const late = await removeLateCreates({ ...context, signal }).catch(() => [])
  // Records that are left over are removed by the next run; this one has succeeded.
  await pruneRuns(context.client, context.recordNamespace).catch(() => [])
  return {
    metadata: {
      time: context.now().toISOString(),
      cluster: clusterOf(context.client),
      recordNamespace: context.recordNamespace,
    },
    run: journal.summary,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    steps: results.map(({ step, ...rest }) => ({ id: step, ...rest })),
    workloads: workloadsOf(results, plan),
    notes: [...plan.notes, ...context.notes, ...late],
    wayBack: plan.wayBack,
    measured: measured(plan, journal.entries),
    ...migratedOf(plan, results),
    ...(plan.heldStorage !== undefined && { heldStorage: plan.heldStorage }),
    ...(plan.notMigrated !== undefined && { notMigrated: plan.notMigrated }),
  }
}

/**
 * What an earlier run has left unfinished is over: this one takes its place. A stopped process that still believes it owns
 * that run fails at its next write of the records, and first of all what it may have been about to write.
 */
const supersede = async (context: ChangeContext, run: RunSummary): Promise<void> => {
  if (run.undoes === undefined) return
  const { client, recordNamespace, now } = context
  for (const { number } of (await listRuns(client, recordNamespace)).filter(isUnfinished)) {
    if (number >= run.number) continue
    const undone = await openRun(client, recordNamespace, number)
    await outdateRequests(context, undone, run.number)
    await undone.settle({
      state: 'superseded',
      finishedAt: now().toISOString(),
      reason: `run ${run.number} went back from it`,
      supersededBy: run.number,
    })
  }
}

const executed = async (
  context: ChangeContext,
  plan: Plan,
  journal: OpenJournal,
  signal: AbortSignal,
): Promise<StepResult[]> => {
  try {
    return await execute(plan, {
      client: context.client,
      journal,
      signal,
      progress: context.progress,
      now: context.now,
      ...(context.backupFile === undefined ? {} : { backupFile: context.backupFile }),
    })
  } catch (error) {
    if (error instanceof JournalLost)
      throw new Refusal('locked', error.message, { next: 'kubectl airunway history', cause: error })
    if (!(error instanceof RunStopped)) throw error
    if (error.cause instanceof LockHeld) throw error.cause
    const { number, kind } = journal.summary
    throw new Refusal(
      error.interrupted ? 'interrupted' : 'failed',
      `The ${kind} ${error.interrupted ? 'was interrupted' : 'stopped'} in step ${error.step.id} (${error.step.title}).`,
      {
        why: whyStopped(error, `${number} in ${context.recordNamespace}`),
        next: nextAfter(error, waysFrom(error, journal.summary)),
        details: { run: journal.summary, step: error.step.id, done: error.results.map(({ step }) => step) },
        cause: error,
      },
    )
  }
}

/** Where objects cannot be moved, the upgrade may also end without. */
const waysFrom = ({ step }: RunStopped, run: RunSummary): string =>
  step.kind === 'check-migration' ? `${nextOf(run)}, or ${END_WITHOUT}` : nextOf(run)

const END_WITHOUT = 'kubectl airunway resume --hold-storage (end the upgrade; objects stay stored as they are)'

/** The API server does not answer us any more, or does not know us any more: the records are there all the same. */
const isUnheard = ({ cause }: RunStopped): boolean =>
  isOutage(cause) || (cause instanceof ApiError && cause.code === 401)

const whyStopped = (stopped: RunStopped, records: string): string => {
  const told =
    stopped.cause instanceof ApiError && stopped.cause.code === 401
      ? 'The API server does not accept the credentials of this process any more (401).'
      : `${stopped.message}${stopped.message.endsWith('.') ? '' : '.'}`
  if (stopped.recorded) return `${told} Run ${records.split(' ')[0]} is recorded up to there.`
  return `${told} That could not be written to the records of run ${records}${isUnheard(stopped) ? ', which end with the beginning of this step' : ''}.`
}

const nextAfter = (stopped: RunStopped, next: string): string => {
  if (stopped.recorded) return next
  if (isOutage(stopped.cause)) return `when the API server answers again: ${next}`
  if (isUnheard(stopped)) return `log in again, then: ${next}`
  return `kubectl airunway history; if the run is there: ${next}; if not, only the release itself is left to apply`
}

/** The result of each definition is the evidence of its step, where that was carried out. */
const migratedOf = ({ kind, steps }: Plan, results: readonly StepResult[]): Pick<RunReport, 'migrated'> => {
  const ids = new Set(steps.flatMap((step) => (step.kind === 'migrate' ? [step.id] : [])))
  const migrated = results.flatMap(({ step, evidence }) =>
    ids.has(step) ? [evidence as unknown as MigratedDefinition] : [],
  )
  return kind === 'migration' || migrated.length > 0 ? { migrated } : {}
}

/** How long the windows of the plan were open, by the times in the journal: at most, because the proof comes after. */
const measured = (plan: Plan, entries: readonly JournalEntry[]): RunReport['measured'] =>
  windowsOf(plan).flatMap(({ what, from, until }) => {
    const [start, end] = [from, until].map(
      (id) => entries.find(({ step, event }) => step === id && event === 'done')?.at,
    )
    if (start === undefined || end === undefined) return []
    return [{ what, seconds: Math.round((Date.parse(end) - Date.parse(start)) / 100) / 10 }]
  })

/** The comparison with the baseline is the evidence of the plan's last step of that kind. */
const workloadsOf = (results: StepResult[], plan: Plan): RunReport['workloads'] => {
  const compare = plan.steps.findLast(({ kind }) => kind === 'compare-baseline')
  const evidence = results.find(({ step }) => step === compare?.id)?.evidence ?? {}
  return {
    compared: evidence['compared'] === true,
    children: Number(evidence['children'] ?? 0),
    disturbed: Number(evidence['disturbed'] ?? 0),
    changes: (evidence['changes'] as string[] | undefined) ?? [],
  }
}
