/**
 * Were the workloads disturbed? What ModelDeployments own, all the way down to pods, is noted before the first change and
 * compared after the last: same uid, same generation, no restart. Provider objects and pods are what a disturbed model
 * costs (minutes of loading weights), so they are what counts.
 */
import type { Collection, KubernetesClient } from '../kubernetes/client.types.ts'
import type { KubernetesObject, Pod } from '../kubernetes/objects.ts'
import type { WorkloadTarget } from '../plan/plan.types.ts'

/** One child of a ModelDeployment, reduced to what must not change. */
export interface Child {
  kind: string
  namespace: string
  name: string
  uid: string
  /** of provider objects and workload controllers; pods have none that counts */
  generation?: number
  /** of pods */
  restarts?: number
}

export interface Baseline {
  children: Child[]
}

/** What became of one child. */
export interface Change {
  child: string
  what: string
}

/** Kinds between a provider object and its pods. */
const BETWEEN: { apiVersion: string; kind: string }[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
]

interface Owned {
  kind: string
  object: KubernetesObject
  restarts?: number
}

const metadataOf = async (client: KubernetesClient, collection: Collection, signal: AbortSignal): Promise<Owned[]> => {
  if ((await client.findResource(collection.apiVersion, collection.kind)) === undefined) return []
  const owned: Owned[] = []
  for await (const page of client.metadataPages(collection, { signal }))
    for (const object of page.items) owned.push({ kind: collection.kind, object })
  return owned
}

const podsOf = async (client: KubernetesClient, signal: AbortSignal): Promise<Owned[]> => {
  const owned: Owned[] = []
  for await (const page of client.pages<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { signal }))
    for (const pod of page.items) {
      const restarts = (pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0)
      // The rest of the pod is not needed and would add up over thousands.
      owned.push({ kind: 'Pod', object: { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }, restarts })
    }
  return owned
}

/** Those whose chain of owners leads to one of the roots. Pure. */
export const descendants = (roots: Set<string>, candidates: Owned[]): Owned[] => {
  const known = new Set(roots)
  let rest = candidates
  const found: Owned[] = []
  for (;;) {
    const next = rest.filter(({ object }) => object.metadata.ownerReferences?.some((owner) => known.has(owner.uid)))
    if (next.length === 0) return found
    for (const { object } of next) known.add(object.metadata.uid ?? '')
    found.push(...next)
    rest = rest.filter((each) => !next.includes(each))
  }
}

const childOf = ({ kind, object, restarts }: Owned): Child => ({
  kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
  uid: object.metadata.uid ?? '',
  ...(restarts === undefined ? { generation: object.metadata.generation ?? 0 } : { restarts }),
})

/** Notes the children of all ModelDeployments. */
export const takeBaseline = async (
  client: KubernetesClient,
  workloads: WorkloadTarget,
  signal: AbortSignal,
): Promise<Baseline> => {
  const kinds = new Map(
    [...BETWEEN, ...workloads.providerKinds].map((each) => [`${each.apiVersion} ${each.kind}`, each]),
  )
  const [roots, pods, ...others] = await Promise.all([
    metadataOf(client, { apiVersion: workloads.apiVersion, kind: workloads.kind }, signal),
    podsOf(client, signal),
    ...[...kinds.values()].map(async (kind) => metadataOf(client, kind, signal)),
  ])
  const uids = new Set((roots ?? []).map(({ object }) => object.metadata.uid ?? ''))
  const children = descendants(uids, [...others.flat(), ...(pods ?? [])]).map(childOf)
  return { children: children.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }
}

const keyOf = (child: Child): string => `${child.kind} ${child.namespace}/${child.name}`

/** What happened to the children of the baseline. New ones (a user's new ModelDeployment) are no change. Pure. */
export const compareBaseline = (before: Baseline, after: Baseline): Change[] => {
  const now = new Map(after.children.map((child) => [keyOf(child), child]))
  const uids = new Set(after.children.map((child) => child.uid))
  return before.children.flatMap((child): Change[] => {
    const live = now.get(keyOf(child))
    const name = keyOf(child)
    if (live === undefined) return uids.has(child.uid) ? [] : [{ child: name, what: 'is gone' }]
    if (live.uid !== child.uid) return [{ child: name, what: 'was made anew (another uid)' }]
    if ((live.restarts ?? 0) > (child.restarts ?? 0))
      return [{ child: name, what: `restarted ${(live.restarts ?? 0) - (child.restarts ?? 0)} times` }]
    if (live.generation !== child.generation)
      return [{ child: name, what: `was changed (generation ${child.generation} to ${live.generation})` }]
    return []
  })
}
