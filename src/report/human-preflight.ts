/** The preflight report as one screen: what is fine in one line a group, what is not with cause and next command. */
import type { CheckGroup } from '../preflight/check.types.ts'
import type { Finding } from '../preflight/finding.types.ts'
import type { CheckOutcome, PreflightReport } from '../preflight/report.types.ts'
import { paint, type Sign, sign, type TextStyle, wrap } from './style.ts'

const GROUPS: readonly { group: CheckGroup; title: string }[] = [
  { group: 'installation', title: 'Installation' },
  { group: 'kubernetes', title: 'Kubernetes' },
  { group: 'operators', title: 'Provider operators' },
  { group: 'crds', title: 'CRDs and stored objects' },
  { group: 'release', title: 'Release' },
]

const WORST: readonly Sign[] = ['error', 'warning', 'unknown', 'info', 'passed', 'skipped']

/** How many objects one finding names before it says "and N more". */
const OBJECTS_SHOWN = 5

/** How many commands stand below findings that are told once. */
const COMMANDS_SHOWN = 5

/** Gives the whole text, ending with a newline. */
export function renderPreflight(report: PreflightReport, style: TextStyle): string {
  const blocks = [
    header(report, style),
    GROUPS.flatMap(({ group, title }) =>
      groupLines(
        title,
        report.checks.filter((check) => check.group === group),
        style,
      ),
    ),
    ...alike(report.findings).map((findings) => findingLines(findings, style)),
    report.accepted.flatMap(({ finding, reason }) => acceptedLines(finding, reason, style)),
    report.unused.map(({ id }) => `${sign(style, 'info')} --accept ${id} was not needed: nothing was found`),
    footer(report, style),
  ]
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function header(report: PreflightReport, style: TextStyle): string[] {
  const { cluster, time } = report.metadata
  const arrow = style.unicode ? '→' : '->'
  const from = report.from ?? 'version unknown'
  const product = report.product ?? 'AI Runway'
  return [
    paint(style, 'bold', report.to ? `${product} ${from} ${arrow} ${report.to.version}` : `${product} ${from}`),
    `cluster  ${cluster.context ? `${cluster.context} (${cluster.server})` : cluster.server}, Kubernetes ${cluster.kubernetes}`,
    ...(report.to ? [`release  ${report.to.source}`] : []),
    `read     ${time}`,
  ]
}

/** One line where all is well; the checks by name where something is not. */
function groupLines(title: string, checks: readonly CheckOutcome[], style: TextStyle): string[] {
  const ran = checks.filter(({ status }) => status !== 'skipped')
  if (ran.length === 0) return []
  const fine = ran.filter(({ status }) => status === 'passed' || status === 'info').length
  const worst = WORST.find((status) => ran.some((check) => check.status === status)) ?? 'passed'
  const rest = ran.filter(({ status }) => status === 'error' || status === 'warning' || status === 'unknown')
  return [
    `${sign(style, worst)} ${title.padEnd(24)} ${fine}/${ran.length} checks passed`,
    ...rest.map(({ status, title: right }) => {
      const words = status === 'unknown' ? 'not known whether' : 'not so'
      return `    ${sign(style, status)} ${words}: ${right}`
    }),
  ]
}

/** Findings that differ in their object only are told once. */
function alike(findings: readonly Finding[]): Finding[][] {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.id, finding.severity, finding.evidence, finding.cause])
    const group = groups.get(key)
    if (group) group.push(finding)
    else groups.set(key, [finding])
  }
  return [...groups.values()]
}

function findingLines(findings: readonly Finding[], style: TextStyle): string[] {
  const [first] = findings
  if (!first) return []
  if (first.severity === 'info') return [`${sign(style, 'info')} ${first.id}: ${first.title}`]
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more alike)` : ''
  return [
    `${sign(style, first.severity)} ${paint(style, 'bold', first.id)}: ${first.title}${more}`,
    ...objectLines(findings, style),
    ...labelled('found', evidenceText(first.evidence), style),
    ...labelled('cause', first.cause, style),
    ...labelled('fix', first.fix.text, style),
    ...commandLines(findings),
    ...labelled('more', `kubectl airunway explain ${first.id}`, style),
  ]
}

/** Each command once. None is ever broken into lines: they are there to be copied. */
function commandLines(findings: readonly Finding[]): string[] {
  const commands = [...new Set(findings.flatMap(({ fix }) => (fix.command === undefined ? [] : [fix.command])))]
  const rest = commands.length - COMMANDS_SHOWN
  return [
    ...commands.slice(0, COMMANDS_SHOWN).map((command) => `             $ ${command}`),
    ...(rest > 0 ? [`             and ${rest} more like these`] : []),
  ]
}

function objectLines(findings: readonly Finding[], style: TextStyle): string[] {
  const names = findings.flatMap(({ object }) =>
    object ? [`${object.kind} ${object.namespace ? `${object.namespace}/` : ''}${object.name}`] : [],
  )
  if (names.length === 0) return []
  const rest = names.length - OBJECTS_SHOWN
  const shown = names.slice(0, OBJECTS_SHOWN).join(', ')
  return labelled('object', rest > 0 ? `${shown} and ${rest} more` : shown, style)
}

function evidenceText(evidence: Record<string, unknown>): string {
  return Object.entries(evidence)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join(', ')
}

function labelled(label: string, text: string, style: TextStyle): string[] {
  const [first = '', ...rest] = wrap(style, ' '.repeat(11), text)
  return [`    ${paint(style, 'dim', label.padEnd(7))}${first.trimStart()}`, ...rest]
}

function acceptedLines(finding: Finding, reason: string, style: TextStyle): string[] {
  return [`${sign(style, 'skipped')} accepted ${finding.id} [${finding.evidenceHash}]: ${reason}`]
}

function footer(report: PreflightReport, style: TextStyle): string[] {
  const { error, warning, accepted } = report.counts
  const counts = [
    ...(error > 0 ? [plural(error, 'error')] : []),
    ...(warning > 0 ? [plural(warning, 'warning')] : []),
    ...(accepted > 0 ? [`${accepted} accepted`] : []),
  ].join(', ')
  const tail = counts === '' ? '' : ` (${counts})`
  const { next, to, verdict } = report
  if (verdict === 'blocked') {
    return [`${paint(style, 'red', 'BLOCKED')}${tail}. Next: repair the errors above, then run preflight again.`]
  }
  // neither blocked nor anything to go on with
  const already = to && next === undefined ? ` ${to.version} runs already:` : ''
  if (verdict === 'warnings') {
    const words = next ? `go on with  ${next}` : 'read the warnings above'
    return [`${paint(style, 'yellow', 'WARNINGS')}${tail}.${already || ' Next:'} ${words}`]
  }
  const words = next ? ` Next: ${next}` : `${already}${already ? ' nothing' : ' Nothing'} to do.`
  return [`${paint(style, 'green', 'PASSED')}${tail}.${words}`]
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
