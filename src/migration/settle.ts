/**
 * After the storage version moved: whether every API server knows it by now. Each of them learns of it by a watch of its own,
 * and stores at the version that it knows. Discovery says of each kind a hash of group, storage version and kind, which is
 * the one sign that tells API servers apart; a load balancer gives each new connection to one of them.
 */
import { createHash } from 'node:crypto'
import type { KubernetesClient, RawResponse } from '../kubernetes/client.types.ts'
import { ApiError, ConnectionError } from '../kubernetes/errors.ts'
import { apiError } from '../kubernetes/status-error.ts'
import { realWait, type Wait } from './definition-watch.ts'
import type { MigrationTarget } from './migration.types.ts'

/** What API servers call the storage version of a kind in discovery. Its making is documented as open to change. */
export function storageVersionHash(group: string, version: string, kind: string): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

/** `current`: it stores at the storage version. `behind`: at another version of the definition. `unknown`: it does not say. */
export type Standing = 'current' | 'behind' | 'unknown'

/** What a hash says. */
export function standingOf(hash: string | undefined, target: MigrationTarget): Standing {
  const { group, kind, storageVersion, versions } = target
  if (hash === storageVersionHash(group, storageVersion, kind)) return 'current'
  return versions.some((version) => hash === storageVersionHash(group, version, kind)) ? 'behind' : 'unknown'
}

/** One answer of some API server. */
export interface Sighting {
  standing: Standing
  hash: string | undefined
  /** milliseconds */
  at: number
}

/**
 * How many answers at the end agree with each other, so that they count: all current, or, where the hash is made in a way
 * that we do not know, all the same for as long as no API server takes to hear of a change.
 */
export function agreeing(sightings: readonly Sighting[], steadyMs: number): number {
  const last = sightings.at(-1)
  if (last === undefined || last.standing === 'behind') return 0
  const other = sightings.findLastIndex(({ standing, hash }) => standing !== last.standing || hash !== last.hash)
  const same = sightings.slice(other + 1)
  const steady = last.standing === 'current' || last.at - (same[0]?.at ?? last.at) >= steadyMs
  return steady ? same.length : 0
}

export interface SettleOptions {
  now: () => number
  wait?: Wait
  signal?: AbortSignal
  /** how long it may take */
  limitSeconds?: number
}

export interface Settled {
  settled: boolean
  requests: number
  /** when the last answer was not as it should be: writes under the old version may have begun until then */
  lastBehindAt?: number
  /** API servers that have a Lease */
  servers: number
  notes: string[]
}

const steadyMs = 10_000
const answersPerServer = 3
const defaultLimitSeconds = 60
const leases = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system' }
const identity = 'apiserver.kubernetes.io/identity=kube-apiserver'

/** Asks over new connections until enough answers in a row say that the storage version is known. Reads only. */
export async function settle(
  client: KubernetesClient,
  target: MigrationTarget,
  options: SettleOptions,
): Promise<Settled> {
  const { now, wait = realWait, signal } = options
  const { servers, notes } = await serversOf(client, signal)
  const wanted = answersPerServer * servers
  const sightings: Sighting[] = []
  const end = now() + (options.limitSeconds ?? defaultLimitSeconds) * 1000
  for (let pause = 100; ; ) {
    signal?.throwIfAborted()
    const hash = await ask(client, target, signal)
    if (hash !== 'no answer') sightings.push({ standing: standingOf(hash.value, target), hash: hash.value, at: now() })
    const settled = agreeing(sightings, steadyMs) >= wanted
    if (settled || now() >= end) return { settled, requests: sightings.length + 1, servers, notes, ...until(sightings) }
    if (hash !== 'no answer' && sightings.at(-1)?.standing === 'current') continue
    await wait(pause, signal)
    pause = Math.min(pause * 2, 1_000)
  }
}

function until(sightings: readonly Sighting[]): { lastBehindAt?: number } {
  const last = sightings.findLast(({ standing }) => standing !== 'current')
  return last === undefined ? {} : { lastBehindAt: last.at }
}

async function ask(
  client: KubernetesClient,
  { group, requestVersion, plural }: MigrationTarget,
  signal: AbortSignal | undefined,
): Promise<{ value: string | undefined } | 'no answer'> {
  const path = `/apis/${group}/${requestVersion}`
  let answer: RawResponse
  try {
    answer = await client.raw({ method: 'GET', path, fresh: true, ...(signal && { signal }) })
  } catch (error) {
    if (error instanceof ConnectionError) return 'no answer'
    throw error
  }
  // An API server that does not serve the version yet knows nothing of the flip either.
  if (answer.status === 404) return { value: undefined }
  if (answer.status !== 200) {
    if (answer.status === 429 || answer.status >= 500) return 'no answer'
    throw apiError(`GET ${path}`, answer)
  }
  const { resources = [] } = JSON.parse(answer.text) as { resources?: { name: string; storageVersionHash?: string }[] }
  return { value: resources.find(({ name }) => name === plural)?.storageVersionHash }
}

async function serversOf(
  client: KubernetesClient,
  signal: AbortSignal | undefined,
): Promise<{ servers: number; notes: string[] }> {
  try {
    const found = await client.list({ ...leases, labelSelector: identity }, signal && { signal })
    return { servers: Math.max(1, found.length), notes: [] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const notes = [
      `how many API servers there are is not known, so one is assumed (leases in kube-system: ${error.message})`,
    ]
    return { servers: 1, notes }
  }
}
