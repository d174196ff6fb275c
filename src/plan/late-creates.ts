/**
 * What a stopped process may still create when it wakes. A create cannot name the version of what it replaces, so nothing at
 * the API server refuses it; but each carries the number of its run as a label until the run has applied the object. Pure.
 */
import type { ObjectReference } from '../kubernetes/objects.ts'
import type { Plan } from './plan.types.ts'
import { keyOf, referenceOf } from './reference.ts'

/** Whose deletion takes everything inside along. */
const NEVER = new Set(['CustomResourceDefinition', 'Namespace'])

/**
 * The objects that a late request of an ended run could make although they should not be there: a second Deployment in any
 * case, and what it deletes; where the run was gone back from also what it applies. There a label of the run tells those that
 * were not there before it: going back takes the label from all others. Where it succeeded they exist, and a create of them
 * is refused. Never a CRD or a namespace.
 */
export const lateCreates = (plan: Plan, wentBack: boolean): ObjectReference[] => {
  const found = plan.steps.flatMap((step): ObjectReference[] => {
    if (step.kind === 'stand-by') return [referenceOf(step.object)]
    if (step.kind === 'delete') return step.objects
    return step.kind === 'apply' && wentBack ? step.objects.map(referenceOf) : []
  })
  const once = new Map(found.map((reference) => [keyOf(reference), reference]))
  return [...once.values()].filter(({ kind }) => !NEVER.has(kind))
}
