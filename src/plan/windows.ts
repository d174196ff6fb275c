/** What a plan interrupts, as pairs of steps: from the end of one to the end of another. Pure. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { Plan, Step } from './plan.types.ts'

export interface Window {
  what: string
  /** ids of steps */
  from: string
  until: string
}

/** What is not done, or cannot be asked for, while the plan is carried out. */
export const windowsOf = (plan: Plan): Window[] => [...unreadable(plan), ...handOvers(plan)]

/**
 * Versions that need the new controller's conversion webhook cannot be read from the CRD's update until it answers. Where
 * requests went to a standby before, it has answered already.
 */
const unreadable = ({ steps }: Plan): Window[] => {
  const until = steps.find(({ kind }) => kind === 'await-admission')
  const routed = steps.findIndex(({ kind }) => kind === 'route')
  if (until === undefined) return []
  return steps.flatMap((step, index) =>
    step.kind !== 'apply' || (routed !== -1 && routed < index)
      ? []
      : step.objects.flatMap((object) => {
          if (object.kind !== 'CustomResourceDefinition') return []
          const { spec, metadata } = object as unknown as CustomResourceDefinition
          const converted = spec.versions.filter(({ served, storage }) => served && !storage).map(({ name }) => name)
          if (spec.conversion?.strategy !== 'Webhook' || converted.length === 0) return []
          return [
            { what: `${metadata.name} ${converted.join(', ')} could not be read`, from: step.id, until: until.id },
          ]
        }),
  )
}

/** Between a Deployment's stop and the next await of a Lease nobody reconciles; it begins at some time while the step goes on. */
const handOvers = ({ steps }: Plan): Window[] =>
  steps.flatMap((step, index): Window[] => {
    const before = steps[index - 1]
    const until = steps.slice(index).find((each) => each.kind === 'await-lease')
    if (step.kind !== 'scale' || step.replicas !== 'none' || before === undefined || until === undefined) return []
    return [{ what: `Nothing was reconciled by ${namesOf(step)}`, from: before.id, until: until.id }]
  })

const namesOf = ({ deployments }: Extract<Step, { kind: 'scale' }>): string =>
  [...new Set(deployments.map(({ name }) => name.replace(/-standby$/, '')))].join(', ')
