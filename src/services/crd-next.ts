/** The verb `crd next`: how a wanted change gets into releases. */
import { adviseNext } from '../crds/comparison/advice.ts'
import { documentOf, type ReportDocument } from '../report/documents.ts'
import { refusingDepth } from './crd-check.ts'
import { type JudgingRequest, readJudging } from './crd-judging.ts'
import { type CrdRequest, placesOf, withPairs } from './crd-pairs.ts'
import type { CrdAdviceReport } from './crd-report.types.ts'

export interface CrdNextRequest extends CrdRequest, JudgingRequest {
  /** the number of the release that comes next */
  nextRelease?: string | undefined
}

/** Throws Refusal `usage` for what was typed or read, ReleaseError, and what a client throws. */
export async function crdNext(request: CrdNextRequest): Promise<ReportDocument<'CrdAdvice'>> {
  const { nextRelease } = request
  return withPairs(request, async ({ pairs, access }) => {
    const judging = await readJudging(request, access)
    const report: CrdAdviceReport = {
      metadata: { before: request.before, after: request.after },
      advice: [],
      unpaired: [],
    }
    for (const pair of pairs) {
      const { before, after, name } = pair
      const { presence } = placesOf(pair)
      if (before === undefined || after === undefined) {
        if (presence !== 'both') report.unpaired.push({ name, presence })
        continue
      }
      const profile = judging.profileOf(after.definition)
      const options = { profile, context: judging.contextOf(name), ...(nextRelease !== undefined && { nextRelease }) }
      report.advice.push(refusingDepth(pair, () => adviseNext(before.definition, after.definition, options)))
    }
    return documentOf('CrdAdvice', report)
  })
}
