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

const WORST: readonly Sign[] = ['error', 'warning', 'info', 'passed', 'skipped']

/** How many objects one finding names before it says "and N more". */
const OBJECTS_SHOWN = 5

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
  const rest = ran.filter(({ status }) => status === 'error' || status === 'warning')
  return [
    `${sign(style, worst)} ${title.padEnd(24)} ${fine}/${ran.length} checks passed`,
    ...rest.map((check) => `    ${sign(style, check.status)} not so: ${check.title}`),
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
    // a command is never broken: it is there to be copied
    ...(first.fix.command ? [`             $ ${first.fix.command}`] : []),
    ...labelled('more', `kubectl airunway explain ${first.id}`, style),
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
  const upgrade = report.to && `kubectl airunway upgrade --to ${report.to.version}`
  switch (report.verdict) {
    case 'blocked':
      return [`${paint(style, 'red', 'BLOCKED')}${tail}. Next: repair the errors above, then run preflight again.`]
    case 'warnings': {
      const next = upgrade ? `go on with  ${upgrade}` : 'read the warnings above'
      return [`${paint(style, 'yellow', 'WARNINGS')}${tail}. Next: ${next}`]
    }
    case 'passed':
      return [`${paint(style, 'green', 'PASSED')}${tail}.${upgrade ? ` Next: ${upgrade}` : ' Nothing to do.'}`]
  }
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
