/** A comparison as SARIF 2.1.0, for code hosts that show findings beside a change. */
import { createHash } from 'node:crypto'
import type { Level } from '../crds/comparison/comparison.types.ts'
import type { DefinitionFindings } from '../services/crd-report.types.ts'
import {
  evidenceText,
  hurtBy,
  type PlacedFinding,
  placedFindings,
  placeText,
  refusalOf,
  refused,
  valueText,
} from './crd-words.ts'
import type { ReportDocument } from './documents.ts'

const levels: Record<Level, string> = { error: 'error', warning: 'warning', info: 'note' }

/** JSON with two spaces, ending with a newline. */
export function renderSarif(document: ReportDocument<'CrdComparison'>): string {
  const findings = placedFindings(document)
  const refusals = document.definitions.flatMap((definition) => {
    const message = refusalOf(definition, 'upgrade')
    return message === undefined ? [] : [{ definition, message }]
  })
  const rules = new Map<string, RuleText>(findings.map(({ finding }) => [finding.id, finding] as const))
  if (refusals.length > 0) rules.set(refused.id, { ...refused, why: 'It was sent as a dry run.', fix: '' })
  const ids = [...rules.keys()].toSorted()
  const indexOf = new Map(ids.map((id, index) => [id, index] as const))
  const results = [
    ...refusals.map((refusal) => refusedResult(refusal, document.decidedBy)),
    ...findings.map((placed) => resultOf(placed, document.decidedBy)),
  ]
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'kubectl-airunway',
            rules: [...rules.values()]
              .toSorted((one, other) => (one.id < other.id ? -1 : 1))
              .map(({ id, title, why, fix }) => ({
                id,
                shortDescription: { text: title },
                fullDescription: { text: why || title },
                help: { text: fix || why || title },
              })),
          },
        },
        results: results.map(({ ruleId, ...result }) => ({ ruleId, ruleIndex: indexOf.get(ruleId), ...result })),
      },
    ],
  }
  return `${JSON.stringify(sarif, null, 2)}\n`
}

type RuleText = Pick<PlacedFinding['finding'], 'id' | 'title' | 'why' | 'fix'>

/** Without a line of their own, all findings of a file are on its first one. */
const locationsOf = (definition: DefinitionFindings, place: string) => [
  {
    physicalLocation: {
      artifactLocation: { uri: uriOf(definition.after ?? definition.before ?? definition.name) },
      region: { startLine: 1 },
    },
    logicalLocations: [{ fullyQualifiedName: `${definition.name} ${place}` }],
  },
]

/**
 * What a finding is known by from run to run. Code hosts that are given none take the text of the line, which is the same for
 * all findings of a file: they would be one alert, and who dismisses it would dismiss all of them.
 */
const fingerprintsOf = (...words: unknown[]) => ({
  primaryLocationLineHash: createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 32),
})

function refusedResult(
  { definition, message }: { definition: DefinitionFindings; message: string },
  decidedBy: string,
) {
  return {
    ruleId: refused.id,
    level: decidedBy === 'upgrade' ? 'error' : 'note',
    message: { text: `${refused.title} (${definition.name}): ${message}` },
    locations: locationsOf(definition, 'the definition'),
    partialFingerprints: fingerprintsOf(definition.name, 'upgrade', refused.id),
    properties: { direction: 'upgrade' },
  }
}

/** The way back only tells: on a code host it must not look like a reason not to merge. */
function resultOf({ definition, direction, finding }: PlacedFinding, decidedBy: string) {
  const { id, level, title, audiences, before, after, ignored, live } = finding
  const sides = before === undefined && after === undefined ? '' : ` ${valueText(before)} -> ${valueText(after)}.`
  const way = direction === 'rollback' ? 'On the way back: ' : ''
  const counted = live === undefined ? '' : ` ${evidenceText(live)}.`
  const text = `${way}${title} (${definition.name}, ${placeText(finding)}).${sides} Hurts ${hurtBy(audiences)}.${counted}`
  return {
    ruleId: id,
    level: direction === decidedBy ? levels[level] : 'note',
    message: { text },
    locations: locationsOf(definition, placeText(finding)),
    partialFingerprints: fingerprintsOf(definition.name, direction, id, finding.version, finding.path, before, after),
    ...(ignored && { suppressions: [{ kind: 'external', justification: ignored.reason }] }),
    properties: { direction, audiences },
  }
}

/** A path as a relative reference, as code hosts want it; `cluster:NAME` and the like are taken for a scheme. */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/').replace(/^\.\//, '')
  return /^(cluster|git|release):/.test(path) ? encodeURI(path) : path.split('/').map(encodeURIComponent).join('/')
}
