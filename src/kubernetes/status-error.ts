/** What an answer that is not a success says: the fields of a `Status`, or of whatever stands in for it. */
import { ApiError } from './errors.ts'
import type { Headers } from './transport.types.ts'

interface Status {
  kind?: string
  message?: string
  reason?: string
  code?: number
  details?: { causes?: { reason?: string; message?: string; field?: string }[]; retryAfterSeconds?: number }
  metadata?: { continue?: string }
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The `Status` in an answer's body; undefined where there is none (a proxy's page, plain text). */
function parseStatus(text: string): Status | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const body = JSON.parse(text) as Status
    return body.kind === 'Status' ? body : undefined
  } catch {
    return undefined
  }
}

/** `METHOD path` of a request, without its query. */
export function requestLine(method: string, path: string): string {
  return `${method} ${path.split('?', 1)[0] ?? path}`
}

/** The seconds of a `Retry-After` header; API servers send whole seconds, never dates. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const value = headers['retry-after']
  const text = Array.isArray(value) ? value[0] : value
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined
}

/** The ApiError for an answer whose status is not a success. */
export function apiError(request: string, answer: { status: number; headers: Headers; text: string }): ApiError {
  const status = parseStatus(answer.text)
  return new ApiError({
    code: answer.status,
    reason: status?.reason || reasons[answer.status] || 'Unknown',
    message: status?.message || bodyExcerpt(answer.text) || `the server answered ${answer.status}`,
    request,
    retryAfterSeconds: retryAfterSeconds(answer.headers) ?? status?.details?.retryAfterSeconds,
    causes: status?.details?.causes,
  })
}

/**
 * The parsed body of a success. Throws ApiError with reason InvalidAnswer where it is no JSON: login pages of proxies
 * come with 200.
 */
export function parseBody<T>(
  request: string,
  answer: { status: number; text: string },
  parse: (text: string) => unknown = JSON.parse,
): T {
  try {
    return parse(answer.text) as T
  } catch {
    const message = 'the answer is not JSON: this is no API server, or something in between answered for it'
    throw new ApiError({ code: answer.status, reason: 'InvalidAnswer', message, request })
  }
}

/** The ApiError for the object of an ERROR event of a watch: a `Status` that came in an answer with code 200. */
export function watchError(request: string, object: unknown): ApiError {
  const status = (object ?? {}) as Status
  const code = status.code ?? 500
  return new ApiError({
    code,
    reason: code === 410 ? 'Expired' : status.reason || reasons[code] || 'Unknown',
    message: status.message || 'the watch ended with an error',
    request,
    retryAfterSeconds: status.details?.retryAfterSeconds,
    causes: status.details?.causes,
  })
}

/**
 * The token to go on with after 410 Expired in the middle of a list: the API server gives it in the Status' metadata.
 * Pages from there on are of a newer moment than those before ("inconsistent continue").
 */
export function inconsistentContinue(text: string): string | undefined {
  return parseStatus(text)?.metadata?.continue || undefined
}

// Pages of proxies are long and say little; the first line of plain text is what an API server answers outside its API.
function bodyExcerpt(text: string): string {
  if (text.trimStart().startsWith('<')) return ''
  return (text.trim().split('\n', 1)[0] ?? '').slice(0, 300)
}
