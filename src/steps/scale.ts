/** Stops Deployments until no pod of them is left, and gives them back the replicas they had. */
import { StepFailed, type StepHandler } from './step.types.ts'

export const scale: StepHandler<'scale'> = async (step) => {
  throw new StepFailed(`${step.kind} cannot be carried out yet.`)
}
