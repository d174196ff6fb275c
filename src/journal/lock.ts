/**
 * The lock of the records: one run at a time. A Lease, as controllers use it: a holder, a duration, a renew time. A
 * process that dies leaves a lock that expires; whoever takes it over waits until no request of the dead one can land.
 */
import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict } from '../kubernetes/errors.ts'
import type { Lease } from '../kubernetes/objects.ts'

const LEASE_SECONDS = 30
const RENEW_EVERY_MS = 10_000
const LOOK_EVERY_MS = 2_000
/** The API server answers or drops a write within 34 s of its start (its handlers' limit), so after 35 s none is left. */
const REQUEST_LIMIT_MS = 35_000

const LOCK = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'run-lock' }

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  override readonly name = 'LockHeld'
  readonly holder: string
  readonly since: string | undefined

  constructor(holder: string, since: string | undefined, message?: string) {
    super(message ?? `Another run holds the lock: ${holder}${since === undefined ? '' : ` since ${since}`}.`)
    this.holder = holder
    this.since = since
  }
}

export interface LockOptions {
  now?: () => Date
  /** how long a request of a dead holder can still land; injected by tests */
  requestLimitMs?: number
  /** told when an expired lock is taken over and waited out */
  onTakeOver?: (holder: string, waitMs: number) => void
  signal?: AbortSignal
}

/** `user@host/pid/nonce`: tells people who it is, and two processes of one user apart. */
export const holderIdentity = (): string => {
  let user = 'unknown'
  try {
    user = userInfo().username
  } catch {
    // A container may run under a uid that has no name.
  }
  return `${user}@${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`
}

/** A renew time counts by the clock here: clocks that differ by less than the duration do no harm. */
const isFree = (lease: Lease, now: Date): boolean => {
  const { holderIdentity: holder, renewTime, leaseDurationSeconds } = lease.spec ?? {}
  if (holder === undefined || holder === null || holder === '' || renewTime === undefined) return true
  return now.getTime() - Date.parse(renewTime) > (leaseDurationSeconds ?? LEASE_SECONDS) * 1000
}

/** Lease times have microseconds (`metav1.MicroTime`). */
const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z')

export class Lock {
  readonly identity: string
  /** Aborts when the lock is lost: whoever works under it stops. */
  readonly lost: AbortSignal
  readonly #client: KubernetesClient
  readonly #now: () => Date
  readonly #lost = new AbortController()
  #lease: Lease
  /** when our last renewal was sent, by the clock here: it goes on while a process is stopped */
  #renewedAt: number
  readonly #timer: NodeJS.Timeout
  #renewing: Promise<unknown> = Promise.resolve()

  private constructor(client: KubernetesClient, lease: Lease, identity: string, now: () => Date) {
    this.#client = client
    this.#lease = lease
    this.#now = now
    this.#renewedAt = now().getTime()
    this.identity = identity
    this.lost = this.#lost.signal
    this.#timer = setInterval(() => void this.#renew(), RENEW_EVERY_MS)
    this.#timer.unref()
  }

  /** Takes the lock. Throws LockHeld where another process holds it and renews it. */
  static async acquire(client: KubernetesClient, namespace: string, options: LockOptions = {}): Promise<Lock> {
    const now = options.now ?? (() => new Date())
    const identity = holderIdentity()
    const reference = { ...LOCK, namespace }
    const wanted = (lease?: Lease): Lease => ({
      apiVersion: reference.apiVersion,
      kind: reference.kind,
      metadata: lease?.metadata ?? { name: reference.name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_SECONDS,
        acquireTime: microTime(now()),
        renewTime: microTime(now()),
        leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease === undefined ? 0 : 1),
      },
    })
    let live = await client.find<Lease>(reference)
    if (live !== undefined && !isFree(live, now())) throw heldBy(live)
    if (live?.spec?.holderIdentity) live = await waitOut(client, live, options)
    try {
      const lease = live === undefined ? await client.create(wanted()) : await client.replace(wanted(live))
      return new Lock(client, lease, identity, now)
    } catch (error) {
      if (!isConflict(error)) throw error
      throw heldBy((await client.find<Lease>(reference)) ?? wanted())
    }
  }

  /** Throws where the lock is lost, also where it has expired unnoticed: a process that was stopped must not write on. */
  check(): void {
    if (this.#now().getTime() - this.#renewedAt > LEASE_SECONDS * 1000)
      this.#lost.abort(
        new LockHeld(
          'unknown',
          undefined,
          'The lock expired while this process was stopped; another run may hold it now.',
        ),
      )
    this.lost.throwIfAborted()
  }

  /** Who holds the lock and renews it, or undefined where it is free. */
  static async holder(client: KubernetesClient, namespace: string, now: Date): Promise<LockHeld | undefined> {
    const lease = await client.find<Lease>({ ...LOCK, namespace })
    return lease === undefined || isFree(lease, now) ? undefined : heldBy(lease)
  }

  async #renew(): Promise<void> {
    this.#renewing = this.#write({ renewTime: microTime(this.#now()) })
    const ours = await this.#renewing
    if (!ours) this.#lost.abort(new LockHeld('somebody else', undefined))
  }

  /** Writes our lease; false where it is not ours any more. A lost answer or a passing failure leaves it ours. */
  async #write(spec: Lease['spec'], again = true): Promise<boolean> {
    const sentAt = this.#now().getTime()
    try {
      this.#lease = await this.#client.replace({ ...this.#lease, spec: { ...this.#lease.spec, ...spec } })
      this.#renewedAt = sentAt
      return true
    } catch (error) {
      if (!isConflict(error)) return !isFree(this.#lease, this.#now())
      try {
        const { name, namespace } = this.#lease.metadata
        const { apiVersion, kind } = this.#lease
        const live = await this.#client.get<Lease>({ apiVersion, kind, name, ...(namespace && { namespace }) })
        if (live.spec?.holderIdentity !== this.identity) return false
        // Our own last write, whose answer was lost: this one goes on top of it.
        this.#lease = live
        return again ? await this.#write(spec, false) : true
      } catch {
        return !isFree(this.#lease, this.#now())
      }
    }
  }

  /** Gives the lock back. Failing to do so is no error: it expires by itself. */
  async release(): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
    if (!this.lost.aborted) await this.#write({ holderIdentity: '' })
  }
}

/**
 * Watches a lock that looks expired for as long as a request of its holder could still land. A holder that renews it
 * meanwhile is alive, and just has another clock. Gives the lease as it is after that.
 */
const waitOut = async (client: KubernetesClient, expired: Lease, options: LockOptions): Promise<Lease> => {
  const wait = options.requestLimitMs ?? REQUEST_LIMIT_MS
  options.onTakeOver?.(expired.spec?.holderIdentity ?? '', wait)
  const end = performance.now() + wait
  const { name, namespace } = expired.metadata
  const { apiVersion, kind } = expired
  for (;;) {
    await delay(
      Math.min(LOOK_EVERY_MS, wait),
      undefined,
      options.signal === undefined ? {} : { signal: options.signal },
    )
    const live = await client.get<Lease>({ apiVersion, kind, name, ...(namespace && { namespace }) })
    if (live.metadata.resourceVersion !== expired.metadata.resourceVersion) throw heldBy(live)
    if (performance.now() >= end) return live
  }
}

const heldBy = (lease: Lease): LockHeld =>
  new LockHeld(lease.spec?.holderIdentity ?? 'unknown', lease.spec?.acquireTime?.slice(0, 19).concat('Z'))
