/** A comparison as Markdown, for a comment on a pull request: a table for each definition and direction. */
import type { CrdComparisonReport, CrdFinding, DefinitionFindings, Direction } from '../services/crd-report.types.ts'
import { evidenceText, hurtBy, placeText, refusalOf, refused, valueText } from './crd-words.ts'

/** How many rows a table has: comments have a limit of their own. */
const ROWS_SHOWN = 100

const verdicts = { blocked: 'Blocked', warnings: 'Only warnings', passed: 'Passed' }

/** The whole text, ending with a newline. */
export function renderMarkdown(report: CrdComparisonReport): string {
  const { before, after } = report.metadata
  const blocks = [
    `## ${verdicts[report.verdict]}: ${code(before)} to ${code(after)}`,
    ...report.definitions.flatMap((definition) => [
      `### ${code(definition.name)}, profile ${definition.profile}`,
      ...refusal(definition),
      ...(['upgrade', 'rollback'] as const).flatMap((direction) => table(definition, direction)),
    ]),
  ]
  return `${blocks.join('\n\n')}\n`
}

function refusal(definition: DefinitionFindings): string[] {
  const message = refusalOf(definition, 'upgrade')
  return message === undefined ? [] : [`**Error:** ${refused.title}: ${code(message)}`]
}

function table(definition: DefinitionFindings, direction: Direction): string[] {
  const findings = definition[direction]
  if (findings === undefined) return []
  const title = direction === 'upgrade' ? 'Upgrade' : 'Rollback'
  if (findings.length === 0) return [`${title}: nothing has changed.`]
  const order = ['error', 'warning', 'info']
  const sorted = findings.toSorted((one, other) => order.indexOf(one.level) - order.indexOf(other.level))
  const rest = sorted.length - ROWS_SHOWN
  const rows = sorted.slice(0, ROWS_SHOWN).map(row)
  return [
    `**${title}**`,
    ['| level | what | where | before | after | hurts |', '|---|---|---|---|---|---|', ...rows].join('\n'),
    ...(rest > 0 ? [`and ${rest} more.`] : []),
  ]
}

function row(finding: CrdFinding): string {
  const { level, title, id, before, after, audiences, ignored, live } = finding
  const side = (value: unknown) => (value === undefined ? '' : code(valueText(value, 120)))
  const notes = [
    ...(ignored === undefined ? [] : [`ignored: ${ignored.reason}`]),
    ...(live === undefined ? [] : [evidenceText(live)]),
  ]
  const what = [`${cell(title)} (${code(id)})`, ...notes.map(cell)].join('; ')
  return `| ${level} | ${what} | ${code(placeText(finding))} | ${side(before)} | ${side(after)} | ${hurtBy(audiences)} |`
}

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ')

/** Text in a cell: nothing of it is a table, a link, markup or a mention. */
const cell = (text: string): string =>
  oneLine(text).replaceAll(/[|`*_<>[\]@&#~]/g, (character) => `&#${character.charCodeAt(0)};`)

/** In a table a bar ends the cell even inside of code. */
const code = (text: string): string => {
  const line = oneLine(text).replaceAll('|', '\\|')
  const fence = line.includes('`') ? '``' : '`'
  return `${fence}${line.startsWith('`') || line.endsWith('`') ? ` ${line} ` : line}${fence}`
}
