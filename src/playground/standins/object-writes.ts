import type { ApiError } from '../../kubernetes/errors.ts'
import type { AnyObject, KubernetesObject, ObjectReference } from '../../kubernetes/objects.ts'
import type { StandinContext } from './context.types.ts'
import { isOn } from './environment.ts'
import type { ModelDeployment, ModelDeploymentStatus } from './model-deployment.ts'

export const referenceTo = (object: KubernetesObject): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
})

/**
 * Writes a ModelDeployment's status as a merge patch of what changed, refused by the API server where somebody else
 * wrote since it was read. Without a change nothing is sent, unless the container's AIRUNWAY_NOOP_WRITES is `true`: then an
 * empty patch is, as controller-runtime's patch helpers do; an admission policy can deny that one too.
 */
export async function writeStatus(
  { client, environment, signal }: StandinContext,
  object: ModelDeployment,
  patch: ModelDeploymentStatus | undefined,
): Promise<void> {
  if (!patch && !isOn(environment.variables['AIRUNWAY_NOOP_WRITES'], false)) return
  const guard = patch ? { metadata: { resourceVersion: object.metadata.resourceVersion }, status: patch } : {}
  await client.patch<AnyObject>(referenceTo(object), guard, { type: 'merge', subresource: 'status', signal })
}

/** For log lines and conditions: what the API server answered. */
export const reasonOf = (error: unknown): string => {
  const reason = (error as Partial<ApiError>).reason
  const message = error instanceof Error ? error.message : String(error)
  return reason ? `${reason}: ${message}` : message
}
