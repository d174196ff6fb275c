/** How many replicas a Deployment has, and who set them: what is given back when it was stopped for a while. Pure. */
import type { AnyObject } from '../kubernetes/objects.ts'

export interface Replicas {
  replicas: number
  /** who set them, where that is neither the release nor this tool: a HorizontalPodAutoscaler, `kubectl scale` */
  owner?: { manager: string; subresource?: string }
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
