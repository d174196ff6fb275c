/** What evidence from a cluster makes of the levels of findings. Pure. */
import type { Audience, Comparison, Finding, Level } from './comparison.types.ts'
import type { LiveEvidence, StoredEvidence } from './evidence.types.ts'

/** What was counted for one finding. */
export type Counted = Omit<StoredEvidence, 'levelBefore'>

export interface Evidence {
  live: LiveEvidence
  /** of findings of either direction */
  stored: ReadonlyMap<Finding, Counted>
}

/** Who a finding still hurts when no stored object is hurt now. */
type Left = 'writers' | 'readers' | 'nobody'

/**
 * The level of a finding that would hurt stored objects, where none of them is hurt now.
 *
 * - Writers are still hurt: no object holds such a value now, but the next manifest may, and it will be refused.
 * - Readers see only what objects hold, so no client meets anything new now; those to come may bring it.
 * - Nobody else was hurt: what is left is an object that comes between the look and the change, hence no error, yet a line.
 *
 * No level is higher than before, and none becomes nothing: a count is true when it was made and proves nothing about later.
 */
export const levelsWithoutStored: Readonly<Record<Left, Readonly<Record<Level, Level>>>> = {
  writers: { error: 'error', warning: 'warning', info: 'info' },
  readers: { error: 'warning', warning: 'info', info: 'info' },
  nobody: { error: 'warning', warning: 'info', info: 'info' },
}

/**
 * Kinds that no count of objects excuses. A version that goes hurts clients whose requests leave no trace in objects, and the
 * version in which an object is stored cannot be seen from outside, so an object written in it long ago may look like any other.
 */
const beyondCounting: readonly string[] = ['crd.version.', 'crd.storage.']

/** Adds what was counted to the findings, and lowers the levels of those that hurt no object now. */
export function withEvidence(comparison: Comparison, { live, stored }: Evidence): Comparison {
  const proven = (finding: Finding): Finding => {
    const counted = stored.get(finding)
    return counted === undefined ? finding : { ...finding, ...judged(finding, counted) }
  }
  return { ...comparison, upgrade: comparison.upgrade.map(proven), rollback: comparison.rollback.map(proven), live }
}

function judged(finding: Finding, counted: Counted): Pick<Finding, 'level' | 'live'> {
  const live = { ...counted, levelBefore: finding.level }
  const excusable = finding.audiences.includes('stored') && !beyondCounting.some((id) => finding.id.startsWith(id))
  if (counted.affected > 0 || !excusable) return { level: finding.level, live }
  return { level: levelsWithoutStored[leftOf(finding.audiences)][finding.level], live }
}

function leftOf(audiences: readonly Audience[]): Left {
  if (audiences.includes('writer')) return 'writers'
  return audiences.includes('reader') ? 'readers' : 'nobody'
}
