/** Findings that the operator takes upon themselves, each by its ID and with a reason. There is no blanket override. */

import { nearest } from '../report/nearest.ts'
import { Refusal } from '../report/refusal.ts'
import type { Finding } from './finding.types.ts'
import type { AcceptedFinding } from './report.types.ts'

export interface Acceptance {
  id: string
  reason: string
}

/**
 * Reads `ID=reason` as given with `--accept`.
 * Throws a `usage` Refusal where the reason is missing, the ID is not one of `ids`, or an ID comes twice.
 */
export function parseAcceptances(texts: readonly string[], ids: readonly string[]): Acceptance[] {
  const seen = new Set<string>()
  return texts.map((text) => {
    const at = text.indexOf('=')
    const id = (at < 0 ? text : text.slice(0, at)).trim()
    const reason = at < 0 ? '' : text.slice(at + 1).trim()
    if (!ids.includes(id)) throw unknownId(id, ids)
    if (reason === '') {
      throw new Refusal('usage', `--accept ${id} has no reason`, {
        why: 'An accepted finding is recorded together with the reason.',
        next: `--accept '${id}=why this is fine here'`,
      })
    }
    if (seen.has(id))
      throw new Refusal('usage', `--accept ${id} is given twice`, { next: 'give it once, with one reason' })
    seen.add(id)
    return { id, reason }
  })
}

/** The refusal for an ID that no check has, naming the nearest ones. */
export function unknownId(id: string, ids: readonly string[]): Refusal {
  const near = nearest(id, ids)
  return new Refusal('usage', `no check has the ID ${JSON.stringify(id)}`, {
    why: near.length > 0 ? `The nearest are: ${near.join(', ')}.` : undefined,
    next: near[0] ? `kubectl airunway explain ${near[0]}` : 'kubectl airunway explain',
  })
}

/**
 * Parts the findings into those that count and those that are accepted.
 * Throws a `usage` Refusal where an acceptance meets a finding that cannot be accepted.
 */
export function applyAcceptances(
  findings: readonly Finding[],
  acceptances: readonly Acceptance[],
): { open: Finding[]; accepted: AcceptedFinding[]; unused: Acceptance[] } {
  const open: Finding[] = []
  const accepted: AcceptedFinding[] = []
  for (const finding of findings) {
    const acceptance = acceptances.find(({ id }) => id === finding.id)
    if (acceptance && !finding.acceptable) throw notAcceptable(finding)
    if (acceptance) accepted.push({ reason: acceptance.reason, finding })
    else open.push(finding)
  }
  const used = new Set(accepted.map(({ finding }) => finding.id))
  return { open, accepted, unused: acceptances.filter(({ id }) => !used.has(id)) }
}

function notAcceptable(finding: Finding): Refusal {
  return new Refusal('usage', `${finding.id} cannot be accepted: ${finding.title}`, {
    why: `${finding.cause} Accepting it would not make it work.`,
    next: finding.fix.command ?? finding.fix.text,
  })
}
