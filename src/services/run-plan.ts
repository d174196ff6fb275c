/**
 * Carries a plan out under the lock: the same way for upgrades, rollbacks and resumed runs. What decides happened before;
 * here it is made sure that it still holds, and that the records tell how far it went.
 */
import { userInfo } from 'node:os'
import type { JournalEntry, RunSummary } from '../journal/journal.types.ts'
import { Lock, LockHeld } from '../journal/lock.ts'
import {
  beginRun,
  ensureRecordNamespace,
  JournalLost,
  listRuns,
  type OpenJournal,
  openRun,
  pruneRuns,
} from '../journal/records.ts'
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import { describeStep } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.types.ts'
import { windowsOf } from '../plan/windows.ts'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { execute, RunStopped, type StepResult } from '../run/execute.ts'
import { clusterOf } from './cluster-name.ts'
import type { PlanReport, RunReport } from './run-report.types.ts'

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
  /** how long the request of a dead process may still land; tests shorten it */
  requestLimitMs?: number
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

/** States of a run that is not over: it can be resumed, or gone back from. */
export const isUnfinished = (run: RunSummary): boolean => ['running', 'failed', 'interrupted'].includes(run.state)

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

/** Throws `unfinished` where the newest run is not over, with the ways on. */
export const refuseWhileUnfinished = async (
  client: KubernetesClient,
  namespace: string,
  /** without it the caller holds the lock itself */
  now?: Date,
): Promise<void> => {
  const [newest] = await listRuns(client, namespace).catch((error: unknown) => {
    // Whoever may not read the records may not write them either; that is told by name with all other missing rights.
    if (isForbidden(error)) return []
    throw error
  })
  if (newest === undefined || !isUnfinished(newest)) return
  const held = newest.state === 'running' && now !== undefined ? await Lock.holder(client, namespace, now) : undefined
  if (held !== undefined) throw lockedBy(held)
  const ended =
    newest.state === 'running'
      ? 'has not ended'
      : `${newest.state}${newest.reason === undefined ? '' : `: ${newest.reason}`}`
  throw new Refusal('unfinished', `Run ${newest.number} (${newest.kind} ${newest.from} to ${newest.to}) ${ended}.`, {
    why: 'Two runs at once would undo each other, so it has to be brought to an end first.',
    next: 'kubectl airunway resume (go on with it), or kubectl airunway rollback (go back)',
    details: { run: newest },
  })
}

const lockedBy = ({ message, holder, since }: LockHeld): Refusal =>
  new Refusal('locked', message, {
    why: 'Only one run at a time may change an installation.',
    next: 'kubectl airunway history (shows the run); try again when it has ended, or 30 s after it was killed',
    details: { holder, since },
  })

/** The client of a holder of the lock: sends nothing once the lock is lost. */
const guarded = (client: KubernetesClient, lock: Lock): KubernetesClient =>
  new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        lock.check()
        return Reflect.apply(value, target, given)
      }
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

/** Takes the lock for the time of `work`. Throws a `locked` Refusal where another process holds it. */
export const underLock = async <T>(
  context: ChangeContext,
  work: (signal: AbortSignal, held: ChangeContext) => Promise<T>,
): Promise<T> => {
  await ensureRecordNamespace(context.client, context.recordNamespace)
  let lock: Lock
  try {
    lock = await Lock.acquire(context.client, context.recordNamespace, {
      now: context.now,
      signal: context.signal,
      ...(context.requestLimitMs === undefined ? {} : { requestLimitMs: context.requestLimitMs }),
      onTakeOver: (holder, waitMs) => {
        context.progress
          .task('Take over the lock')
          .done(
            `The lock of ${holder} has expired; it is taken over if it stays so for ${waitMs / 1000} s, when nothing of that run can land any more`,
          )
      },
    })
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error
    throw lockedBy(error)
  }
  try {
    return await work(AbortSignal.any([context.signal, lock.lost]), {
      ...context,
      client: guarded(context.client, lock),
    })
  } catch (error) {
    // Also between steps: whoever sends something without the lock is told the same.
    const cause = error instanceof RunStopped ? error.cause : error
    throw cause instanceof LockHeld ? lockedBy(cause) : error
  } finally {
    await lock.release()
  }
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
    if (options.allowUnfinished !== true) await refuseWhileUnfinished(held.client, held.recordNamespace)
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
  context: ChangeContext,
  plan: Plan,
  journal: OpenJournal,
  signal: AbortSignal,
): Promise<RunReport> => {
  const started = performance.now()
  await supersede(context, journal.summary)
  const results = await executed(context, plan, journal, signal)
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
    notes: plan.notes,
    wayBack: plan.wayBack,
    measured: measured(plan, journal.entries),
  }
}

/** The run that is gone back from is over; and a stopped process that still believes it owns it fails at its next write. */
const supersede = async ({ client, recordNamespace, now }: ChangeContext, run: RunSummary): Promise<void> => {
  if (run.undoes === undefined) return
  const undone = await openRun(client, recordNamespace, run.undoes)
  if (isUnfinished(undone.summary))
    await undone.settle({
      state: 'superseded',
      finishedAt: now().toISOString(),
      reason: `run ${run.number} went back from it`,
    })
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
        why: `${error.message}${error.message.endsWith('.') ? '' : '.'} ${error.recorded ? `Run ${number} is recorded up to there.` : `That could not be written to the records of run ${number} in ${context.recordNamespace}.`}`,
        next: error.recorded
          ? 'kubectl airunway resume (go on), or kubectl airunway rollback (go back)'
          : 'kubectl airunway history: if the run is there, resume it or roll it back; if not, only the release itself is left to apply',
        details: { run: journal.summary, step: error.step.id, done: error.results.map(({ step }) => step) },
        cause: error,
      },
    )
  }
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

/** The comparison with the baseline is the evidence of the plan's last step. */
const workloadsOf = (results: StepResult[], plan: Plan): RunReport['workloads'] => {
  const compare = plan.steps.find(({ kind }) => kind === 'compare-baseline')
  const evidence = results.find(({ step }) => step === compare?.id)?.evidence ?? {}
  return {
    compared: evidence['compared'] === true,
    children: Number(evidence['children'] ?? 0),
    disturbed: Number(evidence['disturbed'] ?? 0),
    changes: (evidence['changes'] as string[] | undefined) ?? [],
  }
}
