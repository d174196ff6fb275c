/** When a request may be sent again, and after how long. A pure decision. */

/** The outcome of one attempt: an HTTP status, or no complete answer at all. */
export type Outcome = { status: number; retryAfterSeconds: number | undefined } | { connection: string }

const throttledAttempts = 10
const failedAttempts = 3
const longestWait = 30_000

const retryableStatus = new Set([500, 502, 503, 504])
const retryableConnection = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/**
 * Milliseconds to wait before the request is sent again; undefined where it must not be.
 * 429 means that the server did not act (priority and fairness, or a limit), so everything may be repeated. A write
 * whose answer was lost, or that failed with 5xx, may have been carried out: it never is. Reads may be repeated.
 */
export function retryDelay(method: string, outcome: Outcome, attempt: number): number | undefined {
  const throttled = 'status' in outcome && outcome.status === 429
  if (throttled) return attempt < throttledAttempts ? delay(outcome, attempt) : undefined
  if (method !== 'GET' || attempt >= failedAttempts) return undefined
  if ('connection' in outcome) return retryableConnection.has(outcome.connection) ? delay(outcome, attempt) : undefined
  return retryableStatus.has(outcome.status) ? delay(outcome, attempt) : undefined
}

function delay(outcome: Outcome, attempt: number): number {
  const wanted =
    'status' in outcome && outcome.retryAfterSeconds ? outcome.retryAfterSeconds * 1000 : 100 * 2 ** attempt
  return Math.min(wanted, longestWait)
}
