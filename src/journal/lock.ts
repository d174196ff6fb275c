/**
 * The lock of the records: one run at a time. A Lease, as controllers use it: a holder, a duration, a renew time. A
 * process that dies leaves a lock that expires; whoever takes it over waits until no request of the dead one can land.
 * On request it is taken from a holder that has not let it expire; then the waiting comes after the taking.
 */
import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { Lease } from '../kubernetes/objects.ts'

const LEASE_SECONDS = 30
/** Renewals within the time that the lock lasts: one may be lost, and the next is still in time. */
const RENEWALS = 3
const LOOK_EVERY_MS = 2_000
/** Clocks that are kept by NTP differ by less. */
const CLOCK_TOLERANCE_MS = 5_000
/** Times that the Lease is read again because its holder wrote it between our read and our write. */
const ATTEMPTS = 5
/** The API server answers or drops a write within 34 s of its start (its handlers' limit), so after 35 s none is left. */
const REQUEST_LIMIT_MS = 35_000

const LOCK = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'run-lock' }

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  override readonly name = 'LockHeld'
  readonly holder: string
  readonly since: string | undefined
  /** it was ours before */
  readonly lost: boolean

  constructor(holder: string, since: string | undefined, lost?: string) {
    super(lost ?? `Another run holds the lock: ${holder}${since === undefined ? '' : ` since ${since}`}.`)
    this.holder = holder
    this.since = since
    this.lost = lost !== undefined
  }
}

export interface LockOptions {
  now?: () => Date
  /** how long the lock lasts without being renewed (30 s); it is renewed three times as often */
  lockSeconds?: number
  /** how long a request of a dead holder can still land; injected by tests */
  requestLimitMs?: number
  /** told before it is waited: for a lock that has `expired`, or after one was `taken` from its holder */
  onTakeOver?: (holder: string, waitMs: number, how: 'expired' | 'taken') => void
  /** takes it from a holder that has not let it expire */
  takeOver?: boolean
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

/**
 * Renewed in the future: the clock here is behind its holder's, and a dead one would look alive for as long as they differ.
 * Whether it is alive is seen by watching it.
 */
const isOfTheFuture = (lease: Lease, now: Date): boolean =>
  Date.parse(lease.spec?.renewTime ?? '') - now.getTime() > CLOCK_TOLERANCE_MS

/** Lease times have microseconds (`metav1.MicroTime`). */
const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z')

/** Who takes a lock, and how. */
interface Taker {
  identity: string
  now: () => Date
  seconds: number
}

/** The Lease as its taker writes it, on the very version that was read. */
const leaseFor = ({ identity, now, seconds }: Taker, namespace: string, live?: Lease): Lease => ({
  apiVersion: LOCK.apiVersion,
  kind: LOCK.kind,
  metadata: live?.metadata ?? { name: LOCK.name, namespace },
  spec: {
    holderIdentity: identity,
    leaseDurationSeconds: seconds,
    acquireTime: microTime(now()),
    renewTime: microTime(now()),
    leaseTransitions: (live?.spec?.leaseTransitions ?? 0) + (live === undefined ? 0 : 1),
  },
})

export class Lock {
  readonly identity: string
  /** Aborts when the lock is lost: whoever works under it stops. */
  readonly lost: AbortSignal
  readonly #client: KubernetesClient
  readonly #now: () => Date
  readonly #seconds: number
  readonly #lost = new AbortController()
  #lease: Lease
  /** when our last renewal was sent, by the clock here: it goes on while a process is stopped */
  #renewedAt: number
  readonly #timer: NodeJS.Timeout
  #renewing: Promise<unknown> = Promise.resolve()

  private constructor(client: KubernetesClient, lease: Lease, { identity, now, seconds }: Taker, sentAt: number) {
    this.#client = client
    this.#lease = lease
    this.#now = now
    this.#seconds = seconds
    this.#renewedAt = sentAt
    this.identity = identity
    this.lost = this.#lost.signal
    this.#timer = setInterval(() => void this.#renew(), (seconds * 1000) / RENEWALS)
    this.#timer.unref()
  }

  /**
   * Takes the lock. Throws LockHeld where another process holds it and renews it, and with `takeOver` where yet another one
   * took it meanwhile.
   */
  static async acquire(client: KubernetesClient, namespace: string, options: LockOptions = {}): Promise<Lock> {
    const taker: Taker = {
      identity: holderIdentity(),
      now: options.now ?? (() => new Date()),
      seconds: options.lockSeconds ?? LEASE_SECONDS,
    }
    const reference = { ...LOCK, namespace }
    let live = await client.find<Lease>(reference)
    if (live?.spec?.holderIdentity && options.takeOver === true) return Lock.#takeFrom(client, live, taker, options)
    if (live !== undefined && !isFree(live, taker.now()) && !isOfTheFuture(live, taker.now())) throw heldBy(live)
    if (live?.spec?.holderIdentity) live = await waitOut(client, live, options)
    try {
      return await Lock.#writeAs(client, taker, namespace, live)
    } catch (error) {
      if (!isConflict(error)) throw error
      throw heldBy((await client.find<Lease>(reference)) ?? leaseFor(taker, namespace))
    }
  }

  static async #writeAs(
    client: KubernetesClient,
    taker: Taker,
    namespace: string,
    live: Lease | undefined,
  ): Promise<Lock> {
    const sentAt = taker.now().getTime()
    const wanted = leaseFor(taker, namespace, live)
    const lease = live === undefined ? await client.create(wanted) : await client.replace(wanted)
    return new Lock(client, lease, taker, sentAt)
  }

  /**
   * The lock is ours first, so that the other's next renewal fails; then nothing is done until the other cannot believe any
   * more that it holds the lock, and no request of it can land.
   */
  static async #takeFrom(client: KubernetesClient, held: Lease, taker: Taker, options: LockOptions): Promise<Lock> {
    // By its own clock the other may hold the lock for its whole duration after a renewal just before our write.
    const believes = (held.spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000
    const wait = Math.max(options.requestLimitMs ?? REQUEST_LIMIT_MS, believes)
    const { namespace = '' } = held.metadata
    const lock = await Lock.#overwrite(client, held, taker, namespace)
    options.onTakeOver?.(held.spec?.holderIdentity ?? '', wait, 'taken')
    try {
      await delay(wait, undefined, {
        signal: AbortSignal.any([lock.lost, ...(options.signal ? [options.signal] : [])]),
      })
      // Not the clock alone: somebody else may have done to us what we did to the other.
      await lock.#renew()
      lock.check()
      return lock
    } catch (error) {
      await lock.release()
      throw lock.lost.aborted ? lock.lost.reason : error
    }
  }

  /** A holder that is alive renews in between: the Lease is read again, but only as long as it is the same holder's. */
  static async #overwrite(client: KubernetesClient, held: Lease, taker: Taker, namespace: string): Promise<Lock> {
    let live: Lease | undefined = held
    for (let attempt = 1; ; attempt++) {
      try {
        return await Lock.#writeAs(client, taker, namespace, live)
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error
        live = await client.find<Lease>({ ...LOCK, namespace })
        const holder = live?.spec?.holderIdentity
        if (live !== undefined && holder && holder !== held.spec?.holderIdentity) throw heldBy(live)
      }
    }
  }

  /** Throws where the lock is lost, also where it has expired unnoticed: a process that was stopped must not write on. */
  check(): void {
    if (this.#now().getTime() - this.#renewedAt > this.#seconds * 1000)
      this.#lost.abort(
        new LockHeld(
          'unknown',
          undefined,
          'The lock expired while this process was stopped; another run may hold it now.',
        ),
      )
    this.lost.throwIfAborted()
  }

  /** Who holds the lock and renews it, or undefined where it is free, or only watching it would tell. */
  static async holder(client: KubernetesClient, namespace: string, now: Date): Promise<LockHeld | undefined> {
    const lease = await client.find<Lease>({ ...LOCK, namespace })
    return lease === undefined || isFree(lease, now) || isOfTheFuture(lease, now) ? undefined : heldBy(lease)
  }

  async #renew(): Promise<void> {
    const renewal = this.#write({ renewTime: microTime(this.#now()) })
    this.#renewing = renewal
    const taken = await renewal
    if (taken !== undefined) this.#lost.abort(taken)
  }

  /** Writes our lease; says who has it where it is not ours any more. A lost answer or a passing failure leaves it ours. */
  async #write(spec: Lease['spec'], again = true): Promise<LockHeld | undefined> {
    const sentAt = this.#now().getTime()
    try {
      this.#lease = await this.#client.replace({ ...this.#lease, spec: { ...this.#lease.spec, ...spec } })
      this.#renewedAt = sentAt
      return undefined
    } catch (error) {
      if (isNotFound(error)) return gone()
      if (!isConflict(error)) return this.#expired()
      try {
        const { name, namespace } = this.#lease.metadata
        const { apiVersion, kind } = this.#lease
        const live = await this.#client.get<Lease>({ apiVersion, kind, name, ...(namespace && { namespace }) })
        if (live.spec?.holderIdentity !== this.identity) return takenBy(live)
        // Our own last write, whose answer was lost: this one goes on top of it.
        this.#lease = live
        return again ? await this.#write(spec, false) : undefined
      } catch (failure) {
        return isNotFound(failure) ? gone() : this.#expired()
      }
    }
  }

  #expired(): LockHeld | undefined {
    return isFree(this.#lease, this.#now())
      ? new LockHeld('unknown', undefined, 'The lock could not be renewed in time; another run may hold it now.')
      : undefined
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
  const believes = isOfTheFuture(expired, (options.now ?? (() => new Date()))())
    ? (expired.spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000
    : 0
  const wait = Math.max(options.requestLimitMs ?? REQUEST_LIMIT_MS, believes)
  options.onTakeOver?.(expired.spec?.holderIdentity ?? '', wait, 'expired')
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

const gone = (): LockHeld =>
  new LockHeld('nobody', undefined, 'The lock is gone: somebody deleted its Lease, or its namespace with it.')

/** Told to the one that had it: it has lost its run, not only the lock. */
const takenBy = (lease: Lease): LockHeld => {
  const holder = lease.spec?.holderIdentity
  const text = holder
    ? `Another run has taken the lock over: ${holder}.`
    : 'Another run took the lock over, and has ended.'
  return new LockHeld(holder || 'unknown', undefined, text)
}
