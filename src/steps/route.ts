/** Points a Service at other pods. */
import { StepFailed, type StepHandler } from './step.types.ts'

export const route: StepHandler<'route'> = async (step) => {
  throw new StepFailed(`${step.kind} cannot be carried out yet.`)
}
