/** A comparison as SARIF 2.1.0, for code hosts that show findings beside a change. */
import type { Level } from '../crds/comparison/comparison.types.ts'
import { evidenceText, hurtBy, type PlacedFinding, placedFindings, placeText, valueText } from './crd-words.ts'
import type { ReportDocument } from './documents.ts'

const levels: Record<Level, string> = { error: 'error', warning: 'warning', info: 'note' }

/** JSON with two spaces, ending with a newline. */
export function renderSarif(document: ReportDocument<'CrdComparison'>): string {
  const findings = placedFindings(document)
  const rules = new Map(findings.map(({ finding }) => [finding.id, finding] as const))
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
                ...(why !== '' && { fullDescription: { text: why } }),
                ...(fix !== '' && { help: { text: fix } }),
              })),
          },
        },
        results: findings.map((placed) => resultOf(placed, document.decidedBy)),
      },
    ],
  }
  return `${JSON.stringify(sarif, null, 2)}\n`
}

/** The way back only tells: on a code host it must not look like a reason not to merge. */
function resultOf({ definition, direction, finding }: PlacedFinding, decidedBy: string) {
  const { id, level, title, audiences, before, after, ignored, live } = finding
  const sides = before === undefined && after === undefined ? '' : ` ${valueText(before)} -> ${valueText(after)}.`
  const way = direction === 'rollback' ? 'On the way back: ' : ''
  const counted = live === undefined ? '' : ` ${evidenceText(live)}.`
  const text = `${way}${title} (${definition.name}, ${placeText(finding)}).${sides} Hurts ${hurtBy(audiences)}.${counted}`
  const file = definition.after ?? definition.before ?? definition.name
  return {
    ruleId: id,
    level: direction === decidedBy ? levels[level] : 'note',
    message: { text },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(file) } },
        logicalLocations: [{ fullyQualifiedName: `${definition.name} ${placeText(finding)}` }],
      },
    ],
    ...(ignored && { suppressions: [{ kind: 'external', justification: ignored.reason }] }),
    properties: { direction, audiences },
  }
}

/** A path as a relative reference, as code hosts want it; `cluster:NAME` and the like are taken for a scheme. */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/').replace(/^\.\//, '')
  return /^(cluster|git|release):/.test(path) ? encodeURI(path) : path.split('/').map(encodeURIComponent).join('/')
}
