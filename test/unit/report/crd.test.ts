/** Every form of the reports about definitions, whole, and what a hostile definition may not do to them. */
import { describe, expect, test } from 'vitest'
import { documentOf } from '../../../src/report/documents.ts'
import { renderDocument } from '../../../src/report/render.ts'
import { renderComparison } from '../../../src/report/render-crd.ts'
import { plainStyle } from '../../../src/report/style.ts'
import type { CrdFinding } from '../../../src/services/crd-report.types.ts'
import { crdifyShape } from '../../../src/services/crdify-shape.ts'
import { advice, comparison, difference, finding } from './crd-samples.ts'

const document = documentOf('CrdComparison', comparison)
const withFindings = (upgrade: CrdFinding[]) => {
  const [definition] = comparison.definitions
  if (definition === undefined) throw new Error('the sample has a definition')
  return documentOf('CrdComparison', { ...comparison, definitions: [{ ...definition, upgrade }] })
}

describe('whole reports', () => {
  test('for people', () => expect(renderComparison(document, 'human')).toMatchSnapshot())
  test('markdown', () => expect(renderComparison(document, 'markdown')).toMatchSnapshot())
  test('junit', () => expect(renderComparison(document, 'junit')).toMatchSnapshot())
  test('sarif', () => expect(renderComparison(document, 'sarif')).toMatchSnapshot())
  test('differences', () =>
    expect(renderDocument(documentOf('CrdDifference', difference), 'human', plainStyle)).toMatchSnapshot())
  test('advice', () => expect(renderDocument(documentOf('CrdAdvice', advice), 'human', plainStyle)).toMatchSnapshot())
})

describe('what a definition may say', () => {
  const hostile = 'a|b`c`<script>&"\'\u0000\u001b[2J\u202e\ud800](x)@me\n| x |'
  const text = (form: 'human' | 'markdown' | 'junit' | 'sarif') =>
    renderComparison(withFindings([{ ...finding, path: hostile, before: hostile, title: hostile }]), form)

  test('no control character reaches a terminal', () => {
    expect(text('human')).not.toMatch(/(?![\n\t])[\p{Cc}\u202e]/u)
  })

  test('junit is XML: nothing but entities, no character that XML lacks', () => {
    const xml = text('junit')
    expect(xml).not.toMatch(/<script|&(?!amp;|lt;|gt;|quot;|apos;)/)
    expect(xml).not.toMatch(/(?![\n\t])\p{Cc}/u)
    expect(xml.isWellFormed()).toBe(true)
  })

  test('markdown: each finding is one row of the same number of cells', () => {
    const rows = text('markdown')
      .split('\n')
      .filter((line) => line.startsWith('| error'))
    expect(rows).toHaveLength(1)
    expect(rows[0]?.split(/(?<!\\)\|/)).toHaveLength(8)
    expect(rows[0]?.split(/(?<!\\)\|/)[2]).not.toMatch(/<script|[@\]]/)
  })

  test('sarif is JSON, and its place a reference', () => {
    const { runs } = JSON.parse(text('sarif')) as { runs: { results: { locations: unknown }[] }[] }
    expect(runs[0]?.results.at(-1)?.locations).toMatchObject([
      { physicalLocation: { artifactLocation: { uri: 'config/crd/models.yaml' } } },
    ])
  })
})

describe('a definition that the API server refuses', () => {
  // It blocks without a finding: no form may look as if all were well.
  test.each([
    ['junit', /failures="1"[\s\S]*<failure type="live.definition.refused"[^>]*>no</],
    ['sarif', /"ruleId": "live.definition.refused",\s+"ruleIndex": \d+,\s+"level": "error"/],
    ['markdown', /\*\*Error:\*\* the API server refuses the new definition: `no`/],
    ['human', /BLOCKED.* Next: repair what the API server refuses/],
  ] as const)('%s', (form, expected) =>
    expect(renderComparison(withFindings([{ ...finding, level: 'info' }]), form)).toMatch(expected),
  )
})

test('sarif: every finding has a fingerprint of its own, and the index of its rule', () => {
  const findings = ['a', 'b', 'c'].map((name) => ({ ...finding, path: `^.spec.${name}` }))
  const { runs } = JSON.parse(renderComparison(withFindings(findings), 'sarif')) as {
    runs: {
      tool: { driver: { rules: { id: string }[] } }
      results: { ruleId: string; ruleIndex: number; partialFingerprints: { primaryLocationLineHash: string } }[]
    }[]
  }
  const [{ results, tool } = { results: [], tool: { driver: { rules: [] } } }] = runs
  expect(new Set(results.map(({ partialFingerprints: { primaryLocationLineHash: hash } }) => hash)).size).toBe(
    results.length,
  )
  expect(results.map(({ ruleIndex }) => tool.driver.rules[ruleIndex]?.id)).toEqual(results.map(({ ruleId }) => ruleId))
})

describe('a long report', () => {
  const kinds = Array.from({ length: 50 }, (_, kind) => ({ ...finding, id: `crd.kind.number-${kind}` }))
  const places = Array.from({ length: 500 }, (_, place) => ({ ...finding, path: `^.spec.x${place}` }))
  test.each([
    ['of many kinds', kinds, 'and 30 more kinds of findings'],
    ['of many places', places, 'and 494 more places'],
  ])('%s ends, and counts the rest', (_, findings, rest) => {
    const text = renderComparison(withFindings(findings), 'human')
    expect(text).toContain(rest)
    expect(text.split('\n').length).toBeLessThan(200)
  })

  test('json has all of it', () => {
    expect(renderComparison(withFindings(places), 'json').match(/"\^\.spec\.x\d+"/g)).toHaveLength(500)
  })
})

describe("crdify's shape", () => {
  const at = (fields: Partial<CrdFinding>): CrdFinding => ({ ...finding, ...fields })

  test.each<[string, CrdFinding[], object]>([
    ['nothing', [], {}],
    ['what is only told', [at({ level: 'info' })], {}],
    [
      'a failed validation of crdify, by its own name',
      [at({ id: 'crdify.enum', before: ['b'], after: undefined })],
      {
        sameVersionValidation: {
          v1alpha1: { '^.spec.engine': [{ name: 'enum', errors: [`${finding.title}: ["b"] -> nothing`] }] },
        },
      },
    ],
    [
      'the definition',
      [
        at({
          id: 'crd.scope.changed',
          scope: 'definition',
          version: '',
          path: '',
          before: 'Namespaced',
          after: 'Cluster',
        }),
      ],
      { crdValidation: [{ name: 'crd.scope.changed', errors: [`${finding.title}: "Namespaced" -> "Cluster"`] }] },
    ],
    [
      'a pair, only warned of',
      [at({ scope: 'served-pair', version: 'v1 -> v2', level: 'warning', before: undefined, after: undefined })],
      {
        servedVersionValidation: {
          'v1 -> v2': { '^.spec.engine': [{ name: finding.id, warnings: [finding.title] }] },
        },
      },
    ],
  ])('%s', (_, findings, expected) => expect(crdifyShape(findings)).toEqual(expected))

  test('keys are in order whatever the order of findings', () => {
    const findings = ['b', 'a', 'c'].flatMap((path) => ['v2', 'v1'].map((version) => at({ path, version })))
    const texts = [findings, findings.toReversed()].map((all) => JSON.stringify(crdifyShape(all)))
    expect(texts[0]).toBe(texts[1])
    expect(Object.keys(crdifyShape(findings).sameVersionValidation ?? {})).toEqual(['v1', 'v2'])
  })
})
