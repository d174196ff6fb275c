/** A comparison as JUnit XML: a suite for each definition and direction, a failed case for each error. */
import type { CrdComparisonReport, CrdFinding, DefinitionFindings, Direction } from '../services/crd-report.types.ts'
import { evidenceText, hurtBy, placeText, refusalOf, refused, valueText } from './crd-words.ts'

/** The whole file, ending with a newline. */
export function renderJunit({ definitions, decidedBy }: CrdComparisonReport): string {
  const suites = definitions.flatMap((definition) => suitesOf(definition, decidedBy))
  const sum = (of: 'tests' | 'failures') => suites.reduce((total, suite) => total + suite[of], 0)
  const lines = suites.flatMap(({ lines: all }) => all)
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kubectl airunway crd check" tests="${sum('tests')}" failures="${sum('failures')}">`,
    ...lines,
    '</testsuites>',
  ].join('\n')}\n`
}

interface Suite {
  tests: number
  failures: number
  lines: string[]
}

function suitesOf(definition: DefinitionFindings, decidedBy: Direction): Suite[] {
  return (['upgrade', 'rollback'] as const).flatMap((direction) => {
    const findings = definition[direction]
    if (findings === undefined) return []
    const name = `${definition.name} ${direction}`
    // The way back only tells: a red suite would block what is not blocked.
    const fails = (finding: CrdFinding) => direction === decidedBy && finding.level === 'error'
    const refusal = refusalOf(definition, direction)
    const cases = [
      ...(refusal === undefined ? [] : refusalLines(refusal, name, direction === decidedBy)),
      ...findings.flatMap((finding) => caseLines(finding, name, fails(finding))),
    ]
    const told = refusal === undefined ? 0 : 1
    const failures = findings.filter(fails).length + (direction === decidedBy ? told : 0)
    const tests = Math.max(1, findings.length + told)
    const empty = [`    <testcase classname="${escaped(name)}" name="nothing has changed"/>`]
    const head = `  <testsuite name="${escaped(name)}" tests="${tests}" failures="${failures}">`
    return [{ tests, failures, lines: [head, ...(cases.length === 0 ? empty : cases), '  </testsuite>'] }]
  })
}

/** No finding is needed for it: it blocks by itself. */
function refusalLines(message: string, suite: string, fails: boolean): string[] {
  const text = escaped(message)
  return [
    `    <testcase classname="${escaped(suite)}" name="${refused.id}">`,
    fails
      ? `      <failure type="${refused.id}" message="${refused.title}">${text}</failure>`
      : `      <system-out>error: ${text}</system-out>`,
    '    </testcase>',
  ]
}

function caseLines(finding: CrdFinding, suite: string, fails: boolean): string[] {
  const { id, level, title } = finding
  const opening = `    <testcase classname="${escaped(suite)}" name="${escaped(`${id} ${placeText(finding)}`)}">`
  const text = escaped(textOf(finding))
  const body = fails
    ? `      <failure type="${escaped(id)}" message="${escaped(title)}">${text}</failure>`
    : `      <system-out>${level}: ${text}</system-out>`
  return [opening, body, '    </testcase>']
}

function textOf({ title, why, fix, before, after, audiences, ignored, live }: CrdFinding): string {
  return [
    title,
    ...(before === undefined && after === undefined ? [] : [`${valueText(before)} -> ${valueText(after)}`]),
    `hurts ${hurtBy(audiences)}`,
    ...(live === undefined ? [] : [evidenceText(live)]),
    ...(ignored === undefined ? [] : [`ignored: ${ignored.reason}`]),
    ...[why, fix].filter((text) => text !== ''),
  ].join('\n')
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** XML has no way at all to write most control characters and lone halves of surrogate pairs. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/(?![\n\t])\p{Cc}|[\uFFFE\uFFFF]/gu, '?')
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
}
