/** The verb `crd check`: compares definitions, judges the changes, and looks at a cluster's objects where that is asked for. */
import { compare, compareAdded } from '../crds/comparison/compare.ts'
import type {
  Change,
  ChangeText,
  Comparison,
  ComparisonConfig,
  ComparisonOptions,
  Finding,
} from '../crds/comparison/comparison.types.ts'
import { judge } from '../crds/comparison/judge.ts'
import { TooDeep } from '../crds/comparison/schema-reading.ts'
import { documentOf, type ReportDocument } from '../report/documents.ts'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { type JudgingRequest, readJudging } from './crd-judging.ts'
import { type CrdRequest, type DefinitionPair, type Opened, placesOf, subjectOf, withPairs } from './crd-pairs.ts'
import type { Counts, CrdComparisonReport, CrdFinding, DefinitionFindings, Direction } from './crd-report.types.ts'
import { sidesOf } from './crd-values.ts'
import { crdifyShape } from './crdify-shape.ts'

export interface CrdCheckRequest extends CrdRequest, JudgingRequest {
  /** both, unless one is asked for */
  only?: Direction | undefined
  /** look at the objects of the cluster */
  live: boolean
  progress: Progress
}

/** Throws Refusal `usage` for what was typed or read, ReleaseError, and what a client throws. */
export async function crdCheck(request: CrdCheckRequest): Promise<ReportDocument<'CrdComparison'>> {
  return withPairs(request, async (opened) => {
    const judging = await readJudging(request, opened.access)
    noteEnded(judging.config, request)
    const definitions: DefinitionFindings[] = []
    for (const pair of opened.pairs) {
      const { config } = judging
      const profile = judging.profileOf(subjectOf(pair))
      const options = { profile, context: judging.contextOf(pair.name), ...(config && { config }) }
      const compared = refusingDepth(pair, () => comparisonOf(pair, options))
      const comparison = request.live ? await withCluster(pair, compared, opened, request) : compared
      definitions.push(printable(pair, comparison, request.only))
    }
    return documentOf('CrdComparison', reportOf(request, definitions))
  })
}

/** Else nobody would know why what passed yesterday is blocked today. */
function noteEnded(config: ComparisonConfig | undefined, { config: file, today, note }: CrdCheckRequest): void {
  const day = today.toISOString().slice(0, 10)
  for (const { id, until } of config?.ignore ?? []) {
    if (until !== undefined && day > until) note(`${file}: what ignores ${id} ended on ${until}`)
  }
}

const goneText: ChangeText = {
  title: 'the definition is gone',
  why: 'With a definition the API server deletes all of its objects.',
  fix: 'Keep it in the release, or export its objects and have each owner delete them first.',
}

const newText: ChangeText = {
  title: 'the definition is new',
  why: 'No object of it exists.',
  fix: 'Nothing is to be done.',
}

/** A definition that only one side has. Levels and ignores of the configuration hold for these findings, too. */
function presence(kind: 'removed' | 'added', options: ComparisonOptions): Finding[] {
  const removed = kind === 'removed'
  const change: Change = {
    id: `crd.definition.${kind}`,
    scope: 'definition',
    version: '',
    path: '',
    audiences: removed ? ['writer', 'reader', 'stored'] : [],
    level: removed ? 'error' : 'info',
  }
  return judge([change], options).map((finding) => ({ ...finding, ...(removed ? goneText : newText) }))
}

function comparisonOf({ name, before, after }: DefinitionPair, options: ComparisonOptions): Comparison {
  if (before !== undefined && after !== undefined) return compare(before.definition, after.definition, options)
  const [gone, added] = [presence('removed', options), presence('added', options)]
  if (after === undefined) return { name, profile: options.profile, upgrade: gone, rollback: added }
  const { upgrade } = compareAdded(after.definition, options)
  return { name, profile: options.profile, upgrade: [...added, ...upgrade], rollback: gone }
}

/** Does it, and says of which definition it is that a schema nests too deep. */
export function refusingDepth<Some>({ name }: DefinitionPair, does: () => Some): Some {
  try {
    return does()
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    throw new Refusal('usage', `${name} cannot be compared: ${error.message}.`, { cause: error })
  }
}

async function withCluster(
  { name, before, after }: DefinitionPair,
  comparison: Comparison,
  opened: Opened,
  { progress, signal }: CrdCheckRequest,
): Promise<Comparison> {
  if (before === undefined || after === undefined) return comparison
  const { gatherEvidence } = await import('../installation/crd-evidence.ts')
  const task = progress.task(`Reading the objects of ${name}`)
  try {
    const sides = { before: before.definition, after: after.definition }
    const options = { onProgress: (objects: number) => task.update(`${objects} objects`), ...(signal && { signal }) }
    const found = await gatherEvidence(await opened.client(), comparison, sides, options)
    task.done()
    return found
  } catch (error) {
    task.fail('they could not be read')
    throw error
  }
}

function printable(pair: DefinitionPair, comparison: Comparison, only: Direction | undefined): DefinitionFindings {
  const { profile, upgrade, rollback, live } = comparison
  return {
    ...placesOf(pair),
    profile,
    ...(only !== 'rollback' && { upgrade: upgrade.map(printableFinding) }),
    ...(only !== 'upgrade' && { rollback: rollback.map(printableFinding) }),
    ...(live && { live }),
  }
}

function printableFinding(finding: Finding): CrdFinding {
  const printed = { ...finding, ...sidesOf(finding) }
  delete printed.node
  return printed
}

function reportOf({ before, after, only }: CrdCheckRequest, definitions: DefinitionFindings[]): CrdComparisonReport {
  const decidedBy = only ?? 'upgrade'
  const findings = (direction: Direction) => definitions.flatMap((definition) => definition[direction] ?? [])
  const { error, warning } = countsOf(findings(decidedBy))
  const [first, ...others] = definitions
  const single = first !== undefined && others.length === 0 ? crdifyShape(first[decidedBy] ?? []) : {}
  // No rule knows better than the API server itself.
  const refused = definitions.some(({ live }) => live?.dryRun.outcome === 'refused') && decidedBy === 'upgrade'
  return {
    metadata: { before, after },
    verdict: error > 0 || refused ? 'blocked' : warning > 0 ? 'warnings' : 'passed',
    decidedBy,
    counts: {
      ...(only !== 'rollback' && { upgrade: countsOf(findings('upgrade')) }),
      ...(only !== 'upgrade' && { rollback: countsOf(findings('rollback')) }),
    },
    definitions,
    ...single,
  }
}

function countsOf(findings: readonly CrdFinding[]): Counts {
  const ignored = findings.filter((finding) => finding.ignored !== undefined).length
  const count = (level: CrdFinding['level']) => findings.filter((finding) => finding.level === level).length
  return { error: count('error'), warning: count('warning'), info: count('info') - ignored, ignored }
}
