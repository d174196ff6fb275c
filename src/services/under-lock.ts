/** One run at a time: who is refused, who takes the lock and how, and what is looked for before anything else is done under it. */
import type { RunSummary } from '../journal/journal.types.ts'
import { Lock, LockHeld, type LockOptions } from '../journal/lock.ts'
import { ensureRecordNamespace, listRuns } from '../journal/records.ts'
import { unfinishedRun } from '../journal/standing.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import { Refusal } from '../report/refusal.ts'
import { RunStopped } from '../run/execute.ts'
import { removeLateCreates } from './late-creates.ts'
import type { ChangeContext } from './run-plan.ts'

/** What works under the lock is given. */
export interface HeldContext extends ChangeContext {
  /** what was found and put right under the lock; goes into the report */
  notes: string[]
}

/** What to type when a run is not over. An abort is not aborted: that would be the run again that was given up. */
export const waysOn = ({ kind, storageMoved }: Pick<RunSummary, 'kind' | 'storageMoved'>): string[] =>
  kind === 'migration'
    ? [
        'kubectl airunway resume (go on with it)',
        'kubectl airunway abort (leave it as it is: what was rewritten stays rewritten)',
      ]
    : storageMoved === true
      ? [...waysOnAcross]
      : releaseWaysOn(kind)

/** What to type where stored objects have begun to move: whatever else is unfinished, nobody goes back from there. */
const waysOnAcross: readonly string[] = [
  'kubectl airunway resume (go on with it)',
  'kubectl airunway resume --hold-storage (end it as it is; kubectl airunway migrate moves what is left)',
]

const releaseWaysOn = (kind: RunSummary['kind']): string[] => [
  'kubectl airunway resume (go on with it)',
  ...(kind === 'abort' ? [] : ['kubectl airunway abort (undo what it did)']),
  'kubectl airunway rollback (go back to the release before the upgrade)',
]

/** The same as the last line of a refusal. */
export const nextOf = (run: Pick<RunSummary, 'kind' | 'storageMoved'>): string => waysOn(run).join(', or ')

/** Throws `unfinished` where a run is not over, with the ways on; `locked` where somebody still works on it. */
export const refuseWhileUnfinished = async (
  { client, recordNamespace, takeOver }: Pick<ChangeContext, 'client' | 'recordNamespace' | 'takeOver'>,
  /** without it the caller holds the lock itself */
  now?: Date,
): Promise<void> => {
  const runs = await listRuns(client, recordNamespace).catch((error: unknown) => {
    // Whoever may not read the records may not write them either; that is told by name with all other missing rights.
    if (isForbidden(error)) return []
    throw error
  })
  const run = unfinishedRun(runs)
  if (run === undefined) return
  if (run.state === 'running' && now !== undefined) await refuseWhileLocked({ client, recordNamespace, takeOver }, now)
  const ended =
    run.state === 'running' ? 'has not ended' : `${run.state}${run.reason === undefined ? '' : `: ${run.reason}`}`
  throw new Refusal('unfinished', `Run ${run.number} (${run.kind} ${run.from} to ${run.to}) ${ended}.`, {
    why: 'Two runs at once would undo each other, so it has to be brought to an end first.',
    next: nextOf(run),
    details: { run },
  })
}

/** Throws `locked` where another process holds the lock and renews it, unless it is to be taken over. Reads only. */
export const refuseWhileLocked = async (
  {
    client,
    recordNamespace,
    takeOver,
  }: { client: KubernetesClient; recordNamespace: string; takeOver?: boolean | undefined },
  now: Date,
): Promise<void> => {
  if (takeOver === true) return
  const held = await Lock.holder(client, recordNamespace, now)
  if (held !== undefined) throw lockedBy(held)
}

const lockedBy = ({ message, holder, since, lost }: LockHeld): Refusal =>
  new Refusal('locked', message, {
    why: 'Only one run at a time may change an installation.',
    next: lost
      ? 'kubectl airunway history (shows how far the run is, and who goes on with it)'
      : 'kubectl airunway history (shows the run); try again when it has ended, or 30 s after it was killed; or, if that process hangs, the same command with --take-over',
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

const optionsOf = ({ now, signal, lockSeconds, requestLimitMs, takeOver, progress }: ChangeContext): LockOptions => ({
  now,
  signal,
  ...(lockSeconds !== undefined && { lockSeconds }),
  ...(requestLimitMs !== undefined && { requestLimitMs }),
  ...(takeOver !== undefined && { takeOver }),
  onTakeOver: (holder, waitMs, how) => {
    const seconds = Math.ceil(waitMs / 1000)
    progress
      .task('Take over the lock')
      .done(
        how === 'taken'
          ? `The lock was taken from ${holder}; nothing is done for ${seconds} s, until nothing of that run can land any more`
          : `The lock of ${holder} has expired; it is taken over if it stays so for ${seconds} s, when nothing of that run can land any more`,
      )
  },
})

/**
 * Takes the lock for the time of `work`. What processes that were stopped have created since their run ended is removed
 * first. Throws a `locked` Refusal where another process holds the lock, or takes it over meanwhile.
 */
export const underLock = async <T>(
  context: ChangeContext,
  work: (signal: AbortSignal, held: HeldContext) => Promise<T>,
): Promise<T> => {
  await ensureRecordNamespace(context.client, context.recordNamespace)
  const lock = await Lock.acquire(context.client, context.recordNamespace, optionsOf(context)).catch(
    (error: unknown) => {
      throw error instanceof LockHeld ? lockedBy(error) : error
    },
  )
  try {
    const signal = AbortSignal.any([context.signal, lock.lost])
    const client = guarded(context.client, lock)
    const notes = await removeLateCreates({ ...context, client, signal })
    return await work(signal, { ...context, client, notes })
  } catch (error) {
    // Also between steps: whoever sends something without the lock is told the same.
    const cause = error instanceof RunStopped ? error.cause : error
    throw cause instanceof LockHeld ? lockedBy(cause) : error
  } finally {
    await lock.release()
  }
}

/** Throws `locked` where somebody still works on the run that is not over, so that nobody is asked in vain. */
export const refuseWhileUnfinishedIsHeld = async (
  context: ChangeContext,
  runs: readonly RunSummary[],
): Promise<void> => {
  if (unfinishedRun(runs)?.state === 'running') await refuseWhileLocked(context, context.now())
}
