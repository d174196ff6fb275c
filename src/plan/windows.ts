/** What a plan interrupts, as pairs of steps: from the end of one to the end of another. Pure. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { Plan } from './plan.types.ts'

export interface Window {
  what: string
  /** ids of steps */
  from: string
  until: string
}

/** Versions that need the new controller's conversion webhook cannot be read from the CRD's update until it answers. */
export const windowsOf = (plan: Plan): Window[] => {
  const until = plan.steps.find(({ kind }) => kind === 'await-admission')
  if (until === undefined) return []
  return plan.steps.flatMap((step) =>
    step.kind !== 'apply'
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
