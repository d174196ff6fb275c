/**
 * Looks, before an upgrade begins, for what would keep its last steps from moving stored objects, or be lost by them. The
 * definitions are not yet those that the objects will be written under: what depends on them is looked at again right before
 * the first storage version moves. Reads, and dry runs.
 */
import { storageVersionOf } from '../crds/versions.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { AnyObject, CustomResourceDefinition, WebhookConfiguration } from '../kubernetes/objects.ts'
import { denialsOf } from '../migration/denials.ts'
import { lossesOf, rewritePaths, unacceptedLosses } from '../migration/losses.ts'
import { lateWriteSeconds, type MigrationTarget } from '../migration/migration.types.ts'
import { estimateOf } from '../migration/survey.ts'
import type { Blocker, DenialReport, LossReport } from '../migration/survey.types.ts'
import { flippedTo, isBlocker, targetOf } from '../migration/target.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'
import type { StorageMove } from '../upgrade/last-wave.ts'
import { definitionsToMove } from '../upgrade/last-wave.ts'
import type { UpgradeInput } from '../upgrade/plan-upgrade.ts'
import { type AcceptedLoss, acceptedInPlan, unusedNotes } from './accepted-losses.ts'
import { blockersRefusal, denialsRefusal, isDenied, lossesRefusal } from './migration-refusals.ts'
import type { SurveyedDefinition } from './migration-report.types.ts'
import type { ChangeContext } from './run-plan.ts'

export interface JudgedMove {
  rows: SurveyedDefinition[]
  /** what the plan's steps have to know */
  storage: StorageMove
  accepted: NonNullable<Plan['accepted']>
  notes: string[]
}

export interface MoveOptions {
  to: string
  acceptedLosses: readonly AcceptedLoss[]
  maxInFlight?: number | undefined
  maxQps?: number | undefined
  /** dry runs for a sample of the objects, which is usual, or for all */
  preflight?: 'sample' | 'all' | undefined
  lateWriteSeconds?: number | undefined
}

type Move = Pick<UpgradeInput, 'inventory' | 'release' | 'liveWebhooks' | 'holdStorage'>

/**
 * Throws `blocked` for losses that nobody has accepted, for writes that others than the running release refuse, and for
 * definitions that cannot be migrated. What may not be read is passed over: that right is told with all others that are missing.
 */
export const judgeMove = async (context: ChangeContext, move: Move, options: MoveOptions): Promise<JudgedMove> => {
  const looks: Look[] = []
  // Whoever asks for rights may not have them.
  if (context.printRbac === undefined)
    for (const crd of definitionsToMove(move))
      looks.push(...(await look(context, crd, { ...move, all: options.preflight === 'all' })))
  const rows = looks.map(({ row }) => row)
  const refusal =
    blockersRefusal(rows.filter(({ blockers }) => blockers.length > 0)) ??
    lossesRefusal(looks.flatMap((each) => unaccepted(each, options.acceptedLosses))) ??
    denialsRefusal(
      looks.map(({ row, refused }) => ({ ...row, denied: refused })),
      `kubectl airunway upgrade --to ${options.to}`,
    )
  if (refusal !== undefined) throw orHold(refusal, options.to)
  const used = options.acceptedLosses.filter((each) => looks.some(({ losses }) => losses && mayLose(losses, each)))
  const unused = options.acceptedLosses.filter((each) => !used.includes(each))
  return {
    rows,
    storage: {
      accepted: Object.fromEntries(
        looks.map(({ row: { definition }, clear }) => [
          definition,
          [...new Set([...pathsOf(used, definition), ...clear])].toSorted(),
        ]),
      ),
      maxInFlight: options.maxInFlight,
      maxQps: options.maxQps,
      tryAll: options.preflight === 'all',
      lateWriteSeconds: options.lateWriteSeconds,
    },
    accepted: acceptedInPlan(used),
    notes: [
      ...costNotes(rows),
      ...rows.flatMap(({ definition, notes }) => notes.map((note) => `${definition}: ${note}.`)),
      ...unusedNotes(
        unused,
        rows.map(({ definition }) => definition),
      ),
    ],
  }
}

interface Look {
  row: SurveyedDefinition
  losses?: LossReport
  /** fields that nobody has now, and nobody will be able to look at later */
  clear: string[]
  /** refused by others than the running release, whose rules end with it */
  refused: SurveyedDefinition['denied']
}

const look = async (
  context: ChangeContext,
  wanted: CustomResourceDefinition,
  move: Move & { all: boolean },
): Promise<Look[]> => {
  const live = move.inventory.crds.find(({ name }) => name === wanted.metadata.name)?.object
  const to = storageVersionOf(wanted)
  if (live === undefined || to === undefined) return []
  const future = flippedTo({ ...wanted, metadata: live.metadata, ...(live.status && { status: live.status }) }, to)
  const [now, later] = [targetOf(live), targetOf(future ?? live)]
  const blockers = [now, later].filter(isBlocker).slice(0, 1)
  const row = rowOf(live, to, blockers)
  if (future === undefined || isBlocker(now) || isBlocker(later)) return [{ row, clear: [], refused: [] }]
  const task = context.progress.task(`Look at the objects of ${row.definition}`)
  try {
    const { losses, denials } = await lookAtObjects(context, { future, now, later }, move)
    task.done(`${denials.objects} objects, ${denials.checked} writes tried`)
    return [looked(row, { future, now, later }, losses, denials, ownWebhooks(move))]
  } catch (error) {
    task.fail('they could not be looked at')
    if (isForbidden(error)) return []
    throw error
  }
}

/** The definition as its objects will be written, and what a migration is about: as it is, and as it will be. */
interface Both {
  future: CustomResourceDefinition
  now: MigrationTarget
  later: MigrationTarget
}

const lookAtObjects = async (
  { client, signal }: ChangeContext,
  { future, now, later }: Both,
  { release, all }: Move & { all: boolean },
): Promise<{ losses: LossReport; denials: DenialReport }> => {
  // Objects can be read in the versions that are served now, and lose what later schemas do not have.
  const read = { ...later, served: now.served }
  const losses = await lossesOf(client, future, read, { stored: now.storedVersions, signal })
  const { pausedAnnotation } = release.product
  const denials = await denialsOf(client, now, { pausedAnnotation, all, signal })
  // A version that is served only later is looked at when it is.
  const unchecked = losses.unchecked.filter(
    ({ version, fields }) => fields.length === 0 || !later.served.includes(version),
  )
  return { losses: { ...losses, unchecked }, denials }
}

const looked = (
  row: SurveyedDefinition,
  { future, later }: Both,
  losses: LossReport,
  denials: DenialReport,
  own: ReadonlySet<string>,
): Look => {
  const lost = new Set(losses.fields.filter(({ objects }) => objects > 0).map(({ path }) => path))
  const checked = losses.checked.map(({ version }) => version)
  const gone = checked.filter((version) => !later.served.includes(version))
  const denied = denials.groups.filter(isDenied)
  const refused = denied.filter(
    ({ cause, subject = '' }) => cause === 'policy' || (cause === 'webhook' && !own.has(subject)),
  )
  const estimate = estimateOf(denials.objects, 0)
  return {
    row: {
      ...row,
      objects: denials.objects,
      requests: estimate.requests,
      seconds: estimate.seconds,
      lost: losses.fields,
      unchecked: losses.unchecked,
      denied: denials.groups,
      tried: denials.checked,
      notes: [
        ...losses.unchecked.map(({ why }) => why),
        ...denied
          .filter((group) => !refused.includes(group) && group.cause !== 'forbidden')
          .map(
            ({ cause, subject, objects }) =>
              `${objects} of ${denials.checked} writes tried are refused now by ${cause} ${subject ?? ''}; they are tried again before storage moves`,
          ),
        ...denials.unanswered.map(({ webhook }) => `webhook ${webhook} answers no dry runs, so it may refuse`),
      ],
    },
    losses,
    clear: rewritePaths(future, later, gone).flatMap(({ fields }) => fields.filter((path) => !lost.has(path))),
    refused,
  }
}

const rowOf = (live: CustomResourceDefinition, to: string, blockers: Blocker[]): SurveyedDefinition => {
  const storageVersion = storageVersionOf(live) ?? ''
  return {
    definition: live.metadata.name,
    storageVersion,
    storedVersions: live.status?.storedVersions ?? [],
    ...(to !== storageVersion && { flipTo: to }),
    needed: true,
    blockers,
    users: [],
    lost: [],
    unchecked: [],
    denied: [],
    tried: 0,
    notes: [],
  }
}

/** Names of the webhooks that the running release answers, as the API server says them when one refuses. */
const ownWebhooks = ({ liveWebhooks = [] }: Pick<Move, 'liveWebhooks'>): ReadonlySet<string> =>
  new Set(
    liveWebhooks.flatMap((object: AnyObject) =>
      ((object as unknown as WebhookConfiguration).webhooks ?? []).map(({ name }) => name),
    ),
  )

/** Of what a webhook converts nobody knows the fields before. */
const mayLose = ({ definition, fields, unchecked }: LossReport, accepted: AcceptedLoss): boolean =>
  definition === accepted.definition &&
  (fields.some(({ path }) => path === accepted.path) ||
    unchecked.some((each) => each.fields.includes(accepted.path) || each.fields.length === 0))

const pathsOf = (accepted: readonly AcceptedLoss[], definition: string): string[] =>
  accepted.filter((each) => each.definition === definition).map(({ path }) => path)

const unaccepted = (
  { row, losses }: Look,
  accepted: readonly AcceptedLoss[],
): { report: LossReport; paths: string[] }[] => {
  if (losses === undefined) return []
  const paths = unacceptedLosses(losses, pathsOf(accepted, row.definition))
  return paths.length === 0 ? [] : [{ report: losses, paths }]
}

/** Nobody has to solve it today: the upgrade goes without, and keeps its way back. */
const orHold = ({ message, why, next = '', details }: Refusal, to: string): Refusal =>
  new Refusal('blocked', message, {
    why,
    next: `${next}; or upgrade without moving stored objects: kubectl airunway upgrade --to ${to} --hold-storage`,
    details,
  })

/** Counts are no part of the plan: they change by themselves. */
const costNotes = (rows: readonly SurveyedDefinition[]): string[] => {
  const objects = rows.reduce((sum, row) => sum + (row.objects ?? 0), 0)
  const requests = rows.reduce((sum, row) => sum + (row.requests ?? 0), 0)
  if (rows.length === 0) return []
  return [
    `To move and prove ${objects} stored object${objects === 1 ? '' : 's'} takes about ${requests} requests and ${estimateOf(objects, 0).seconds} s; for ${lateWriteSeconds} s of them writes from before may still land, and the proof waits.`,
  ]
}
