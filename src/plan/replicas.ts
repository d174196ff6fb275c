/** How many replicas a Deployment has, and who set them: what is given back when it was stopped for a while. Pure. */
import type { AnyObject } from '../kubernetes/objects.ts'

export interface Replicas {
  replicas: number
  /** who set them, where that is neither the release nor this tool: a HorizontalPodAutoscaler, `kubectl scale` */
  owner?: { manager: string; subresource?: string }
}

/** Whether any manager owns the number. Where none does, an apply that no longer named it has made it 1, the default. */
const isOwned = ({ metadata: { managedFields = [] } }: AnyObject): boolean =>
  managedFields.some(
    ({ fieldsV1 }) => (fieldsV1?.['f:spec'] as Record<string, unknown> | undefined)?.['f:replicas'] !== undefined,
  )

/**
 * Told to have no pods by somebody who is not known: `kubectl scale --replicas=0` leaves no owner, for a 0 is left out of a
 * Scale. Where this tool stops a Deployment it owns the number.
 */
export const isStoppedByHand = (deployment: AnyObject): boolean =>
  (deployment['spec'] as { replicas?: number } | undefined)?.replicas === 0 && !isOwned(deployment)

/**
 * Whether the number that is there stays, rather than the one before: it is the same, somebody else has set it meanwhile, or
 * it comes with the release, which then owns it. A 0 can only be ours, and so is a 1 that nobody owns.
 */
export const isDecided = (deployment: AnyObject, had: Replicas, installers: readonly string[]): boolean => {
  const { replicas = 1 } = (deployment['spec'] ?? {}) as { replicas?: number }
  if (replicas === had.replicas || replicasOf(deployment, installers).owner !== undefined) return true
  return had.owner === undefined && replicas !== 0 && isOwned(deployment)
}

/**
 * The number and its owner by managedFields. `installers` are the managers under which a release gets installed; what they
 * own comes with the release, except through the scale subresource, which no installer uses.
 */
export const replicasOf = (deployment: AnyObject, installers: readonly string[]): Replicas => {
  const { replicas = 1 } = (deployment['spec'] ?? {}) as { replicas?: number }
  const entry = (deployment.metadata.managedFields ?? []).find(
    ({ manager = '', subresource, fieldsV1 }) =>
      (subresource === 'scale' || !installers.includes(manager)) &&
      (fieldsV1?.['f:spec'] as Record<string, unknown> | undefined)?.['f:replicas'] !== undefined,
  )
  if (entry?.manager === undefined) return { replicas }
  const { manager, subresource } = entry
  return { replicas, owner: { manager, ...(subresource === undefined ? {} : { subresource }) } }
}
