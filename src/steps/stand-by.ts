/** Brings up the second Deployment of a component. */
import { StepFailed, type StepHandler } from './step.types.ts'

export const standBy: StepHandler<'stand-by'> = async (step) => {
  throw new StepFailed(`${step.kind} cannot be carried out yet.`)
}
