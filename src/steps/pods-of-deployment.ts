/** The pods that belong to a Deployment, told by its selector. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { Deployment, Pod } from '../kubernetes/objects.ts'

/** A pod that was evicted or has ended stays listed until it is collected, and never works again. */
const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'

/** Pods of the Deployment, terminating ones too: a pod that is terminating still works. */
export const podsOf = async (client: KubernetesClient, deployment: Deployment, signal: AbortSignal): Promise<Pod[]> => {
  const labels = Object.entries(deployment.spec.selector.matchLabels ?? {})
  const pods = await client.list<Pod>(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labelSelector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
    { signal },
  )
  return pods.filter((pod) => !hasEnded(pod))
}

/** Whether a pod of this name is there and may still work, whichever Deployment it belongs to. */
export const isAtWork = async (
  client: KubernetesClient,
  { namespace, name }: { namespace?: string; name: string },
  signal: AbortSignal,
): Promise<boolean> => {
  const pods = await client.list<Pod>(
    { apiVersion: 'v1', kind: 'Pod', ...(namespace && { namespace }), fieldSelector: `metadata.name=${name}` },
    { signal },
  )
  return pods.some((pod) => !hasEnded(pod))
}

/** Whether any container of the pod is told to run the image. */
export const runs = (pod: Pod, image: string): boolean =>
  pod.spec.containers.some((container) => container.image === image)

/** Why a pod does not get ready, in the kubelet's words, or undefined. */
export const troubleOf = (pod: Pod): string | undefined => {
  for (const status of pod.status?.containerStatuses ?? []) {
    const { waiting } = (status['state'] ?? {}) as { waiting?: { reason?: string; message?: string } }
    if (waiting?.reason !== undefined && waiting.reason !== 'ContainerCreating')
      return `${pod.metadata.name}: ${waiting.reason}${waiting.message === undefined ? '' : `, ${waiting.message}`}`
  }
  const unschedulable = pod.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  )
  return unschedulable === undefined
    ? undefined
    : `${pod.metadata.name}: ${unschedulable.message ?? 'cannot be scheduled'}`
}
