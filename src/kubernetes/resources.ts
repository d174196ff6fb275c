/** How kinds are addressed: a table for the built-in ones that are used here, and the paths of objects and collections. */
import type { Resource } from './client.types.ts'

const cluster = false
const namespaced = true

type Row = [apiVersion: string, kind: string, plural: string, namespaced: boolean]

// Built-in kinds never change their plural or scope within a version, so they need no discovery.
const rows: Row[] = [
  ['v1', 'ConfigMap', 'configmaps', namespaced],
  ['v1', 'Endpoints', 'endpoints', namespaced],
  ['v1', 'Event', 'events', namespaced],
  ['v1', 'Namespace', 'namespaces', cluster],
  ['v1', 'Node', 'nodes', cluster],
  ['v1', 'PersistentVolume', 'persistentvolumes', cluster],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', namespaced],
  ['v1', 'Pod', 'pods', namespaced],
  ['v1', 'Secret', 'secrets', namespaced],
  ['v1', 'Service', 'services', namespaced],
  ['v1', 'ServiceAccount', 'serviceaccounts', namespaced],
  ['apps/v1', 'ControllerRevision', 'controllerrevisions', namespaced],
  ['apps/v1', 'DaemonSet', 'daemonsets', namespaced],
  ['apps/v1', 'Deployment', 'deployments', namespaced],
  ['apps/v1', 'ReplicaSet', 'replicasets', namespaced],
  ['apps/v1', 'StatefulSet', 'statefulsets', namespaced],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', cluster],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', cluster],
  ['rbac.authorization.k8s.io/v1', 'Role', 'roles', namespaced],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', namespaced],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', cluster],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', cluster],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', cluster],
  ['coordination.k8s.io/v1', 'Lease', 'leases', namespaced],
  ['storage.k8s.io/v1', 'StorageClass', 'storageclasses', cluster],
  ['policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', namespaced],
  ['apiregistration.k8s.io/v1', 'APIService', 'apiservices', cluster],
  ['events.k8s.io/v1', 'Event', 'events', namespaced],
  ['authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', cluster],
  ['authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', cluster],
  ['authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', cluster],
  ['authorization.k8s.io/v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews', cluster],
  ['authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews', cluster],
  ['authorization.k8s.io/v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', namespaced],
]

const builtIn: ReadonlyMap<string, Resource> = new Map(
  rows.map(([apiVersion, kind, plural, isNamespaced]) => [
    `${apiVersion} ${kind}`,
    { ...splitApiVersion(apiVersion), plural, kind, namespaced: isNamespaced },
  ]),
)

/** The built-in kinds in the table, each with its apiVersion: what a test compares with a real server's discovery. */
export const builtInKinds: readonly { apiVersion: string; kind: string }[] = rows.map(([apiVersion, kind]) => ({
  apiVersion,
  kind,
}))

export function builtInResource(apiVersion: string, kind: string): Resource | undefined {
  return builtIn.get(`${apiVersion} ${kind}`)
}

/** `apps/v1` -> group `apps`, version `v1`; `v1` has the empty group. */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** Root of a group version: `/api/v1`, `/apis/apps/v1`. */
export function groupVersionPath(group: string, version: string): string {
  return group === '' ? `/api/${segment(version)}` : `/apis/${segment(group)}/${segment(version)}`
}

/** Path of a collection, of one namespace where the resource has namespaces and one is given. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = groupVersionPath(resource.group, resource.version)
  const place = resource.namespaced && namespace ? `/namespaces/${segment(namespace)}` : ''
  return `${root}${place}/${segment(resource.plural)}`
}

export function objectPath(
  resource: Resource,
  namespace: string | undefined,
  name: string,
  subresource?: string,
): string {
  const below = subresource ? `/${subresource}` : ''
  return `${collectionPath(resource, namespace)}/${segment(name)}${below}`
}

/** Adds the parameters that have a value. */
export function withQuery(path: string, parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value))
  }
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

// Names of RBAC objects hold colons, which are legal in a path and easier to read there.
function segment(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}
