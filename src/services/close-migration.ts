/**
 * Ends a migration that stopped half-way. Nothing is taken back: an object that was rewritten is read as before in every
 * version that the definition has, and to store it in the old one again would be another migration.
 */
import type { RunSummary } from '../journal/journal.types.ts'
import { type OpenJournal, openRun, planOf } from '../journal/records.ts'
import { isUnfinished } from '../journal/standing.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { withdraw } from '../migration/in-tree.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { clusterOf } from './cluster-name.ts'
import { outdateRequests } from './outdate-requests.ts'
import type { ChangeContext } from './run-plan.ts'
import type { ChangeResult, ClosedRun } from './run-report.types.ts'
import { underLock } from './under-lock.ts'

/** Closes the run, and says what stays. Throws `blocked` where it has gone on meanwhile. */
export const closeMigration = async (
  context: ChangeContext,
  run: RunSummary,
  { dryRun }: { dryRun: boolean },
): Promise<ChangeResult> => {
  const { client, recordNamespace, now } = context
  const metadata = { time: now().toISOString(), cluster: clusterOf(client), recordNamespace }
  const plan = await planOf(client, recordNamespace, run.number)
  const journal = await openRun(client, recordNamespace, run.number)
  if (dryRun)
    return {
      outcome: 'closed',
      report: { metadata, run, closed: false, ...(await whatIs(context, plan, journal)) },
    }
  return underLock(context, async (signal, held) => {
    const own = await openRun(held.client, recordNamespace, run.number)
    if (!isUnfinished(own.summary))
      throw new Refusal('blocked', `Run ${run.number} has ended meanwhile; nothing was done.`, {
        next: 'kubectl airunway history',
      })
    // A stopped process may be about to move the storage flag: what it has read is changed under it first.
    await outdateRequests({ ...held, signal }, own, run.number)
    const withdrawn = await askedNoMore(held, plan, signal)
    const { stays, next } = await whatIs(held, plan, own)
    await own.settle({ state: 'superseded', finishedAt: now().toISOString(), reason: 'closed; nothing is taken back' })
    const report = { metadata, run: own.summary, closed: true, stays: [...stays, ...withdrawn], next }
    return { outcome: 'closed', report }
  })
}

/** The cluster's own migrator is not to go on with a migration that is closed. */
const askedNoMore = async (
  { client }: Pick<ChangeContext, 'client'>,
  { steps }: Plan,
  signal: AbortSignal,
): Promise<string[]> => {
  const told: string[] = []
  for (const step of steps) {
    if (step.kind !== 'migrate' || step.engine !== 'in-tree') continue
    const names = await withdraw(client, step.definition, signal)
    told.push(
      ...names.map(
        (name) => `The cluster's own migrator was asked for it: StorageVersionMigration ${name} is deleted.`,
      ),
    )
  }
  return told
}

/** One sentence for each definition of the plan, by what the cluster says now, and the command for those that are left. */
const whatIs = async (
  { client, signal }: Pick<ChangeContext, 'client' | 'signal'>,
  { steps }: Plan,
  journal: OpenJournal,
): Promise<Required<Pick<ClosedRun, 'stays' | 'next'>>> => {
  const done = journal.done()
  const begun = new Set(journal.entries.map(({ step }) => step))
  const told: string[] = []
  const left: { definition: string; storageVersion?: string }[] = []
  for (const step of steps) {
    if (step.kind !== 'migrate') continue
    const { definition, uid, storageVersion } = step
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: definition }
    const live = await client.find<CustomResourceDefinition>(reference, signal)
    if (live?.metadata.uid !== uid) {
      told.push(`${definition} is gone, or was made anew.`)
      continue
    }
    const storage = live.spec.versions.find((version) => version.storage)?.name
    const state = `storage version ${storage}, storedVersions ${(live.status?.storedVersions ?? []).join(', ')}`
    if (done.has(step.id)) {
      told.push(`${definition} is migrated (${state}).`)
      continue
    }
    left.push({ definition, ...(storage !== storageVersion && { storageVersion }) })
    if (begun.has(step.id))
      told.push(`${definition}: some objects are stored in ${storageVersion}, others may not be (${state}).`)
    else told.push(`${definition}: no object was rewritten (${state}).`)
  }
  return { stays: told, next: commandFor(left) }
}

/** Nothing else than this run was about: without names it would be the definitions of AI Runway. */
const commandFor = (left: readonly { definition: string; storageVersion?: string }[]): string =>
  left.length === 0
    ? 'kubectl airunway migrate --all --dry-run'
    : [
        'kubectl airunway migrate',
        ...left.map(({ definition }) => definition),
        ...left.flatMap(({ definition, storageVersion }) =>
          storageVersion === undefined ? [] : [`--storage ${definition}=${storageVersion}`],
        ),
      ].join(' ')
