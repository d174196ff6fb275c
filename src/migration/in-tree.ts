/**
 * Handing the rewrite over to the cluster's own migrator, storagemigration.k8s.io. That the kind is served does not say that a
 * controller runs, and that it succeeded does not prove how objects are stored: both are looked at by us.
 */
import type { KubernetesClient, Resource } from '../kubernetes/client.types.ts'
import { ApiError, isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { Condition, KubernetesObject } from '../kubernetes/objects.ts'
import { followed, type Wait } from './definition-watch.ts'
import type { MigrationTarget } from './migration.types.ts'

/** The object that asks for a migration. */
export interface StorageVersionMigration extends KubernetesObject {
  spec: { resource: { group: string; resource: string; version?: string } }
  status?: { conditions?: Condition[] }
}

/** `waiting`: no controller has taken it up. */
export type InTreeStanding =
  | { state: 'waiting' | 'running' | 'succeeded' }
  | { state: 'failed'; why: string }
  | { state: 'gone' }

const group = 'storagemigration.k8s.io'
const kind = 'StorageVersionMigration'
const versions = ['v1', 'v1beta1', 'v1alpha1'] as const
const label = 'cli.airunway.ai/migration'
/** It was measured to wait 82 s for the garbage collector's cache before it begins; that is no sign of its absence. */
const idleSeconds = 180

/** How far the migrator is. */
export function standingOfMigration(found: StorageVersionMigration | undefined): InTreeStanding {
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return { state: 'gone' }
  const conditions = new Map((found.status?.conditions ?? []).map((condition) => [condition.type, condition]))
  const failed = conditions.get('Failed')
  // Before Kubernetes 1.36 a failure has no message.
  if (failed?.status === 'True')
    return { state: 'failed', why: failed.message || failed.reason || 'it does not say why' }
  if (conditions.get('Succeeded')?.status === 'True') return { state: 'succeeded' }
  return { state: conditions.get('Running')?.status === 'True' ? 'running' : 'waiting' }
}

/** The object that asks for the migration of this target; its name says what for, so that a second run finds it again. */
export function migrationObject(target: MigrationTarget, version: string): StorageVersionMigration {
  const { group: of, plural, definition, generation, requestVersion } = target
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: `airunway-${definition}-${generation}`, labels: { [label]: 'true' } },
    // The first version of the API wanted to be told the version to write through.
    spec: { resource: { group: of, resource: plural, ...(version === 'v1alpha1' && { version: requestVersion }) } },
  }
}

export interface HandOverOptions {
  signal: AbortSignal
  wait: Wait
  now: () => number
  before?: (() => void | Promise<void>) | undefined
  /** told at each change */
  progress?: (standing: InTreeStanding) => void
  /** how long nobody may take it up */
  idleSeconds?: number
}

export interface HandedOver {
  /** why it was not done; undefined where the migrator says that it was */
  failed?: string
  requests: number
}

/** Has the cluster's own migrator rewrite the objects. Its object is deleted afterwards; it was made by us. */
export async function handOver(
  client: KubernetesClient,
  target: MigrationTarget,
  options: HandOverOptions,
): Promise<HandedOver> {
  const resource = await servedMigration(client)
  if (resource === undefined) {
    const failed = `this cluster has no migrator of its own: ${group} is not served (leave out --engine in-tree)`
    return { failed, requests: versions.length }
  }
  const asking = migrationObject(target, resource.version)
  let requests = versions.indexOf(resource.version as (typeof versions)[number]) + 1
  const ours = await ask(client, asking, options)
  requests += ours.requests
  if (ours.object === undefined) return { failed: ours.why, requests }
  const standing = await untilOver(client, ours.object, { ...options, asked: () => (requests += 1) })
  requests += 1
  await remove(client, ours.object, options.signal)
  const failed = failureText(standing, options.idleSeconds ?? idleSeconds)
  return { requests, ...(failed !== undefined && { failed }) }
}

function failureText(standing: InTreeStanding, seconds: number): string | undefined {
  const { state } = standing
  if (state === 'succeeded') return undefined
  if (state === 'failed') return `the cluster's own migrator failed: ${standing.why}`
  if (state === 'gone') return `the ${kind} was deleted by somebody else`
  return `nobody has taken up the ${kind} for ${seconds} s: its controller does not seem to run (feature gate StorageVersionMigrator of kube-controller-manager)`
}

/** Where it is not served, nobody can be handed anything. */
export const hasOwnMigrator = async (client: KubernetesClient): Promise<boolean> =>
  (await servedMigration(client)) !== undefined

/**
 * Takes back what runs of ours have asked the migrator for about the definition, and gives the names: without that it would go on
 * when nobody waits for it any more. What it has rewritten stays.
 */
export async function withdraw(client: KubernetesClient, definition: string, signal: AbortSignal): Promise<string[]> {
  const resource = await servedMigration(client)
  if (resource === undefined) return []
  const asked = await client.list<StorageVersionMigration>(
    { apiVersion: `${group}/${resource.version}`, kind, labelSelector: `${label}=true` },
    { signal },
  )
  const ours = asked.filter(({ spec }) => definition === `${spec.resource.resource}.${spec.resource.group}`)
  for (const one of ours) await remove(client, one, signal)
  return ours.map(({ metadata }) => metadata.name)
}

async function servedMigration(client: KubernetesClient): Promise<Resource | undefined> {
  for (const version of versions) {
    const found = await client.findResource(`${group}/${version}`, kind)
    if (found) return found
  }
  return undefined
}

type Asked =
  | { object: StorageVersionMigration; requests: number }
  | { object?: undefined; why: string; requests: number }

/** Creates it. One of the same name is of an earlier run of ours that died, or whose answer was lost. */
async function ask(
  client: KubernetesClient,
  wanted: StorageVersionMigration,
  { signal, before }: HandOverOptions,
): Promise<Asked> {
  for (let requests = 1; ; requests += 3) {
    await before?.()
    try {
      return { object: await client.create(wanted, { signal }), requests }
    } catch (error) {
      if (!isConflict(error)) throw error
    }
    const { apiVersion, metadata } = wanted
    const reference = { apiVersion, kind, name: metadata.name }
    const there = await client.find<StorageVersionMigration>(reference, signal)
    if (there === undefined) continue
    if (there.metadata.labels?.[label] === undefined) {
      return { why: `there is a ${kind} ${metadata.name} that we have not made`, requests: requests + 1 }
    }
    const { state } = standingOfMigration(there)
    if (state === 'waiting' || state === 'running') return { object: there, requests: requests + 1 }
    // What it did before we came proves nothing about now.
    await remove(client, there, signal)
  }
}

async function remove(client: KubernetesClient, made: StorageVersionMigration, signal: AbortSignal): Promise<void> {
  const { apiVersion, metadata } = made
  const { name, uid } = metadata
  try {
    await client.delete({ apiVersion, kind, name }, { signal, ...(uid !== undefined && { preconditions: { uid } }) })
  } catch (error) {
    if (!isNotFound(error) && !(error instanceof ApiError && error.code === 409)) throw error
  }
}

async function untilOver(
  client: KubernetesClient,
  made: StorageVersionMigration,
  options: HandOverOptions & { asked: () => void },
): Promise<InTreeStanding> {
  const { signal, wait, now, progress, asked } = options
  const idle = new AbortController()
  const states = followed<StorageVersionMigration>(
    client,
    { apiVersion: made.apiVersion, kind, fieldSelector: `metadata.name=${made.metadata.name}` },
    { signal: AbortSignal.any([signal, idle.signal]), wait, asked },
  )
  const limit = (options.idleSeconds ?? idleSeconds) * 1000
  const began = now()
  let last: InTreeStanding = { state: 'waiting' }
  const ended = new AbortController()
  const clock = (async () => {
    while (now() - began < limit) await wait(1_000, ended.signal)
    if (last.state === 'waiting') idle.abort(new Error('nobody takes it up'))
  })().catch(() => undefined)
  try {
    for await (const state of states) {
      last = standingOfMigration(state)
      progress?.(last)
      if (last.state !== 'waiting') ended.abort()
      if (last.state !== 'waiting' && last.state !== 'running') return last
    }
  } catch (error) {
    if (!idle.signal.aborted) throw error
  } finally {
    ended.abort()
    await clock
  }
  return last
}
