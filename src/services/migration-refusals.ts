/** Why a migration is not begun, with everything that stands in its way told at once. Pure. */
import { rightText } from '../migration/rights.ts'
import type { DefinitionSurvey, DenialGroup, LossReport } from '../migration/survey.types.ts'
import { askForRights, Refusal } from '../report/refusal.ts'
import { lossName } from './accepted-losses.ts'
import type { SurveyedDefinition } from './migration-report.types.ts'

const SHOWN = 5

/** Rights that the user lacks. Those that a migration does without are none. */
export const missingRightsRefusal = (definitions: readonly DefinitionSurvey[]): Refusal | undefined => {
  const rights = definitions.flatMap(({ missingRights }) => missingRights).filter(({ optional }) => optional !== true)
  const missing = [...new Set(rights.map(({ request }) => rightText(request)))]
  if (missing.length === 0) return undefined
  return new Refusal('blocked', `This user lacks ${missing.length} of the rights that the migration needs.`, {
    why: `Missing: ${missing.join('; ')}. Nothing was written.`,
    next: askForRights,
    details: { missing },
  })
}

/** Definitions that cannot be migrated now. `others` are those of the same command that can. */
export const blockersRefusal = (rows: readonly SurveyedDefinition[]): Refusal | undefined => {
  const blockers = rows.flatMap((row) => row.blockers)
  const [first] = blockers
  if (first === undefined) return undefined
  const others = rows.filter(({ blockers: none }) => none.length === 0).map(({ definition }) => definition)
  const repairable = blockers.every(({ kind }) => kind === 'version-gone' || kind === 'unreadable')
  const once = first.kind === 'forbidden' ? askForRights : first.next
  const next = repairable ? `${once}; migrate does that with --repair-unreadable` : once
  return new Refusal(
    'blocked',
    `${blockers.length} thing${blockers.length === 1 ? ' stands' : 's stand'} in the way of the migration. Nothing was written.`,
    {
      why: blockers.map(({ message, why }) => `${message}: ${why}`).join('\n'),
      next: others.length === 0 ? next : `${next}; or without it: kubectl airunway migrate ${others.join(' ')}`,
      details: { blockers },
    },
  )
}

/** Fields that a rewrite would drop and that nobody has accepted, by definition. */
export const lossesRefusal = (
  lossy: readonly { report: LossReport; paths: readonly string[] }[],
): Refusal | undefined => {
  if (lossy.length === 0) return undefined
  const names = lossy.flatMap(({ report, paths }) => paths.map((path) => lossName(report.definition, path)))
  const why = lossy.flatMap(({ report, paths }) => paths.map((path) => lossText(report, path)))
  const seen = lossy.flatMap(({ report, paths }) => paths.filter((path) => found(report, path) !== undefined))
  // What nobody can see nobody can back up.
  const saved = seen.length === names.length ? 'the values' : 'values that can be seen'
  const backedUp = seen.length === 0 ? '' : ` (${saved} are backed up first)`
  return new Refusal(
    'blocked',
    `The migration would drop ${names.length} field${names.length === 1 ? '' : 's'} for ever. Nothing was written.`,
    {
      why: `The schema of the storage version does not have them, so the API server leaves them out when it writes the objects anew.\n${why.join('\n')}`,
      next: `give them a place in the storage version, or accept each by name${backedUp}: ${names.map((name) => `--accept-loss '${name}=REASON'`).join(' ')}`,
      details: { losses: lossy.map(({ report, paths }) => ({ ...report, unaccepted: paths })) },
    },
  )
}

/** The field, where objects have been seen that have it. */
const found = ({ fields }: LossReport, path: string): LossReport['fields'][number] | undefined =>
  fields.find((each) => each.path === path && each.objects > 0)

const lossText = (report: LossReport, path: string): string => {
  const { definition, unchecked } = report
  const field = found(report, path)
  if (field === undefined) {
    const unknown = unchecked.find((each) => each.fields.includes(path))
    return `${lossName(definition, path)}: not known who has it: ${unknown?.why ?? 'it cannot be looked at'}`
  }
  const named = field.examples.slice(0, SHOWN).map(nameOf).join(', ')
  const more = field.objects > SHOWN ? ` and ${field.objects - SHOWN} more` : ''
  return `${lossName(definition, path)} in ${field.version}: ${field.objects} object${field.objects === 1 ? '' : 's'} (${named}${more})`
}

/** Not what passes by itself, nor what only the main endpoint refuses. */
export const isDenied = ({ cause, objects, throughStatus }: DenialGroup): boolean =>
  !['conflict', 'throttled', 'server', 'connection'].includes(cause) && objects > throughStatus

/** Writes that would be refused, tried beforehand as dry runs. */
export const denialsRefusal = (
  rows: readonly SurveyedDefinition[],
  again = 'the same command again',
): Refusal | undefined => {
  const denied = rows.flatMap((row) => row.denied.filter(isDenied).map((group) => ({ row, group })))
  if (denied.length === 0) return undefined
  return new Refusal('blocked', 'Objects could not be rewritten: their writes would be refused. Nothing was written.', {
    why: denied.map(({ row, group }) => denialText(row, group)).join('\n'),
    next: `repair the objects, or let the webhook or policy pass a patch that changes nothing; then: ${again}`,
    details: { denied: denied.map(({ row, group }) => ({ definition: row.definition, ...group })) },
  })
}

const denialText = (
  { definition, tried }: SurveyedDefinition,
  { cause, subject, objects, examples }: DenialGroup,
): string => {
  const [first] = examples
  const by = subject === undefined ? cause : `${cause} ${subject}`
  const said = first === undefined ? '' : `, such as ${nameOf(first)}: ${first.message}`
  return `${definition}: ${objects} of ${tried} tried by ${by}${said}`
}

const nameOf = ({ namespace, name }: { namespace?: string; name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`
