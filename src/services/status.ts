/** What runs, what was begun and not ended, and what is left behind. Changes nothing. */
import type { Backup } from '../backup/backup.types.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import { takeInventory } from '../installation/take-inventory.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import { Lock, type LockHeld } from '../journal/lock.ts'
import { listRuns, planOf, readKept } from '../journal/records.ts'
import { newestStanding, releaseRuns, unfinishedRun } from '../journal/standing.ts'
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { ApiError, isForbidden } from '../kubernetes/errors.ts'
import type { Plan } from '../plan/plan.types.ts'
import { products } from '../releases/products.ts'
import { Refusal } from '../report/refusal.ts'
import { planRollback } from '../rollback/plan-rollback.ts'
import { componentsOf } from '../status/components.ts'
import { readLeftovers } from '../status/leftovers.ts'
import type { StatusReport, WayBack } from '../status/status.types.ts'
import { BACKUP } from '../steps/back-up.ts'
import { clusterOf } from './cluster-name.ts'
import { runToUndo } from './rollback.ts'
import { waysOn } from './under-lock.ts'

export interface StatusOptions {
  connection: ConnectionFlags
  recordNamespace: string
  now: Date
  signal: AbortSignal
}

/** Throws ApiError and ConnectionError where the cluster or the records cannot be read. */
export const status = async (options: StatusOptions): Promise<StatusReport> => {
  const client = await connect(options.connection)
  try {
    return await statusWith(client, options)
  } finally {
    await client.close()
  }
}

const statusWith = async (
  client: KubernetesClient,
  { recordNamespace, now, signal }: StatusOptions,
): Promise<StatusReport> => {
  const [inventory, records, lock] = await Promise.all([
    // Operators are no part of an installation; each of their CRDs would be a request.
    takeInventory(client, { now, products: products(), operators: [], signal }),
    unlessForbidden(listRuns(client, recordNamespace)),
    unlessForbidden(Lock.holder(client, recordNamespace, now)),
  ])
  // Whoever may look at the installation need not be allowed to read its records: they hold back-ups of Secrets.
  if ('forbidden' in records)
    return {
      metadata: { time: now.toISOString(), cluster: clusterOf(client), recordNamespace },
      components: componentsOf(inventory, undefined),
      unfinished: false,
      waysOn: [],
      ...lockOf(lock),
      unknown: ['lastRun', ...unknownOf(lock)],
      rollback: { possible: false, why: 'The records of runs cannot be read.' },
      leftovers: [],
      unreadable: [
        ...inventory.unreadable,
        { what: `the runs in ${recordNamespace}`, why: records.forbidden },
        ...unreadLock(lock, recordNamespace),
      ],
    }
  const runs = records.read
  const unfinished = unfinishedRun(runs)
  const lastRun = unfinished ?? runs[0]
  // Of a migration there is nothing to tell about components.
  const moved = unfinishedRun(releaseRuns(runs)) ?? releaseRuns(runs)[0]
  const plan = moved === undefined ? undefined : await planOf(client, recordNamespace, moved.number)
  const [{ leftovers, unreadable }, rollback] = await Promise.all([
    readLeftovers(client, inventory, plan, signal),
    wayBack(client, recordNamespace, runs, inventory),
  ])
  const working = unfinished?.state === 'running' && 'read' in lock && lock.read !== undefined
  return {
    metadata: { time: now.toISOString(), cluster: clusterOf(client), recordNamespace },
    components: componentsOf(inventory, plan),
    ...(lastRun === undefined ? {} : { lastRun }),
    unfinished: unfinished !== undefined,
    waysOn: unfinished === undefined || working ? [] : waysOn(asItStands(unfinished, plan, inventory)),
    ...lockOf(lock),
    ...('forbidden' in lock ? { unknown: unknownOf(lock) } : {}),
    rollback,
    leftovers,
    unreadable: [...inventory.unreadable, ...unreadable, ...unreadLock(lock, recordNamespace)],
  }
}

type LockReading = { read: LockHeld | undefined } | { forbidden: string }

const lockOf = (lock: LockReading): Pick<StatusReport, 'lock'> => {
  if (!('read' in lock) || lock.read === undefined) return {}
  const { holder, since } = lock.read
  return { lock: { holder, ...(since === undefined ? {} : { since }) } }
}

const unknownOf = (lock: LockReading): 'lock'[] => ('forbidden' in lock ? ['lock'] : [])

const unreadLock = (lock: LockReading, namespace: string): StatusReport['unreadable'] =>
  'forbidden' in lock ? [{ what: `the lock in ${namespace}`, why: lock.forbidden }] : []

/** A process that died right after it had moved a storage version has not recorded it; the definition tells. */
const asItStands = (run: RunSummary, plan: Plan | undefined, { crds }: Inventory): RunSummary => {
  const moved = plan?.steps.some(
    (step) =>
      step.kind === 'flip-storage' &&
      crds.some(({ name, versions }) => name === step.definition && versions.some(isStoredIn(step.to))),
  )
  return moved === true && run.kind === 'upgrade' ? { ...run, storageMoved: true } : run
}

const isStoredIn =
  (version: string) =>
  ({ name, storage }: { name: string; storage: boolean }): boolean =>
    storage && name === version

/** What was read, or the API server's words where that is not allowed. */
const unlessForbidden = async <T>(reading: Promise<T>): Promise<{ read: T } | { forbidden: string }> => {
  try {
    return { read: await reading }
  } catch (error) {
    if (error instanceof ApiError && isForbidden(error)) return { forbidden: error.message }
    throw error
  }
}

/** The very plan that `rollback` would make, or why it makes none. */
const wayBack = async (
  client: KubernetesClient,
  namespace: string,
  runs: RunSummary[],
  inventory: Inventory,
): Promise<WayBack> => {
  try {
    const run = runToUndo(runs)
    const [plan, backup]: [Plan, Backup | undefined] = await Promise.all([
      planOf(client, namespace, run.number),
      readKept<Backup>(client, namespace, run.number, BACKUP),
    ])
    if (backup === undefined) return { possible: false, why: `Run ${run.number} has no back-up: it changed nothing.` }
    const planned = planRollback({
      run,
      plan,
      backup,
      inventory,
      kind: 'rollback',
      settled: newestStanding(runs)?.state === 'succeeded',
    })
    if ('plan' in planned) return { possible: true, to: planned.plan.to }
    const { message, why } = planned.refused
    return { possible: false, why: why === undefined ? message : `${message} ${why}` }
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'cannot-go-back') return { possible: false, why: error.message }
    throw error
  }
}
