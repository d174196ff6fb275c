/**
 * Rights for the time in which two releases work: the running one goes on until its standby has the Lease, and RBAC of the
 * new release may lack what it still needs. Pure.
 */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import { withRightsOf } from '../plan/rights-of-both.ts'
import { applySteps } from './common-steps.ts'

export interface Rights {
  /** the objects, with what they allow now beside what the release says */
  forBoth: AnyObject[]
  /** applies those that allow more than the release says as the release says; nothing where there are none */
  leave: DraftStep[]
}

/** What is applied while both releases work, and what ends that. */
export const rightsOfBoth = (objects: AnyObject[], live: AnyObject[], title: string): Rights => {
  const pairs = objects.map((object) => ({ object, both: withRightsOf(object, live) }))
  const widened = pairs.flatMap(({ object, both }) => (both === object ? [] : [object]))
  return { forBoth: pairs.map(({ both }) => both), leave: applySteps(`Leave just the rights of ${title}`, widened) }
}
