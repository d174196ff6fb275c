/** The verb `upgrade`: look, judge, plan, ask, and carry the plan out. */

import { fingerprint, holdStorage, storageVersionOf } from '../crds/versions.ts'
import type { CrdState, Inventory } from '../installation/inventory.types.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { Plan, Tier } from '../plan/plan.types.ts'
import { type Acceptance, parseAcceptances } from '../preflight/acceptances.ts'
import type { CheckContext, TypedWords } from '../preflight/check.types.ts'
import { checkIds } from '../preflight/checks.ts'
import { readCompatibilityFile } from '../preflight/compatibility-sources.ts'
import { makeReport } from '../preflight/make-report.ts'
import type { PreflightReport } from '../preflight/report.types.ts'
import type { Compatibility } from '../releases/release.types.ts'
import { releaseVersion } from '../releases/versions.ts'
import { silentProgress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { planUpgrade } from '../upgrade/plan-upgrade.ts'
import { type AcceptedLoss, parseAcceptedLosses } from './accepted-losses.ts'
import { asItIs } from './as-it-is.ts'
import { beforeRun } from './before-run.ts'
import { clusterOf } from './cluster-name.ts'
import { type ForeignFields, foreignFields } from './foreign-fields.ts'
import { type LookOptions, look } from './look.ts'
import { type ChangeContext, type ChangeRequest, planReport, runNewPlan, withClient } from './run-plan.ts'
import type { ChangeResult, NothingToDo } from './run-report.types.ts'
import { type JudgedMove, judgeMove } from './storage-move.ts'
import { refuseWhileUnfinished } from './under-lock.ts'

export interface UpgradeOptions {
  to: string
  source?: string | undefined
  releases?: string | undefined
  registry?: string | undefined
  images?: Record<string, string> | undefined
  /** file with compatibility rows that go before all others */
  compatibility?: string | undefined
  /** `ID=reason`, each */
  accept?: readonly string[] | undefined
  /** what becomes of fields that another manager owns */
  conflicts: 'keep' | 'overwrite' | 'fail'
  /** the way that was asked for; the best possible one for each component where it is absent */
  tier?: Tier | undefined
  /** ends before stored objects move to the versions of the release: keeps the way back */
  holdStorage?: boolean | undefined
  /** `DEFINITION:^.spec.field=reason`, each: fields that may be dropped when stored objects move */
  acceptLoss?: readonly string[] | undefined
  /** at most so many writes at the same time, and a second, when stored objects move */
  maxInFlight?: number | undefined
  maxQps?: number | undefined
  /** whose writes are tried before that: a sample, which is usual, or all objects */
  preflight?: 'sample' | 'all' | undefined
  /** instead of the API server's limit for writes; for tests, which do not wait that long */
  lateWriteSeconds?: number | undefined
  /** what was typed, for commands that findings name */
  typed?: TypedWords | undefined
  dryRun: boolean
}

/**
 * Throws Refusal: `usage` for input, `blocked` for error findings and missing rights, `unfinished` and `locked` for other
 * runs, `failed` and `interrupted` where a run stopped; ReleaseError for the release; errors of the connection as they are.
 */
export const upgrade = async (request: ChangeRequest, options: UpgradeOptions): Promise<ChangeResult> => {
  const acceptances = parseAcceptances(options.accept ?? [], checkIds())
  releaseVersion(options.to)
  const acceptedLosses = parseAcceptedLosses(options.acceptLoss ?? [])
  const compatibility =
    options.compatibility === undefined ? undefined : await readCompatibilityFile(options.compatibility)
  return withClient(request, async (context) =>
    upgradeWith(context, { ...options, compatibility, acceptedLosses }, acceptances),
  )
}

type UpgradeInput = Omit<UpgradeOptions, 'compatibility'> & {
  compatibility: Compatibility | undefined
  acceptedLosses: readonly AcceptedLoss[]
}

const upgradeWith = async (
  context: ChangeContext,
  options: UpgradeInput,
  acceptances: readonly Acceptance[],
): Promise<ChangeResult> => {
  const judged = async (
    progress: LookOptions['progress'],
    signal: AbortSignal,
    known?: JudgedMove,
  ): Promise<Judged> => {
    const seen = await look(context.client, { ...options, now: context.now(), today: context.today, progress, signal })
    const checked = makeReport(seen, { cluster: context.client.connection, acceptances })
    refuseIfBlocked(checked, options.to)
    const live = await asItIs(context.client, seen, signal)
    const { inventory, release } = seen
    const same = runsAlready(seen)
    // What forbids the upgrade altogether is told before anything is tried.
    const first = planned(seen, options, checked, { ...live, storage: known?.storage })
    if (same || release === undefined) return { plan: first, checked, same, inventory, move: NO_MOVE }
    const asked = { inventory, release, ...live, holdStorage: options.holdStorage === true }
    const move = known ?? (await judgeMove({ ...context, signal }, asked, options))
    const plan = planned(seen, options, checked, { ...live, storage: move.storage, losses: move.accepted })
    return { plan, checked, same, inventory, move }
  }
  await refuseWhileUnfinished(context, context.now())
  const { plan, checked, same, inventory, move } = await judged(context.progress, context.signal)
  if (same) return { outcome: 'nothing-to-do', report: nothingToDo(context, plan) }
  const show = async () => {
    const foreign = await foreignFields(context.client, plan, context.signal)
    const shown = planReport(
      { ...plan, notes: [...plan.notes, ...move.notes, ...notesOn(foreign, options.conflicts)] },
      context,
    )
    const survey = move.rows.length > 0 ? { survey: move.rows } : {}
    return {
      report: { ...shown, findings: checked.findings, ...survey },
      refuse: () => refuseForeign(foreign, options),
    }
  }
  const begun = await beforeRun(context, { plan, show, inventory, dryRun: options.dryRun })
  if ('ended' in begun) return begun.ended
  const ran = await runNewPlan(context, plan, {
    stillSo: async (signal) => (await judged(silentProgress, signal, move)).plan,
  })
  return { outcome: 'ran', report: { ...ran, findings: checked.findings } }
}

interface Judged {
  plan: Plan
  checked: PreflightReport
  same: boolean
  inventory: Inventory
  move: JudgedMove
}

const NO_MOVE: JudgedMove = { rows: [], storage: {}, accepted: [], notes: [] }

/** An upgrade that has held its storage, or ended before it moved, has left something to do; of it a plan tells. */
const nothingToDo = ({ client, now }: ChangeContext, { product, to, steps, heldStorage = {} }: Plan): NothingToDo => {
  const moved = steps.flatMap((step) => (step.kind === 'migrate' ? [step.definition] : []))
  const toMigrate = [...new Set([...moved, ...Object.keys(heldStorage)])]
  return {
    metadata: { time: now().toISOString(), cluster: clusterOf(client) },
    product,
    version: to,
    ...(toMigrate.length > 0 && { toMigrate }),
  }
}

const notesOn = ({ kept, taken }: ForeignFields, conflicts: UpgradeOptions['conflicts']): string[] => [
  ...kept.map((field) => `${conflicts === 'overwrite' ? 'Taken from' : 'Left to'} its owner: ${field}.`),
  ...taken.map((field) => `Cannot be left to its owner: ${field}.`),
]

/** What somebody set by hand is never undone unasked; where it cannot be kept either, somebody has to decide. */
const refuseForeign = (
  { kept, taken }: ForeignFields,
  { to, conflicts }: Pick<UpgradeOptions, 'to' | 'conflicts'>,
): void => {
  const refused = conflicts === 'overwrite' ? [] : conflicts === 'fail' ? [...kept, ...taken] : taken
  if (refused.length === 0) return
  throw new Refusal(
    'blocked',
    `${refused.length} field${refused.length === 1 ? '' : 's'} of the release have been changed by another manager.`,
    {
      why: `${refused.join('; ')}. The release cannot run with them as they are, and they are not undone unasked.`,
      next: `kubectl airunway upgrade --to ${to} --conflicts overwrite (takes them over), or give them back first`,
      details: { fields: refused },
    },
  )
}

/** All of it runs: a run from a version to itself would take the place of the one that can be gone back from. */
const runsAlready = ({ inventory: { installs, shims, crds }, release }: CheckContext): boolean =>
  installs[0]?.version.known === true &&
  installs[0].version.version === release?.version &&
  installs[0].image === release.controller.pinnedImage &&
  release.shims.every(({ name, pinnedImage }) => {
    const live = shims.find((shim) => shim.name === name)
    return live === undefined || pinnedImage === undefined || live.image === pinnedImage
  }) &&
  release.objects.every(
    ({ role, object }) => role !== 'crd' || isInForce(object as unknown as CustomResourceDefinition, crds),
  )

/** The schemas of the release are those of the cluster, whichever version is stored. */
const isInForce = (wanted: CustomResourceDefinition, crds: CrdState[]): boolean => {
  const live = crds.find(({ name }) => name === wanted.metadata.name)?.object
  const stored = live === undefined ? undefined : storageVersionOf(live)
  if (live === undefined || stored === undefined) return false
  const held = holdStorage(wanted, stored)
  return held.held && fingerprint(held.crd) === fingerprint(live)
}

/** Error findings block; all of them are told at once. */
const refuseIfBlocked = (checked: PreflightReport, to: string): void => {
  if (checked.verdict !== 'blocked') return
  const errors = checked.findings.filter(({ severity }) => severity === 'error')
  const texts = errors.map(({ id, title, fix }) => `${id}: ${title}. ${fix.text}`)
  throw new Refusal(
    'blocked',
    `The upgrade to ${to} is blocked by ${errors.length} finding${errors.length === 1 ? '' : 's'}.`,
    {
      why: texts.join('\n'),
      next: `kubectl airunway preflight --to ${to} (all findings, with their evidence and fixes)`,
      details: { findings: errors },
    },
  )
}

const planned = (
  { inventory, release }: CheckContext,
  options: Pick<UpgradeOptions, 'to' | 'conflicts' | 'tier' | 'holdStorage'>,
  checked: PreflightReport,
  {
    losses = [],
    storage = {},
    ...live
  }: Awaited<ReturnType<typeof asItIs>> & {
    storage?: JudgedMove['storage'] | undefined
    losses?: JudgedMove['accepted']
  },
): Plan => {
  const { to, conflicts, tier } = options
  const [install] = inventory.installs
  if (install === undefined || release === undefined)
    throw new Refusal('blocked', `There is no installation that could be upgraded to ${to}.`, {
      next: 'kubectl airunway preflight',
    })
  const result = planUpgrade({
    inventory,
    install,
    release,
    conflicts: conflicts === 'overwrite' ? 'overwrite' : 'keep',
    tier,
    ...live,
    holdStorage: options.holdStorage === true,
    storage,
    accepted: [
      ...checked.accepted.map(({ finding, reason }) => ({
        id: finding.id,
        evidenceHash: finding.evidenceHash,
        reason,
      })),
      ...losses,
    ],
  })
  if ('plan' in result) return result.plan
  const { message, why, next } = result.refused
  throw new Refusal('blocked', message, { why, next })
}
