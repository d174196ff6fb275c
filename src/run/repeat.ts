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
 * giving it the Lease find nothing to do where it is there. Once the usual Deployment has been told to come back it may have
 * taken the Lease by itself, so from then on nothing is done again.
 */
const standing = ({ steps }: Plan, done: ReadonlySet<string>): string[] =>
  steps.flatMap((step, index) => {
    if (step.kind !== 'stand-by' || !done.has(step.id)) return []
    const standby = keyOf(referenceOf(step.object))
    const isLed = (each: Step): boolean =>
      each.kind === 'await-lease' && each.leases.some(({ deployment }) => keyOf(deployment) === standby)
    const led = steps.findIndex((each, at) => at > index && isLed(each))
    const comesHome = steps.find(
      (each, at) => at > led && each.kind === 'apply' && each.objects.some(({ kind }) => kind === 'Deployment'),
    )
    if (led === -1 || (comesHome !== undefined && done.has(comesHome.id))) return []
    const again = steps.slice(index, led + 1).filter((each) => each === step || each.kind === 'route' || isLed(each))
    return again.flatMap(({ id }) => (done.has(id) ? [id] : []))
  })

const awaitedBy = (step: Step): string[] => {
  if (step.kind === 'roll-out') return [keyOf(step.deployment)]
  if (step.kind === 'await-lease') return step.leases.map(({ deployment }) => keyOf(deployment))
  if (step.kind === 'compare-baseline') return step.images.map(({ deployment }) => keyOf(deployment))
  return []
}
