/**
 * What a cluster is, as a value: all objects of all kinds that can be listed, without what differs between two clusters that
 * are the same to their users. Two dumps can be compared, and their difference read.
 */
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { kindsOfPods, reduced } from './reduced-objects.ts'

export interface ClusterDump {
  /** `Kind namespace/name`, or for pods and replica sets their owner -> the object, reduced */
  objects: Record<string, unknown>
  /** `definition version` -> its schema: a schema may stay wider than it was */
  schemas: Record<string, unknown>
}

export interface DumpOptions {
  /** namespaces that are left out, with all they have */
  without?: readonly string[]
  /** annotations that are left out */
  withoutAnnotations?: readonly string[]
}

/** Served by the API server in this form since 1.30; of each group the preferred version comes first. */
interface GroupDiscovery {
  items: {
    metadata: { name?: string }
    versions: {
      version: string
      resources: { resource: string; responseKind: { kind: string }; verbs: string[] }[]
    }[]
  }[]
}

const DISCOVERY = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
/** Noise of every cluster, and what is no stored object. */
const NOT_COMPARED = new Set(['Event', 'Lease', 'ComponentStatus', 'Endpoints', 'ReplicaSet'])

/** Reads everything. Throws ApiError where a kind cannot be read. */
export async function dumpCluster(client: KubernetesClient, options: DumpOptions = {}): Promise<ClusterDump> {
  const dump: ClusterDump = { objects: {}, schemas: {} }
  const without = new Set(options.without)
  const pods = new Map<string, string[]>()
  const lists = await Promise.all(
    (await listableKinds(client)).map(async (kind) => ({ kind, objects: await client.list(kind) })),
  )
  for (const { kind, objects } of lists) {
    for (const object of objects) {
      const { name, namespace } = object.metadata
      if (without.has(namespace ?? '') || (kind.kind === 'Namespace' && without.has(name))) continue
      const { key, value, schemas } = reduced({ ...object, ...kind }, options.withoutAnnotations ?? [])
      Object.assign(dump.schemas, schemas)
      if (kindsOfPods.has(kind.kind)) pods.set(key, [...(pods.get(key) ?? []), JSON.stringify(value)])
      else dump.objects[key] = value
    }
  }
  // Generated names say nothing: those of one owner stand in the order of what they are.
  for (const [key, values] of pods)
    for (const [index, value] of values.toSorted().entries()) dump.objects[`${key} #${index + 1}`] = JSON.parse(value)
  return { objects: sorted(dump.objects), schemas: sorted(dump.schemas) }
}

const sorted = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const listableKinds = async (client: KubernetesClient): Promise<{ apiVersion: string; kind: string }[]> => {
  const kinds = new Map<string, { apiVersion: string; kind: string }>()
  for (const path of ['/api', '/apis']) {
    const { text } = await client.raw({ method: 'GET', path, accept: DISCOVERY })
    for (const { metadata, versions } of (JSON.parse(text) as GroupDiscovery).items) {
      const group = metadata.name ?? ''
      for (const { version, resources } of versions)
        for (const { responseKind, verbs } of resources) {
          const known = kinds.has(`${group} ${responseKind.kind}`)
          if (known || !verbs.includes('list') || NOT_COMPARED.has(responseKind.kind)) continue
          const apiVersion = group === '' ? version : `${group}/${version}`
          kinds.set(`${group} ${responseKind.kind}`, { apiVersion, kind: responseKind.kind })
        }
    }
  }
  return [...kinds.values()]
}

/** What differs, one line each: the object, the path, and both values. Empty where nothing does. */
export function differences(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  path: readonly string[] = [],
): string[] {
  const lines: string[] = []
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]]
    const at = [...path, key]
    if (isTree(was) && isTree(is)) lines.push(...differences(was, is, at))
    else if (was !== is) lines.push(`${at.join(' › ')}: ${shown(was)} -> ${shown(is)}`)
  }
  return lines
}

/** Arrays are compared by their positions: the order of a list is part of an object. */
const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
