/** The objects of the sample release as somebody wrote them: what a rollback has to bring back. */
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'

const SYSTEM = 'kubeairunway-system'

const KINDS: [apiVersion: string, kind: string, namespace?: string][] = [
  ['apps/v1', 'Deployment', SYSTEM],
  ['v1', 'Service', SYSTEM],
  ['v1', 'ServiceAccount', SYSTEM],
  ['v1', 'Secret', SYSTEM],
  ['rbac.authorization.k8s.io/v1', 'Role', SYSTEM],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding', SYSTEM],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
]

/** Everything of the release but the CRDs, by kind and name. */
export const writtenObjects = async (client: KubernetesClient): Promise<Record<string, unknown>> => {
  const found: Record<string, unknown> = {}
  for (const [apiVersion, kind, namespace] of KINDS)
    for (const object of await client.list({ apiVersion, kind, ...(namespace && { namespace }) }))
      if (object.metadata.name.startsWith('kubeairunway-')) found[`${kind} ${object.metadata.name}`] = reduced(object)
  return found
}

/** Without what the server keeps for itself. */
const reduced = ({ metadata, status: _status, ...object }: AnyObject): unknown => {
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {}
  return { ...object, labels: metadata.labels, annotations }
}
