/** A comparison of definitions for people: what breaks whom, why, and what to do; alike findings once. */
import type { LiveEvidence, Offender } from '../crds/comparison/evidence.types.ts'
import type {
  Counts,
  CrdComparisonReport,
  CrdFinding,
  DefinitionFindings,
  Direction,
} from '../services/crd-report.types.ts'
import { evidenceText, hurtBy, placeText, refusalOf, valueText } from './crd-words.ts'
import { paint, sign, type TextStyle, wrap } from './style.ts'

/** How many groups of findings of one direction are told in full. */
const GROUPS_SHOWN = 20
/** How many places a group names. */
const PLACES_SHOWN = 6

/** Gives the whole text, ending with a newline. */
export function renderCrdComparison(report: CrdComparisonReport, style: TextStyle): string {
  const { before, after } = report.metadata
  const blocks = [
    [paint(style, 'bold', `${before} ${arrow(style)} ${after}`)],
    ...report.definitions.flatMap((definition) => definitionBlocks(definition, report.decidedBy, style)),
    footer(report, style),
  ]
  const lines = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'))
  return `${lines.join('\n\n')}\n`
}

const arrow = (style: TextStyle): string => (style.unicode ? '→' : '->')

function definitionBlocks(definition: DefinitionFindings, decidedBy: Direction, style: TextStyle): string[][] {
  const { name, profile, live } = definition
  return [
    [`${paint(style, 'bold', name)}  profile ${profile}`, ...liveLines(live, style)],
    ...(['upgrade', 'rollback'] as const).flatMap((direction) => {
      const findings = definition[direction]
      return findings === undefined ? [] : directionBlocks(direction, findings, { decidedBy, style })
    }),
  ]
}

interface Told {
  decidedBy: Direction
  style: TextStyle
}

/** The way that decides is told in full; of the other one, what breaks and where. */
function directionBlocks(direction: Direction, findings: readonly CrdFinding[], told: Told): string[][] {
  const { style } = told
  const title = direction === 'upgrade' ? 'Upgrade' : 'Rollback'
  if (findings.length === 0) return [[`${sign(style, 'passed')} ${title}: nothing has changed`]]
  const groups = [...Map.groupBy(findings, groupKey).values()].toSorted((one, other) => rank(one) - rank(other))
  const full = direction === told.decidedBy
  const important = groups.filter(([first]) => first !== undefined && first.level !== 'info')
  const shown = important.slice(0, GROUPS_SHOWN)
  const rest = important.length - shown.length
  const infos = groups.filter(([first]) => first?.level === 'info')
  return [
    [`${title}: ${countsText(countsOf(findings))}`],
    ...shown.map((group) => groupLines(group, full, style)),
    rest > 0 ? [`and ${rest} more kinds of findings: -o json has them all`] : [],
    infos.flatMap((group) => infoLine(group, style)),
  ]
}

const levels = ['error', 'warning', 'info']
const rank = ([first]: readonly CrdFinding[]): number => levels.indexOf(first?.level ?? 'info')

/** Findings of one kind in one version are told once. */
const groupKey = ({ id, version, level, audiences, ignored }: CrdFinding): string =>
  JSON.stringify([id, version, level, audiences, ignored])

function groupLines(group: readonly CrdFinding[], full: boolean, style: TextStyle): string[] {
  const [first] = group
  if (first === undefined) return []
  const { id, version, title, why, fix, level, audiences } = first
  const heading = `${sign(style, level)} ${version === '' ? '' : `${version}  `}${title}  ${paint(style, 'dim', id)}`
  const shown = group.slice(0, PLACES_SHOWN).flatMap((finding) => placeLines(finding, style))
  const rest = group.length - PLACES_SHOWN
  return [
    heading,
    ...shown,
    ...(rest > 0 ? [`    and ${rest} more places`] : []),
    ...labelled('hurts', hurtBy(audiences), style),
    ...(full && why !== '' ? labelled('why', why, style) : []),
    ...(full && fix !== '' ? labelled('fix', fix, style) : []),
  ]
}

function placeLines(finding: CrdFinding, style: TextStyle): string[] {
  const { path, before, after, live } = finding
  const [old, now] = [valueText(before), valueText(after)]
  const sides = before === undefined && after === undefined ? '' : old === now ? now : `${old} ${arrow(style)} ${now}`
  const place = path === '' ? '' : path
  return [
    ...(place === '' && sides === '' ? [] : [`    ${[place, sides].filter((word) => word !== '').join('  ')}`]),
    ...(live === undefined ? [] : [`      ${evidenceText(live)}${lowered(finding)}`]),
    ...(live?.offenders ?? []).map((offender) => `        ${offenderText(offender)}`),
  ]
}

const lowered = ({ live, level }: CrdFinding): string =>
  live !== undefined && live.levelBefore !== level ? ` (without this: ${live.levelBefore})` : ''

const offenderText = ({ namespace, name, field, message }: Offender): string =>
  `${namespace === undefined ? '' : `${namespace}/`}${name}  ${field}: ${message}`

function infoLine(group: readonly CrdFinding[], style: TextStyle): string[] {
  const [first] = group
  if (first === undefined) return []
  const more = group.length > 1 ? ` and ${group.length - 1} more places` : ''
  const place = first.path === '' ? '' : `: ${placeText({ version: '', path: first.path })}${more}`
  const until = first.ignored?.until === undefined ? '' : ` until ${first.ignored.until}`
  const ignored = first.ignored === undefined ? '' : ` (ignored${until}: ${first.ignored.reason})`
  const counted = first.live === undefined ? '' : `, ${evidenceText(first.live)}${lowered(first)}`
  const mark = sign(style, first.ignored === undefined ? 'info' : 'skipped')
  return [`${mark} ${first.version === '' ? '' : `${first.version}  `}${first.title}${place}${counted}${ignored}`]
}

function liveLines(live: LiveEvidence | undefined, style: TextStyle): string[] {
  if (live === undefined) return []
  const { dryRun, users, unread = [] } = live
  const said = {
    accepted: 'accepts the new definition (dry run)',
    refused: `refuses the new definition: ${dryRun.outcome === 'refused' ? dryRun.message : ''}`,
    unknown: `was not asked about the new definition: ${dryRun.outcome === 'unknown' ? dryRun.why : ''}`,
  }[dryRun.outcome]
  const mark = dryRun.outcome === 'accepted' ? 'passed' : dryRun.outcome === 'refused' ? 'error' : 'unknown'
  const other =
    live.direction === 'rollback' ? '; the cluster has the new definition: its objects tell of the way back' : ''
  return [
    `${sign(style, mark)} Kubernetes ${live.kubernetes} ${said}`,
    `   ${live.objects} objects looked at${other}`,
    ...users.flatMap(({ version, users: all, requests }) => [
      ...(requests === undefined ? [] : [`   ${version}: ${requests} requests since the API server started`]),
      ...all.map(
        ({ manager, objects, via, example }) =>
          `${sign(style, 'warning')} ${version} is used by ${manager} (${via}, ${objects} objects, such as ${example})`,
      ),
    ]),
    ...unread.map(({ what, why }) => `${sign(style, 'unknown')} not known: ${what} (${why})`),
  ]
}

function labelled(label: string, text: string, style: TextStyle): string[] {
  const [first = '', ...rest] = wrap(style, ' '.repeat(11), text)
  return [`    ${paint(style, 'dim', label.padEnd(7))}${first.trimStart()}`, ...rest]
}

function countsOf(findings: readonly CrdFinding[]): Counts {
  const counts: Counts = { error: 0, warning: 0, info: 0, ignored: 0 }
  for (const { level, ignored } of findings) counts[ignored === undefined ? level : 'ignored'] += 1
  return counts
}

function countsText({ error, warning, info, ignored }: Counts): string {
  const words = [
    ...(error > 0 ? [plural(error, 'error')] : []),
    ...(warning > 0 ? [plural(warning, 'warning')] : []),
    ...(info > 0 ? [`${info} to know`] : []),
    ...(ignored > 0 ? [`${ignored} ignored`] : []),
  ]
  return words.length === 0 ? 'nothing has changed' : words.join(', ')
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

function footer(report: CrdComparisonReport, style: TextStyle): string[] {
  const { verdict, counts, decidedBy, definitions } = report
  const decided = counts[decidedBy]
  const way = decidedBy === 'upgrade' ? 'upgrade' : 'rollback'
  const text = decided === undefined ? '' : ` (${way}: ${countsText(decided)})`
  if (verdict === 'blocked') {
    const refused = definitions.some((definition) => refusalOf(definition, decidedBy) !== undefined)
    // What the API server refuses, no configuration can accept.
    const next = refused
      ? `repair what the API server refuses${(decided?.error ?? 0) > 0 ? ', and the errors above' : ''}`
      : 'repair the errors above, or accept them with --config'
    return [`${paint(style, 'red', 'BLOCKED')}${text}. Next: ${next}.`]
  }
  if (verdict === 'warnings') return [`${paint(style, 'yellow', 'WARNINGS')}${text}. Next: read the warnings above.`]
  return [`${paint(style, 'green', 'PASSED')}${text}.`]
}
