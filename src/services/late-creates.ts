/** Looks for what processes that were stopped have created after their run had ended, and removes it. */

import type { RunSummary } from '../journal/journal.types.ts'
import { listRuns, readKept } from '../journal/records.ts'
import { isUnfinished } from '../journal/standing.ts'
import { deleteAsRead } from '../kubernetes/delete-as-read.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import { lateCreates } from '../plan/late-creates.ts'
import type { Plan } from '../plan/plan.types.ts'
import { keyOf } from '../plan/reference.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { Refusal } from '../report/refusal.ts'
import type { ChangeContext } from './run-plan.ts'

/** The newest runs that are looked at: a process that was stopped for longer than three runs is not expected to wake. */
const RUNS_LOOKED_AT = 3

/**
 * Nothing while a run is not over: it may go on with what another one made. Else deletes objects that runs could have made and should not have, and that still carry such a run's number.
 * Gives one sentence for each, for people. An object that may not be read or deleted is told, and stays.
 */
export const removeLateCreates = async (context: ChangeContext): Promise<string[]> => {
  const { client, recordNamespace, progress, signal } = context
  const runs = await listRuns(client, recordNamespace)
  if (runs.some(isUnfinished)) return []
  const numbers = new Set(runs.map(({ number }) => String(number)))
  const candidates = new Map<string, ObjectReference>()
  for (const run of runs.slice(0, RUNS_LOOKED_AT)) {
    const plan = await readKept<Plan>(client, recordNamespace, run.number, 'plan').catch(unlessDamaged)
    for (const reference of plan === undefined ? [] : lateCreates(plan, wasGoneBackFrom(run, runs)))
      candidates.set(keyOf(reference), reference)
  }
  const notes: string[] = []
  for (const reference of candidates.values()) {
    const note = await removeOne(client, reference, numbers, signal)
    if (note === undefined) continue
    notes.push(note)
    progress.task('Look for what was created too late').done(note)
  }
  return notes
}

/** What somebody did to the records of an old run is no reason to refuse a new one. */
const unlessDamaged = (error: unknown): undefined => {
  if (!(error instanceof Refusal)) throw error
}

const wasGoneBackFrom = ({ number, state }: RunSummary, runs: readonly RunSummary[]): boolean =>
  state === 'superseded' || runs.some((run) => run.undoes === number && run.state === 'succeeded')

const removeOne = async (
  client: ChangeContext['client'],
  reference: ObjectReference,
  ended: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const { kind, name, namespace } = reference
  const named = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
  let by = ''
  const wanted = ({ metadata }: AnyObject): boolean => {
    by = metadata.labels?.[RUN_LABEL] ?? ''
    return ended.has(by)
  }
  try {
    if (!(await deleteAsRead(client, reference, { wanted, signal }))) return undefined
    return `${named} was created by a stopped process of run ${by} after that run had ended; it was removed.`
  } catch (error) {
    if (!isForbidden(error)) throw error
    return by === ''
      ? undefined
      : `${named} was created by a stopped process of run ${by} after that run had ended; this user may not remove it.`
  }
}
