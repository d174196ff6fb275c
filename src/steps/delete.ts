/** Deletes what the plan names: objects that only one of the two releases has, already in the back-up. */
import { deleteAsRead } from '../kubernetes/delete-as-read.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { StepFailed, type StepHandler } from './step.types.ts'

/** Whose deletion takes everything inside along: never, whatever a plan says. */
const NEVER = new Set(['CustomResourceDefinition', 'Namespace'])

/** Gives how many were deleted, and what was left because no run has created it. Throws StepFailed for what is never deleted. */
export const deleteObjects: StepHandler<'delete'> = async (step, { client, signal }) => {
  const refused = step.objects.find(({ kind }) => NEVER.has(kind))
  if (refused !== undefined) throw new StepFailed(`${refused.kind} ${refused.name} is never deleted.`)
  let deleted = 0
  const left: string[] = []
  for (const reference of step.objects) {
    let foreign = false
    const wanted = ({ metadata }: AnyObject): boolean => {
      foreign = step.onlyCreatedByRuns === true && metadata.labels?.[RUN_LABEL] === undefined
      return !foreign
    }
    if (await deleteAsRead(client, reference, { wanted, signal })) deleted++
    if (foreign) left.push(`${reference.kind} ${reference.name}`)
  }
  return { deleted, ...(left.length > 0 && { left }) }
}
