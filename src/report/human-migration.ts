/** Migrations of stored versions: what was found, and what became of it, as one screen each. */
import type { MigratedDefinition, NothingToMigrate, SurveyedDefinition } from '../services/migration-report.types.ts'
import type { PlanReport, RunReport } from '../services/run-report.types.ts'
import { sizeOf } from './human-export.ts'
import { paint, sign, type TextStyle, wrap } from './style.ts'

const arrow = (style: TextStyle): string => (style.unicode ? '→' : '->')

const clusterLine = ({ cluster }: PlanReport['metadata']): string =>
  `cluster  ${cluster.context === undefined ? cluster.server : `${cluster.context} (${cluster.server})`}`

const marked = (mark: string, text: string, style: TextStyle): string[] => {
  const [first = '', ...rest] = wrap(style, '    ', text)
  return [`  ${mark} ${first.trimStart()}`, ...rest]
}

const HEAD = ['DEFINITION', 'STORED', 'STORAGE', 'OBJECTS', 'REQUESTS', 'ABOUT', 'IN THE WAY']

/** The table of the survey, and below it what does not fit a table. */
const surveyLines = (survey: readonly SurveyedDefinition[], style: TextStyle): string[] => {
  const rows = [HEAD, ...survey.map((each) => cells(each, style))]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const [head = '', ...rest] = lines
  return [paint(style, 'bold', head), ...rest, ...survey.flatMap((each) => besides(each, style))]
}

const cells = (each: SurveyedDefinition, style: TextStyle): string[] => [
  each.definition,
  each.storedVersions.join(', '),
  each.flipTo === undefined ? each.storageVersion : `${each.storageVersion} ${arrow(style)} ${each.flipTo}`,
  each.objects === undefined ? '?' : String(each.objects),
  each.requests === undefined ? '' : String(each.requests),
  each.seconds === undefined ? '' : `${each.seconds} s`,
  inTheWay(each),
]

const inTheWay = ({ blockers, lost, unchecked, denied }: SurveyedDefinition): string => {
  const fields = new Set([
    ...lost.filter(({ objects }) => objects > 0).map(({ path }) => path),
    ...unchecked.flatMap((each) => each.fields),
  ])
  const refused = denied.reduce((sum, { objects, throughStatus }) => sum + objects - throughStatus, 0)
  const words = [
    ...blockers.map(({ kind }) => kind),
    ...(fields.size > 0 ? [`${fields.size} field${fields.size === 1 ? '' : 's'} lost`] : []),
    ...(refused > 0 ? [`${refused} writes refused`] : []),
  ]
  return words.length === 0 ? '-' : words.join(', ')
}

const besides = ({ definition, users, lost }: SurveyedDefinition, style: TextStyle): string[] => [
  ...users.flatMap(({ version, users: writers }) =>
    marked(
      sign(style, 'info'),
      `${definition}: written in ${version} by ${writers.map(({ manager, objects }) => `${manager} (${objects})`).join(', ')}`,
      style,
    ),
  ),
  ...lost.flatMap(({ path, version, objects, defaults }) =>
    marked(
      sign(style, objects > 0 ? 'warning' : 'info'),
      `${definition}: ^.${path} of ${version} goes: ${objects} object${objects === 1 ? ' has' : 's have'} a value of ${objects === 1 ? 'its' : 'their'} own, ${defaults} just its default`,
      style,
    ),
  ),
]

/** The survey, the steps, and what has to be known before saying yes. */
export const renderMigrationPlan = (report: PlanReport, style: TextStyle): string => {
  const { plan, metadata, survey = [], records, blocked } = report
  const width = Math.max(...plan.steps.map(({ title }) => title.length))
  return `${[
    paint(style, 'bold', `migration ${plan.product} ${plan.from} ${arrow(style)} ${plan.to}`),
    clusterLine(metadata),
    `plan     ${plan.hash}`,
    ...(records === undefined
      ? []
      : [`records  about ${sizeOf(records.bytes)}: a back-up of ${records.objects} objects`]),
    '',
    ...(survey.length === 0 ? [] : [...surveyLines(survey, style), '']),
    ...plan.steps.map(
      ({ title, description }, index) =>
        `  ${String(index + 1).padStart(2)}  ${title.padEnd(width)}  ${paint(style, 'dim', description)}`,
    ),
    ...(plan.notes.length > 0 ? [''] : []),
    ...plan.notes.flatMap((note) => marked(style.unicode ? '•' : '*', note, style)),
    ...(blocked === undefined ? [] : ['', ...blockedLines(blocked, style)]),
  ].join('\n')}\n`
}

const blockedLines = ({ message, why, next }: NonNullable<PlanReport['blocked']>, style: TextStyle): string[] => [
  `${paint(style, 'red', 'BLOCKED')}. ${message}`,
  ...(why ?? '').split('\n').flatMap((line) => (line === '' ? [] : wrap(style, '  ', line))),
  ...(next === undefined ? [] : [`Next: ${next}`]),
]

// The API server converts an object to the version of each of its managers when somebody applies it.
const beforeRemoval =
  'Set served: false before, and migrate once more with --force-scan: managedFields that name a version that is gone make every server-side apply fail.'

/** What became of all definitions. */
export const renderMigrationRun = (report: RunReport, style: TextStyle): string => {
  const { run, migrated = [] } = report
  const removable = migrated.filter((each) => each.removable.length > 0)
  return `${[
    paint(style, 'bold', `migration ${run.product} ${run.from} ${arrow(style)} ${run.to}: done in ${report.seconds} s`),
    clusterLine(report.metadata),
    `run      ${run.number}, recorded in namespace ${report.metadata.recordNamespace}`,
    '',
    ...migrated.flatMap((each) => migratedLines(each, style)),
    ...report.notes.flatMap((note) => marked(style.unicode ? '•' : '*', note, style)),
    '',
    ...removable.map(
      ({ definition, removable: versions }) =>
        `${versions.join(', ')} may be taken out of spec.versions of ${definition} once nobody asks for it.`,
    ),
    ...(removable.length > 0 ? [beforeRemoval] : []),
    'Next: kubectl airunway migrate --all --dry-run (what else there is)',
  ].join('\n')}\n`
}

/** What became of one definition, and the proof of it. */
export const migratedLines = (each: MigratedDefinition, style: TextStyle): string[] => {
  const { definition, storageVersion, after, proof, passes, seconds, requests, notes = [] } = each
  const sum = (count: 'rewritten' | 'gone' | 'managersMoved'): number =>
    passes.reduce((total, pass) => total + pass[count], 0)
  const first = passes[0]?.unchanged ?? 0
  // Each pass goes that way again with the same objects.
  const throughStatus = Math.max(0, ...passes.map((pass) => pass.throughStatus))
  const total = seconds.settle + seconds.rewrite + seconds.prove + seconds.trim
  const also = [
    ...(sum('gone') > 0 ? [`${sum('gone')} deleted meanwhile`] : []),
    ...(throughStatus > 0 ? [`${throughStatus} written through /status`] : []),
    ...(sum('managersMoved') > 0 ? [`${sum('managersMoved')} entries of managedFields renamed`] : []),
  ]
  return [
    `${sign(style, 'passed')} ${definition}: ${sum('rewritten')} rewritten to ${storageVersion}, ${first} were current${also.map((text) => `, ${text}`).join('')}`,
    ...(proof === undefined
      ? []
      : [
          `    proved: pass ${proof.pass} wrote each of ${proof.objects} objects without a change${late(proof.secondsAfterFlip)}`,
        ]),
    `    storedVersions ${after.storedVersions.join(', ')}; ${Math.round(total * 10) / 10} s, ${requests} requests`,
    ...notes.flatMap((note) => marked(sign(style, 'info'), note, style)),
  ]
}

const late = (seconds: number | undefined): string =>
  seconds === undefined ? '' : `, begun ${Math.floor(seconds)} s after the new version was stored`

/** By their status all is stored as it should be. What status does not tell stands in the notes. */
export const renderNothingToMigrate = ({ definitions, notes }: NothingToMigrate, style: TextStyle): string =>
  `${[
    ...definitions.map(
      ({ definition, storedVersions }) =>
        `${sign(style, 'passed')} ${definition}: status.storedVersions lists only ${storedVersions.join(', ')}`,
    ),
    ...notes.flatMap((note) => marked(style.unicode ? '•' : '*', note, style)),
    'By status.storedVersions there is nothing to migrate.',
  ].join('\n')}\n`
