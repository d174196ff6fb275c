/** What a run that goes on does once more, although it is done. Pure. */
import type { Plan, Step } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'

/**
 * Ids of steps to repeat before the first one that is not done: where that one waits for a Deployment, somebody may have
 * changed or deleted it since it was applied, and no waiting would bring it back.
 */
export const toRepeat = (plan: Plan, done: ReadonlySet<string>): Set<string> => {
  const next = plan.steps.findIndex(({ id }) => !done.has(id))
  const stopped = plan.steps[next]
  if (stopped === undefined) return new Set()
  const before = plan.steps.slice(0, next)
  return new Set(
    awaitedBy(stopped).flatMap((key) => {
      const applied = before.findLast(
        (step) => step.kind === 'apply' && step.objects.some((object) => keyOf(referenceOf(object)) === key),
      )
      return applied === undefined ? [] : [applied.id]
    }),
  )
}

const awaitedBy = (step: Step): string[] => {
  if (step.kind === 'roll-out') return [keyOf(step.deployment)]
  if (step.kind === 'await-lease') return step.leases.map(({ deployment }) => keyOf(deployment))
  if (step.kind === 'compare-baseline') return step.images.map(({ deployment }) => keyOf(deployment))
  return []
}
