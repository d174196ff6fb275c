/** Deletes what the plan names: objects that only one of the two releases has, already in the back-up. */
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import { StepFailed, type StepHandler } from './step.types.ts'

/** Whose deletion takes everything inside along: never, whatever a plan says. */
const NEVER = new Set(['CustomResourceDefinition', 'Namespace'])
const ATTEMPTS = 5

export const deleteObjects: StepHandler<'delete'> = async (step, { client, signal }) => {
  const refused = step.objects.find(({ kind }) => NEVER.has(kind))
  if (refused !== undefined) throw new StepFailed(`${refused.kind} ${refused.name} is never deleted.`)
  let deleted = 0
  for (const reference of step.objects)
    for (let attempt = 1; ; attempt++) {
      const live = await client.find(reference, signal)
      if (live === undefined) break
      const { uid, resourceVersion } = live.metadata
      try {
        await client.delete(reference, {
          preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
          signal,
        })
        deleted++
        break
      } catch (error) {
        if (isNotFound(error)) break
        if (!isConflict(error) || attempt === ATTEMPTS) throw error
      }
    }
  return { deleted }
}
