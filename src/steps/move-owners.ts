/** Lets the children of ModelDeployments name a version of their owner that stays served; see `src/plan/owners.ts` for why. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { KubernetesObject } from '../kubernetes/objects.ts'
import type { MoveOwnersStep } from '../plan/plan.types.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

/** Passes over all children: the last one has to find nothing left to move. */
const PASSES = 5

export const moveOwners: StepHandler<'move-owners'> = async (step, context) => {
  let moved = 0
  for (let pass = 1; pass <= PASSES; pass++) {
    const found = await onePass(step, context)
    if (found === 0) return { moved }
    moved += found
    context.report(`${moved} moved`)
  }
  throw new StepFailed(`Children keep being created with ${step.owner.from.join(', ')} as their owner's version.`)
}

/** Moves what one look at all children finds; gives how many there were. */
const onePass = async (step: MoveOwnersStep, { client, signal }: StepContext): Promise<number> => {
  let found = 0
  for (const kind of step.kinds) {
    if ((await client.findResource(kind.apiVersion, kind.kind)) === undefined) continue
    for await (const page of client.metadataPages(kind, { signal }))
      for (const { metadata } of page.items) {
        const index = (metadata.ownerReferences ?? []).findIndex(
          (owner) => owner.kind === step.owner.kind && step.owner.from.includes(owner.apiVersion),
        )
        if (index === -1) continue
        found++
        await moveOne(client, { ...kind, metadata }, { index, to: step.owner.to }, signal)
      }
  }
  return found
}

/** On the very version that was read: whoever wrote it meanwhile wins, and the next pass looks again. */
const moveOne = async (
  client: KubernetesClient,
  { apiVersion, kind, metadata }: KubernetesObject,
  { index, to }: { index: number; to: string },
  signal: AbortSignal,
): Promise<void> => {
  const { name, namespace, resourceVersion } = metadata
  try {
    await client.patch(
      { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) },
      [
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'replace', path: `/metadata/ownerReferences/${index}/apiVersion`, value: to },
      ],
      { type: 'json', signal },
    )
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
}
