/** Objects as whoever wrote them knows them, to be compared across versions and rewrites. */
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { lastAppliedAnnotation } from '../../src/kubernetes/ownership.ts'

/** `namespace/name`, or the name alone where there are no namespaces. */
export const placeOf = ({ metadata: { namespace, name } }: AnyObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`

/** Without the version that it was asked for in, and what each write changes. Its uid and generation are among what stays. */
const contentOf = ({ apiVersion: _apiVersion, metadata, ...rest }: AnyObject): unknown => {
  const { managedFields: _managedFields, resourceVersion: _resourceVersion, ...kept } = metadata
  // What `kubectl apply` notes there names a version.
  const { [lastAppliedAnnotation]: _lastApplied, ...annotations } = kept.annotations ?? {}
  return { ...rest, metadata: { ...kept, annotations } }
}

/** All objects of a kind by their place, as they are read in this version. */
export const contentsOf = async (
  client: KubernetesClient,
  apiVersion: string,
  kind: string,
): Promise<Record<string, unknown>> =>
  Object.fromEntries((await client.list({ apiVersion, kind })).map((each) => [placeOf(each), contentOf(each)]))

/** The versions in which somebody is named as the owner of fields. */
export const versionsOfManagers = (objects: readonly AnyObject[]): Set<string | undefined> =>
  new Set(objects.flatMap(({ metadata }) => (metadata.managedFields ?? []).map(({ apiVersion }) => apiVersion)))
