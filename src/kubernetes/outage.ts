/** An API server that is away for a moment, as while it restarts: what was asked of it is asked again once it is back. */
import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesClient } from './client.types.ts'
import { ApiError, ConnectionError } from './errors.ts'

/** A static pod is started again within some seconds; the lock of a run lasts 30 s without a renewal. */
const LONGEST_SECONDS = 30
const LOOK_EVERY_MS = 500
/** A server that comes and goes is no server to change anything with. */
const MOST_OUTAGES = 5

export interface OutageOptions {
  client: Pick<KubernetesClient, 'raw'>
  signal: AbortSignal
  /** told what is waited for */
  report(text: string): void
  /** how long one outage may last; tests shorten it */
  seconds?: number
  /** pause between looks; tests shorten it */
  everyMs?: number
}

/** Codes of connections that were refused or cut off: a wrong name or certificate will not get better by waiting. */
const GONE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

/** Whether nobody answered, or a server that is not ready (503) or was too busy (504). Pure. */
export const isOutage = (error: unknown): boolean =>
  error instanceof ConnectionError
    ? GONE.has(error.code)
    : error instanceof ApiError && (error.code === 503 || error.code === 504)

/**
 * Does `work`, and again after an outage of at most 30 s. Only for work that may have been done before, whole or in part:
 * idempotent steps, writes on a resourceVersion. Throws what `work` throws, and the outage's own error where it does not end.
 */
export const ridingOut = async <T>(work: () => Promise<T>, options: OutageOptions): Promise<T> => {
  for (let outages = 1; ; outages++)
    try {
      return await work()
    } catch (error) {
      if (!isOutage(error) || options.signal.aborted || outages > MOST_OUTAGES) throw error
      options.report(`waiting for the API server: ${error instanceof Error ? error.message : String(error)}`)
      if (!(await isBack(options))) throw error
    }
}

/** `/readyz` answers 200 once the server has read its roles too: before that it refuses what it will allow. */
const isBack = async ({
  client,
  signal,
  seconds = LONGEST_SECONDS,
  everyMs = LOOK_EVERY_MS,
}: OutageOptions): Promise<boolean> => {
  const end = performance.now() + seconds * 1000
  do {
    await delay(everyMs, undefined, { signal })
    try {
      if ((await client.raw({ method: 'GET', path: '/readyz', signal })).status === 200) return true
    } catch (error) {
      if (!isOutage(error)) throw error
    }
  } while (performance.now() < end)
  return false
}
