/** The verb `migrate`: survey, judge, plan, ask, and carry the plan out under the lock like any other run. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { hasOwnMigrator } from '../migration/in-tree.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import { lossName, parseAcceptedLosses } from './accepted-losses.ts'
import { beforeRun } from './before-run.ts'
import { clusterOf } from './cluster-name.ts'
import { type Decided, type MigrationOptions, migrationPlan, type ToMigrate } from './migration-plan.ts'
import { lossesByFullName, refuseOdd, type ScopeOptions, scopeOf } from './migration-scope.ts'
import { type Judged, type JudgeOptions, judge } from './migration-survey.ts'
import { type ChangeContext, type ChangeRequest, planReport, runNewPlan, withClient } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'
import { refuseWhileUnfinished } from './under-lock.ts'

export interface MigrateOptions extends ScopeOptions, Omit<JudgeOptions, 'acceptedLosses'> {
  maxInFlight: number
  maxQps?: number | undefined
  /** `DEFINITION:^.spec.field=reason`, each */
  acceptLoss: readonly string[]
  engine: 'own' | 'in-tree'
  dryRun: boolean
  /** instead of the API server's limit for writes; for tests, which do not wait that long */
  lateWriteSeconds?: number | undefined
}

/**
 * Throws Refusal: `usage` for input, `blocked` for what stands in the way, missing rights and losses that nobody has accepted,
 * `unfinished` and `locked` for other runs, `failed` and `interrupted` where the run stopped.
 */
export const migrateDefinitions = async (request: ChangeRequest, options: MigrateOptions): Promise<ChangeResult> => {
  refuseOdd(options)
  const acceptedLosses = parseAcceptedLosses(options.acceptLoss)
  return withClient(request, async (context) => migrateWith(context, { ...options, acceptedLosses }))
}

const migrateWith = async (context: ChangeContext, options: MigrateOptions & JudgeOptions): Promise<ChangeResult> => {
  await refuseWhileUnfinished(context, context.now())
  await refuseWithoutMigrator(context, options)
  const scope = await scopeOf(context, options)
  const acceptedLosses = await lossesByFullName(context, options.acceptedLosses)
  const judged = await judge(context, scope, { ...options, acceptedLosses })
  refuseUnknown(judged, { ...options, storage: scope.storage, acceptedLosses })
  const metadata = { time: context.now().toISOString(), cluster: clusterOf(context.client) }
  const { refusal, chosen } = judged
  // A dry run shows all that it found; one that is to be carried out ends here if it must not be.
  const isRead = options.dryRun || context.printRbac !== undefined
  if (refusal !== undefined && (!isRead || chosen.length === 0)) throw refusal
  if (chosen.length === 0)
    return {
      outcome: 'nothing-to-migrate',
      report: { metadata, definitions: judged.rows, notes: [...judged.decided.notes, ...unlooked(judged, options)] },
    }
  const settings = settingsOf(options)
  const plan = migrationPlan(chosen, judged.decided, settings)
  const blocked =
    refusal === undefined ? {} : { blocked: { message: refusal.message, why: refusal.why, next: refusal.next } }
  const show = async () => ({ report: { ...planReport(plan, context), survey: judged.rows, ...blocked } })
  const begun = await beforeRun(context, { plan, show, dryRun: options.dryRun })
  if ('ended' in begun) return begun.ended
  const report = await runNewPlan(context, plan, {
    stillSo: async (signal) => planAgain({ ...context, signal }, chosen, judged.decided, settings),
  })
  return { outcome: 'ran', report }
}

/** Before a storage version moves: whoever goes on with the run later cannot ask for the other engine. */
const refuseWithoutMigrator = async (
  { client, printRbac }: ChangeContext,
  { engine }: Pick<MigrateOptions, 'engine'>,
): Promise<void> => {
  if (engine !== 'in-tree' || printRbac !== undefined || (await hasOwnMigrator(client))) return
  throw new Refusal('blocked', 'This cluster has no migrator of its own. Nothing was written.', {
    why: 'storagemigration.k8s.io is not served.',
    next: 'the same command without --engine in-tree',
  })
}

/** Status is what somebody wrote there: nobody has looked at an object. */
const unlooked = ({ rows }: Judged, { all }: MigrateOptions): string[] => {
  const named = all ? 'DEFINITION' : rows.map(({ definition }) => definition).join(' ')
  return [
    `No object was looked at, for status names one version alone. Where somebody may have trimmed it by hand, kubectl airunway migrate ${named} --force-scan looks at them all the same.`,
  ]
}

const settingsOf = (options: MigrateOptions): MigrationOptions => ({
  limits: { maxInFlight: options.maxInFlight, ...(options.maxQps !== undefined && { maxQps: options.maxQps }) },
  engine: options.engine,
  force: options.forceScan,
  ...(options.lateWriteSeconds !== undefined && { lateWriteSeconds: options.lateWriteSeconds }),
})

/** A version or a definition that was named and is not there is a mistake, not something to pass over. */
const refuseUnknown = (
  { rows }: Judged,
  { storage, names, all, acceptedLosses }: MigrateOptions & Pick<JudgeOptions, 'acceptedLosses'>,
): void => {
  if (rows.length === 0 && !all && names.length === 0)
    throw new Refusal('usage', 'There are no definitions of AI Runway on this cluster.', {
      next: 'kubectl airunway migrate DEFINITION, or kubectl airunway migrate --all',
    })
  for (const [definition, version] of Object.entries(storage)) {
    const row = rows.find((each) => each.definition === definition)
    const isSet = row === undefined || row.flipTo === version || row.storageVersion === version
    if (isSet || row.blockers.length > 0) continue
    throw new Refusal('usage', `${definition} has no version ${version} that could be its storage version.`, {
      next: `kubectl get crd ${definition}`,
    })
  }
  // With --all, one that needs nothing any more is not among them.
  const odd = all ? undefined : acceptedLosses.find((loss) => rows.every((row) => row.definition !== loss.definition))
  if (odd !== undefined)
    throw new Refusal(
      'usage',
      `--accept-loss ${lossName(odd.definition, odd.path)}: ${odd.definition} is not migrated by this.`,
      {
        why: `Migrated would be ${rows.map(({ definition }) => definition).join(', ')}.`,
        next: `kubectl airunway migrate ${[...rows.map(({ definition }) => definition), odd.definition].join(' ')} --dry-run`,
      },
    )
}

/** The plan as it would be made now: what it depends on are the definitions. */
const planAgain = async (
  { client, signal }: ChangeContext,
  chosen: readonly ToMigrate[],
  decided: Decided,
  settings: MigrationOptions,
): Promise<Plan> => {
  const now = await Promise.all(
    chosen.map(async (each): Promise<ToMigrate[]> => {
      const { apiVersion, kind, metadata } = each.crd
      const reference = { apiVersion, kind, name: metadata.name }
      const crd = await client.find<CustomResourceDefinition>(reference, signal)
      return crd === undefined ? [] : [{ ...each, crd }]
    }),
  )
  return migrationPlan(now.flat(), decided, settings)
}
