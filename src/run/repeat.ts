/** What a run that goes on does once more, although it is done. Pure. */
import type { Plan, Step } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'

/**
 * Ids of steps to repeat before the first one that is not done: where that one waits for a Deployment, or for what it does,
 * somebody may have changed or deleted it since it was applied, and no waiting would bring it back.
 */
export const toRepeat = (plan: Plan, done: ReadonlySet<string>): Set<string> => {
  const next = plan.steps.findIndex(({ id }) => !done.has(id))
  const stopped = plan.steps[next]
  if (stopped === undefined) return new Set()
  const before = plan.steps.slice(0, next)
  const proven = stopped.kind === 'await-admission' || stopped.kind === 'await-reconcile'
  const rolledOut = proven ? before.filter((step) => step.kind === 'roll-out') : []
  return new Set([
    ...standing(plan, done),
    ...rolledOut.map(({ id }) => id),
    ...[...awaitedBy(stopped), ...rolledOut.map(({ deployment }) => keyOf(deployment))].flatMap((key) => {
      const applied = before.findLast(
        (step) => step.kind === 'apply' && step.objects.some((object) => keyOf(referenceOf(object)) === key),
      )
      return applied === undefined ? [] : [applied.id]
    }),
  ])
}

/**
 * A standby that is at work may have been deleted while nobody carried the run on. Bringing it up, sending it the requests and
 * giving it the Lease find nothing to do where it is there.
 */
const standing = ({ steps }: Plan, done: ReadonlySet<string>): string[] =>
  steps.flatMap((step, index) => {
    if (step.kind !== 'stand-by' || !done.has(step.id)) return []
    const standby = keyOf(referenceOf(step.object))
    const ended = steps
      .slice(index)
      .some(
        (each) =>
          done.has(each.id) &&
          each.kind === 'scale' &&
          each.deployments.some((deployment) => keyOf(deployment) === standby),
      )
    if (ended) return []
    const home = steps.findIndex((each, at) => at > index && each.kind === 'roll-out')
    const isRouted = steps.slice(home).some(({ id, kind }) => kind === 'route' && done.has(id))
    return [
      step.id,
      ...steps.slice(index, home).flatMap((each) => {
        const led = each.kind === 'await-lease' && each.leases.some(({ deployment }) => keyOf(deployment) === standby)
        return done.has(each.id) && (led || (each.kind === 'route' && !isRouted)) ? [each.id] : []
      }),
    ]
  })

const awaitedBy = (step: Step): string[] => {
  if (step.kind === 'roll-out') return [keyOf(step.deployment)]
  if (step.kind === 'await-lease') return step.leases.map(({ deployment }) => keyOf(deployment))
  if (step.kind === 'compare-baseline') return step.images.map(({ deployment }) => keyOf(deployment))
  return []
}
