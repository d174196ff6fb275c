/** Looks at everything that decides about a migration, and refuses what must not be begun. Reads, and dry runs. */
import { storageVersionOf } from '../crds/versions.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { missingVersion, unreadable } from '../migration/blockers.ts'
import { denialsOf } from '../migration/denials.ts'
import { lossesOf, unacceptedLosses } from '../migration/losses.ts'
import type { MigrationTarget } from '../migration/migration.types.ts'
import { estimateOf, survey } from '../migration/survey.ts'
import type { Blocker, DefinitionSurvey, LossReport } from '../migration/survey.types.ts'
import { flippedTo, isBlocker, targetOf } from '../migration/target.ts'
import { repairOf } from '../migration/unreadable.ts'
import { products } from '../releases/products.ts'
import type { Refusal } from '../report/refusal.ts'
import type { AcceptedLoss } from './accepted-losses.ts'
import { acceptedInPlan, unusedNotes } from './accepted-losses.ts'
import type { Decided, ToMigrate } from './migration-plan.ts'
import { blockersRefusal, denialsRefusal, isDenied, lossesRefusal, missingRightsRefusal } from './migration-refusals.ts'
import type { SurveyedDefinition } from './migration-report.types.ts'
import type { MigrationScope } from './migration-scope.ts'
import type { ChangeContext } from './run-plan.ts'

export interface JudgeOptions {
  /** looks though status names the storage version alone */
  forceScan: boolean
  /** dry runs for a sample of the objects, or for all */
  preflight: 'sample' | 'all'
  /** consent for bringing back versions that objects are stored in and the spec lacks */
  repairUnreadable: boolean
  acceptedLosses: readonly AcceptedLoss[]
}

export interface Judged {
  rows: SurveyedDefinition[]
  chosen: ToMigrate[]
  decided: Decided
  /** what forbids the migration; a dry run is shown all the same */
  refusal: Refusal | undefined
}

/** Throws `blocked` for missing rights: without them nobody can look any further. `ConnectionError` and `ApiError` as they come. */
export const judge = async (context: ChangeContext, scope: MigrationScope, options: JudgeOptions): Promise<Judged> => {
  const surveyed = await look(context, scope, options)
  const lacking = missingRightsRefusal(surveyed)
  if (context.printRbac === undefined && lacking !== undefined) throw lacking
  const candidates: Candidate[] = []
  for (const one of surveyed) candidates.push(await candidate(context, one, scope, options))
  const chosen = candidates.filter(({ wanted }) => wanted)
  const open = chosen.filter(({ row }) => row.blockers.length === 0)
  const losses: LossReport[] = []
  if (context.printRbac === undefined)
    for (const each of open) losses.push(...(await lookClosely(context, each, options)))
  const rows = candidates.filter(({ wanted }) => wanted || scope.names !== 'all').map(({ row }) => row)
  const unused = options.acceptedLosses.filter(
    ({ definition, path }) => !losses.some((report) => report.definition === definition && mayLose(report, path)),
  )
  return {
    rows,
    chosen: chosen.flatMap(({ migrate }) => (migrate === undefined ? [] : [migrate])),
    decided: {
      backUp: losses.flatMap((report) => backedUp(report, chosen, options.acceptedLosses)),
      accepted: acceptedInPlan(options.acceptedLosses.filter((each) => !unused.includes(each))),
      notes: [
        ...scope.notes,
        ...rows.flatMap(({ definition, notes }) => notes.map((note) => `${definition}: ${note}.`)),
        ...unusedNotes(
          unused,
          chosen.map(({ row }) => row.definition),
        ),
      ],
    },
    refusal:
      blockersRefusal(chosen.map(({ row }) => row)) ??
      lossesRefusal(losses.flatMap((report) => unaccepted(report, options.acceptedLosses))) ??
      denialsRefusal(rows),
  }
}

interface Candidate {
  row: SurveyedDefinition
  wanted: boolean
  migrate?: ToMigrate
  /** as it will be when objects are written */
  crd?: CustomResourceDefinition
  target?: MigrationTarget
}

const look = async (
  context: ChangeContext,
  { names, known }: MigrationScope,
  { forceScan, repairUnreadable }: JudgeOptions,
): Promise<DefinitionSurvey[]> => {
  const task = context.progress.task('Look at the definitions')
  try {
    const { definitions } = await survey(context.client, names, {
      signal: context.signal,
      // One object that nobody can read may be the last one.
      allObjects: forceScan || repairUnreadable,
      onProgress: ({ definition, number, of }) => task.update(`${number} of ${of}: ${definition}`),
    })
    task.done()
    return known
      ? definitions
      : definitions.filter(({ blockers }) => blockers.every(({ kind }) => kind !== 'not-found'))
  } catch (error) {
    task.fail('they could not be looked at')
    throw error
  }
}

/** What would be done to one definition, and whether anything would. */
const candidate = async (
  { client, signal }: ChangeContext,
  surveyed: DefinitionSurvey,
  { flips, names }: MigrationScope,
  { forceScan, repairUnreadable }: JudgeOptions,
): Promise<Candidate> => {
  const { definition } = surveyed
  const row = rowOf(surveyed)
  const flipTo = flips.get(definition)
  const moves = flipTo !== undefined && flipTo !== surveyed.storageVersion && surveyed.storageVersion !== ''
  // What ails a definition that needs nothing is no business of a command for all.
  const asked = names !== 'all' || surveyed.needed
  if (!asked || (!surveyed.needed && !moves && !forceScan && row.blockers.length === 0)) return { row, wanted: false }
  const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: definition }
  const live = isThere(row) ? await client.find<CustomResourceDefinition>(reference, signal) : undefined
  if (live === undefined) return { row, wanted: true }
  const versions = repairUnreadable ? row.blockers.flatMap((each) => each.versions ?? []) : []
  const repair = versions.length === 0 ? undefined : repairOf(live, versions)
  if (repair !== undefined) {
    row.blockers = row.blockers.filter((each) => each.versions === undefined)
    row.notes.push(
      ...repair.words,
      `what of their fields ${row.storageVersion} does not know cannot be seen beforehand`,
      'whether objects are stored in further versions that are gone shows only then; those come back in the same way',
    )
  }
  const flipped = moves ? flippedTo(live, flipTo) : undefined
  const crd = flipped ?? live
  const found = targetOf(crd)
  if (flipped !== undefined) {
    row.flipTo = storageVersionOf(flipped) ?? ''
    // Who writes in it already is not who has to change.
    row.users = row.users.filter(({ version }) => version !== row.flipTo)
  }
  if (flipped !== undefined && row.objects !== undefined) Object.assign(row, estimated(row.objects))
  return {
    row,
    wanted: surveyed.needed || flipped !== undefined || forceScan || repair !== undefined || row.blockers.length > 0,
    migrate: {
      crd: live,
      ...(flipped !== undefined && flipTo !== undefined && { flipTo }),
      ...(repair !== undefined && { bringBack: repair.bringBack.length > 0 ? repair.bringBack : repair.record }),
    },
    // Nobody can list the objects before the repair.
    ...(repair === undefined && !isBlocker(found) && { crd, target: found }),
  }
}

const isThere = ({ blockers }: SurveyedDefinition): boolean =>
  blockers.every(({ kind }: Blocker) => kind !== 'not-found' && kind !== 'forbidden')

const estimated = (objects: number): { requests: number; seconds: number } => estimateOf(objects, 0)

const rowOf = (surveyed: DefinitionSurvey): SurveyedDefinition => ({
  definition: surveyed.definition,
  storageVersion: surveyed.storageVersion,
  storedVersions: surveyed.storedVersions,
  needed: surveyed.needed,
  ...(surveyed.objects !== undefined && { objects: surveyed.objects }),
  ...(surveyed.estimate !== undefined && { requests: surveyed.estimate.requests, seconds: surveyed.estimate.seconds }),
  blockers: [...surveyed.blockers],
  users: surveyed.users,
  lost: [],
  unchecked: [],
  denied: [],
  tried: 0,
  notes: [...surveyed.notes],
})

/** What would be lost and who would refuse; notes both in the row. */
const lookClosely = async (
  { client, signal, progress }: ChangeContext,
  { row, crd, target }: Candidate,
  { preflight, forceScan }: JudgeOptions,
): Promise<LossReport[]> => {
  if (crd === undefined || target === undefined) return []
  const task = progress.task(`Look at the objects of ${row.definition}`)
  try {
    const losses = await lossesOf(client, crd, target, {
      signal,
      // Where status is not believed, objects may be stored in each version of the definition.
      ...(forceScan && { stored: target.versions }),
      onProgress: (version, objects) => task.update(`${objects} read in ${version}`),
    })
    const denials = await denialsOf(client, target, {
      all: preflight === 'all',
      signal,
      onProgress: ({ checked, of }) => task.update(`${checked} of ${of} writes tried`),
      ...pausedBy(row.definition),
    })
    Object.assign(row, {
      lost: losses.fields,
      unchecked: losses.unchecked,
      denied: denials.groups,
      tried: denials.checked,
    })
    row.notes.push(
      ...losses.unchecked.map(({ fields, why }) => (fields.length === 0 ? why : `${why}; nor can they be backed up`)),
    )
    row.notes.push(...denials.groups.filter((group) => !isDenied(group)).map(passableText))
    row.notes.push(
      ...denials.unanswered.map(({ webhook }) => `webhook ${webhook} answers no dry runs, so it may refuse`),
    )
    task.done(`${denials.objects} objects, ${denials.checked} writes tried`)
    return [losses]
  } catch (error) {
    task.fail('they could not be looked at')
    const version = error instanceof ApiError ? missingVersion(error.message, crd) : undefined
    if (version === undefined) throw error
    row.blockers.push(unreadable(row.definition, version))
    return []
  }
}

const passableText = ({ cause, subject, objects, throughStatus }: SurveyedDefinition['denied'][number]): string =>
  throughStatus >= objects
    ? `${cause} ${subject ?? ''} refuses writes; they go through /status, which it lets pass`
    : `some writes could not be tried now (${cause})`

const pausedBy = (definition: string): { pausedAnnotation?: string } => {
  const own = products().find(({ crds }) => Object.values(crds).includes(definition))
  return own === undefined ? {} : { pausedAnnotation: own.pausedAnnotation }
}

/** Of what a webhook converts nobody knows the fields before. */
const mayLose = ({ fields, unchecked }: LossReport, path: string): boolean =>
  fields.some((field) => field.path === path) ||
  unchecked.some((each) => each.fields.includes(path) || each.fields.length === 0)

const unaccepted = (
  report: LossReport,
  accepted: readonly AcceptedLoss[],
): { report: LossReport; paths: string[] }[] => {
  const own = accepted.filter(({ definition }) => definition === report.definition).map(({ path }) => path)
  const paths = unacceptedLosses(report, own)
  return paths.length === 0 ? [] : [{ report, paths }]
}

/** Whole objects, in each version that shows what goes. */
const backedUp = (
  { definition, fields, unchecked }: LossReport,
  chosen: readonly Candidate[],
  accepted: readonly AcceptedLoss[],
): Decided['backUp'] => {
  const { crd, target } = chosen.find(({ row }) => row.definition === definition) ?? {}
  const lost = fields.filter(({ objects }) => objects > 0).map(({ version }) => version)
  const converted = accepted.some((each) => each.definition === definition)
    ? unchecked.filter((each) => each.fields.length === 0 && target?.served.includes(each.version) === true)
    : []
  const versions = [...new Set([...lost, ...converted.map(({ version }) => version)])]
  return crd === undefined
    ? []
    : versions.map((version) => ({ apiVersion: `${crd.spec.group}/${version}`, kind: crd.spec.names.kind }))
}
