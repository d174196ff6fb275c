/** Mends an installation that a hop by hand has left unreadable, where no run is left that could be gone back from. */
import type { Backup } from '../backup/backup.types.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import { takeInventory } from '../installation/take-inventory.ts'
import { listRuns, readKept } from '../journal/records.ts'
import { unfinishedRun } from '../journal/standing.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import type { Plan } from '../plan/plan.types.ts'
import { planMend } from '../rollback/mend.ts'
import { BACKUP } from '../steps/back-up.ts'
import { beforeRun } from './before-run.ts'
import { type ChangeContext, planReport, runNewPlan } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'

/** Undefined where there is nothing to mend. Throws Refusal as every change does. */
export const mend = async (
  context: ChangeContext,
  { dryRun }: { dryRun: boolean },
): Promise<ChangeResult | undefined> => {
  if (unfinishedRun(await listRuns(context.client, context.recordNamespace)) !== undefined) return undefined
  const planned = await planNow(context, context.signal)
  if (planned === undefined) return undefined
  const { plan, inventory } = planned
  const show = async () => ({ report: planReport(plan, context) })
  const begun = await beforeRun(context, { plan, show, dryRun, inventory })
  if ('ended' in begun) return begun.ended
  const ran = await runNewPlan(context, plan, {
    stillSo: async (signal) => (await planNow(context, signal))?.plan ?? { ...plan, hash: 'nothing to mend' },
  })
  return { outcome: 'ran', report: ran }
}

const planNow = async (
  context: ChangeContext,
  signal: AbortSignal,
): Promise<{ plan: Plan; inventory: Inventory } | undefined> => {
  const { client, now } = context
  const inventory = await takeInventory(client, { now: now(), signal })
  const [install] = inventory.installs
  const state = inventory.crds.find(({ name }) => name === install?.product.crds.inferenceProviderConfigs)
  const version = state?.versions.find(({ served, storage }) => served && storage)?.name
  if (install === undefined || state === undefined || version === undefined) return undefined
  const collection = { apiVersion: `${state.group}/${version}`, kind: state.kind }
  const listed = await client.list<AnyObject>(collection, { signal })
  const configs = listed.map((object) => ({ ...object, ...collection }))
  const plan = planMend({ inventory, install, configs, saved: [] })
  if (plan === undefined) return undefined
  const saved = await savedConfigs(context, collection)
  return { plan: planMend({ inventory, install, configs, saved }) ?? plan, inventory }
}

/** Of all runs that are recorded, the newest first. A back-up that is gone is none. */
const savedConfigs = async (
  { client, recordNamespace }: ChangeContext,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): Promise<AnyObject[]> => {
  const found: AnyObject[] = []
  for (const { number } of await listRuns(client, recordNamespace)) {
    const backup = await readKept<Backup>(client, recordNamespace, number, BACKUP)
    for (const object of backup?.collections[`${apiVersion} ${kind}`] ?? []) found.push({ ...object, apiVersion, kind })
  }
  return found
}
