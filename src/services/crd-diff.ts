/** The verb `crd diff`: what has changed, without any judgement. */
import { compareDefinitions } from '../crds/comparison/compare-definitions.ts'
import type { Change } from '../crds/comparison/comparison.types.ts'
import { documentOf, type ReportDocument } from '../report/documents.ts'
import { refusingDepth } from './crd-check.ts'
import { type CrdRequest, type DefinitionPair, placesOf, withPairs } from './crd-pairs.ts'
import type { DefinitionChanges } from './crd-report.types.ts'
import { sidesOf } from './crd-values.ts'

/** Throws Refusal `usage` for what was typed or read, ReleaseError, and what a client throws. */
export async function crdDiff(request: CrdRequest): Promise<ReportDocument<'CrdDifference'>> {
  return withPairs(request, async ({ pairs }) => {
    const definitions = pairs.map(changesOf)
    const alone = definitions.filter(({ presence }) => presence !== 'both').length
    return documentOf('CrdDifference', {
      metadata: { before: request.before, after: request.after },
      changes: alone + definitions.reduce((sum, { changes }) => sum + changes.length, 0),
      definitions,
    })
  })
}

function changesOf(pair: DefinitionPair): DefinitionChanges {
  const { before, after } = pair
  if (before === undefined || after === undefined) return { ...placesOf(pair), changes: [] }
  const changes = refusingDepth(pair, () => compareDefinitions(before.definition, after.definition))
  return { ...placesOf(pair), changes: changes.map(plain) }
}

function plain({ id, scope, version, path, before, after }: Change): DefinitionChanges['changes'][number] {
  return { id, scope, version, path, ...sidesOf({ before, after }) }
}
