/** What each object that a run touched goes back to: what had been applied before it, or away. Pure. */
import type { Backup } from '../backup/backup.types.ts'
import type { AnyObject, Deployment, ObjectReference } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan, Step } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import { withRightsOf } from '../plan/rights-of-both.ts'

export interface WaysBack {
  webhooks: AnyObject[]
  services: AnyObject[]
  deployments: AnyObject[]
  /** access rights, and all that is none of the others */
  rest: AnyObject[]
  /** the same with the rights of both releases: for the time in which both run */
  restForBoth: AnyObject[]
  addedWebhooks: ObjectReference[]
  added: ObjectReference[]
  /** definitions that the run added: they stay */
  addedDefinitions: string[]
  /** the Secret whose CA goes where the API server calls a webhook */
  certificate: ObjectReference | undefined
}

const isWebhook = ({ kind }: { kind: string }): boolean => kind.endsWith('WebhookConfiguration')

/** Kinds that have an order of their own. */
const apart = (object: AnyObject): boolean =>
  isWebhook(object) || ['Deployment', 'CustomResourceDefinition', 'Service'].includes(object.kind)

/** All objects that the plan applies. */
export const appliedBy = ({ steps }: Pick<Plan, 'steps'>): AnyObject[] =>
  steps.flatMap((step) => (step.kind === 'apply' ? step.objects : step.kind === 'route' ? [step.service] : []))

/** Sorts what the back-up has, and what it does not have and the run's plan applies. */
export const waysBack = ({ plan, backup }: { plan: Plan; backup: Backup }): WaysBack => {
  const saved = new Set(backup.objects.map(({ object }) => keyOf(referenceOf(object))))
  const before = backup.objects.flatMap(({ applied }) => applied ?? [])
  const added = unique(appliedBy(plan).map(referenceOf)).filter((ref) => !saved.has(keyOf(ref)))
  const rest = before.filter((object) => !apart(object))
  return {
    webhooks: before.filter(isWebhook),
    services: before.filter(({ kind }) => kind === 'Service'),
    deployments: before.filter(({ kind }) => kind === 'Deployment').map((object) => pinned(object, plan)),
    rest,
    // The release that goes works until the other one has its Lease, and the one that comes has to start before that.
    restForBoth: rest.map((object) => withRightsOf(object, appliedBy(plan))),
    addedWebhooks: added.filter(isWebhook),
    // Neither a CRD nor a namespace is ever deleted: what is inside would go along.
    added: added.filter((ref) => !isWebhook(ref) && !['CustomResourceDefinition', 'Namespace'].includes(ref.kind)),
    addedDefinitions: added.filter(({ kind }) => kind === 'CustomResourceDefinition').map(({ name }) => name),
    certificate: plan.steps.flatMap((step) => (step.kind === 'apply' ? (step.certificate ?? []) : []))[0],
  }
}

/** Each object once. */
export const unique = (refs: ObjectReference[]): ObjectReference[] => [
  ...new Map(refs.map((ref) => [keyOf(ref), ref])).values(),
]

/** A Deployment whose image had a tag that moves goes back to the digest that ran under it. */
const pinned = (object: AnyObject, { running = {}, steps }: Plan): AnyObject => {
  const digest = running[keyOf(referenceOf(object))]
  const container = containerOf(object, steps)
  if (digest === undefined || container === undefined) return object
  const { spec } = object as unknown as Deployment
  const containers = spec.template.spec.containers.map((each) =>
    each.name === container ? { ...each, image: digest } : each,
  )
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }
}

const containerOf = (object: AnyObject, steps: Step[]): string | undefined =>
  steps.flatMap((step) =>
    step.kind === 'roll-out' && keyOf(step.deployment) === keyOf(referenceOf(object)) ? [step.container] : [],
  )[0]

/** Nothing where there is nothing to apply; `certificate` where objects name a webhook. */
export const applying = (title: string, objects: AnyObject[], certificate?: ObjectReference): DraftStep[] =>
  objects.length === 0
    ? []
    : [{ kind: 'apply', title, objects, conflicts: 'keep', ...(certificate && { certificate }) }]

/** Nothing where there is nothing to delete. */
export const deleting = (title: string, objects: ObjectReference[]): DraftStep[] =>
  objects.length === 0 ? [] : [{ kind: 'delete', title, objects }]
