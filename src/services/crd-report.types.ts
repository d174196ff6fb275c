/** What the commands about definitions give. */
import type { Advice } from '../crds/comparison/advice.types.ts'
import type { Change, Finding, Level, ProfileName } from '../crds/comparison/comparison.types.ts'
import type { LiveEvidence } from '../crds/comparison/evidence.types.ts'

/** A finding as it is printed: without the schemas that it was made from. */
export type CrdFinding = Omit<Finding, 'node'>
export type Direction = 'upgrade' | 'rollback'
export type Counts = Record<Level | 'ignored', number>

interface DefinitionPlaces {
  name: string
  /** `added`: only the new side has it. `removed`: only the old side */
  presence: 'both' | 'added' | 'removed'
  /** file or other place on the old side */
  before?: string
  after?: string
}

export interface DefinitionFindings extends DefinitionPlaces {
  profile: ProfileName
  upgrade?: CrdFinding[]
  rollback?: CrdFinding[]
  live?: LiveEvidence
}

/** As crdify prints it: what fails, by the name of what was looked at. */
interface CrdifyResult {
  name: string
  errors?: string[]
  warnings?: string[]
}

/** By version (`v1`, `v1alpha1 -> v1`), then by path. */
export type CrdifyValidation = Record<string, Record<string, CrdifyResult[]>>

/** What crdify prints of one definition: of the upgrade, or of the rollback where only that was asked for. */
export interface CrdifyShape {
  crdValidation?: CrdifyResult[]
  sameVersionValidation?: CrdifyValidation
  servedVersionValidation?: CrdifyValidation
}

export interface CrdComparisonReport extends CrdifyShape {
  metadata: { before: string; after: string }
  /** of the upgrade, or of the rollback where only that was asked for: the way back only tells, it does not block */
  verdict: 'passed' | 'warnings' | 'blocked'
  decidedBy: Direction
  counts: Partial<Record<Direction, Counts>>
  definitions: DefinitionFindings[]
}

export interface DefinitionChanges extends DefinitionPlaces {
  changes: Omit<Change, 'node' | 'level' | 'audiences'>[]
}

export interface CrdDifferenceReport {
  metadata: { before: string; after: string }
  /** how many changes there are in all */
  changes: number
  definitions: DefinitionChanges[]
}

export interface CrdAdviceReport {
  metadata: { before: string; after: string }
  advice: Advice[]
  /** definitions that only the one side has: nothing is advised about them */
  unpaired: { name: string; presence: 'added' | 'removed' }[]
}
