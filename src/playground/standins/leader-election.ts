import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import type { Lease, ObjectReference } from '../../kubernetes/objects.ts'
import type { Log } from './log.ts'

/** controller-runtime's defaults. */
export const electionTimes = { leaseSeconds: 15, renewDeadlineSeconds: 10, retrySeconds: 2 }

/** The lease as it was last seen to change, and when, by the local clock: clocks of other machines are not trusted. */
export interface Observed {
  record: string
  atMilliseconds: number
}

export type ElectionMove = 'create' | 'wait' | 'acquire' | 'renew'

/**
 * What client-go's leader election does about a lease: takes one that is missing, free or not renewed for a whole
 * lease duration since it was last seen to change; renews its own; else waits.
 */
export function electionMove(
  lease: Lease | undefined,
  observed: Observed,
  identity: string,
  nowMilliseconds: number,
): ElectionMove {
  if (!lease) return 'create'
  const holder = lease.spec?.holderIdentity
  if (holder === identity) return 'renew'
  if (!holder) return 'acquire'
  const leaseMilliseconds = (lease.spec?.leaseDurationSeconds ?? electionTimes.leaseSeconds) * 1000
  return nowMilliseconds < observed.atMilliseconds + leaseMilliseconds ? 'wait' : 'acquire'
}

/** The lease to write for a move that is not `wait`. */
export function nextLease(lease: Lease | undefined, ref: ObjectReference, identity: string, now: Date): Lease {
  // MicroTime: the API server refuses fewer than six digits
  const time = now.toISOString().replace('Z', '000Z')
  const mine = lease?.spec?.holderIdentity === identity
  const metadata = { name: ref.name, ...(ref.namespace ? { namespace: ref.namespace } : {}) }
  return {
    ...(lease ?? { apiVersion: ref.apiVersion, kind: ref.kind, metadata }),
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: electionTimes.leaseSeconds,
      acquireTime: mine ? (lease?.spec?.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease && !mine ? 1 : 0),
    },
  }
}

export interface ElectionOptions {
  client: KubernetesClient
  namespace: string
  name: string
  identity: string
  log: Log
  /** ends the attempts to become the leader */
  signal: AbortSignal
  /** ends the renewals */
  over: AbortSignal
  /** instead of two seconds */
  retrySeconds?: number
}

type Attempt = (until: AbortSignal) => Promise<boolean>

/**
 * Waits until this process holds the lease and renews it from then on. Resolves when it became the leader; `lost`
 * resolves when ten seconds went by without a renewal, which a controller-runtime manager does not survive. The lease
 * is not released at the end, so a successor waits for it to run out.
 */
export async function becomeLeader(options: ElectionOptions): Promise<{ lost: Promise<void> }> {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: options.namespace, name: options.name }
  let observed: Observed = { record: '', atMilliseconds: Date.now() }
  const attempt = async (until: AbortSignal): Promise<boolean> => {
    const signal = AbortSignal.any([until, AbortSignal.timeout(electionTimes.renewDeadlineSeconds * 1000)])
    const lease = await options.client.find<Lease>(ref, signal)
    const record = JSON.stringify(lease?.spec ?? {})
    if (record !== observed.record) observed = { record, atMilliseconds: Date.now() }
    const move = electionMove(lease, observed, options.identity, Date.now())
    if (move === 'wait') return false
    const next = nextLease(lease, ref, options.identity, new Date())
    await (move === 'create' ? options.client.create(next, { signal }) : options.client.replace(next, { signal }))
    return true
  }
  options.log.info('attempting to acquire leader lease', { lease: `${options.namespace}/${options.name}` })
  while (!(await quietly(attempt, options.signal, options.log))) {
    // client-go's jitter: 2 s to 4.4 s
    const seconds = options.retrySeconds ?? electionTimes.retrySeconds
    await delay(seconds * 1000 * (1 + 1.2 * Math.random()), undefined, { signal: options.signal })
  }
  options.log.info('successfully acquired lease', { lease: `${options.namespace}/${options.name}` })
  return { lost: keepRenewing(attempt, options) }
}

async function keepRenewing(attempt: Attempt, { over, log }: ElectionOptions): Promise<void> {
  let renewed = Date.now()
  while (Date.now() - renewed < electionTimes.renewDeadlineSeconds * 1000) {
    await delay(electionTimes.retrySeconds * 1000, undefined, { signal: over })
    if (await quietly(attempt, over, log)) renewed = Date.now()
  }
}

async function quietly(attempt: Attempt, signal: AbortSignal, log: Log): Promise<boolean> {
  try {
    return await attempt(signal)
  } catch (error) {
    if (signal.aborted) throw error
    log.error('error retrieving or updating resource lock', error)
    return false
  }
}
