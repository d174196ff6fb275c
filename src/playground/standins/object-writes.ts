import type { ApiError } from '../../kubernetes/errors.ts'
import type { AnyObject, KubernetesObject, ObjectReference } from '../../kubernetes/objects.ts'
import type { StandinContext } from './context.types.ts'
import type { ModelDeployment, ModelDeploymentStatus } from './model-deployment.ts'

export const referenceTo = (object: KubernetesObject): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
})

/**
 * Writes a ModelDeployment's status as a merge patch of what changed, refused by the API server where somebody else
 * wrote since it was read. Without a change an empty patch is sent, as the releases send their whole status at the end of
 * every reconcile: it changes nothing, but an admission policy can deny that one too. A write that was begun is not given
 * up when the process is told to end.
 */
export async function writeStatus(
  { client }: Pick<StandinContext, 'client'>,
  object: ModelDeployment,
  patch: ModelDeploymentStatus | undefined,
): Promise<void> {
  const guard = patch ? { metadata: { resourceVersion: object.metadata.resourceVersion }, status: patch } : {}
  await client.patch<AnyObject>(referenceTo(object), guard, { type: 'merge', subresource: 'status' })
}

/** For log lines and conditions: what the API server answered. */
export const reasonOf = (error: unknown): string => {
  const reason = (error as Partial<ApiError>).reason
  const message = error instanceof Error ? error.message : String(error)
  return reason ? `${reason}: ${message}` : message
}
