/** Fetches one text over HTTP(S), with limits: time, size, redirects. */
import { ReleaseError } from './errors.ts'

/** The part of `fetch` that is used here, so that it can be given from outside. */
export type FetchLike = (
  url: string,
  options: { redirect: 'manual'; signal: AbortSignal; headers: Record<string, string> },
) => Promise<{
  status: number
  headers: { get(name: string): string | null }
  body: AsyncIterable<Uint8Array> | null
}>

export interface DownloadLimits {
  timeoutMilliseconds: number
  bytes: number
  redirects: number
}

/** Manifests of known releases are below 1 MB; a mirror may be slow. */
export const downloadLimits: DownloadLimits = { timeoutMilliseconds: 20_000, bytes: 32 * 1024 * 1024, redirects: 5 }

/**
 * The text at an address; undefined where the server says that there is none (404, 410).
 * Throws ReleaseError `unreadable` (refused, timed out, other status, a redirect from HTTPS to HTTP) or `too-large`, and the
 * signal's own reason where the caller gave up.
 */
export async function download(
  address: string,
  fetch: FetchLike,
  options: { signal?: AbortSignal | undefined; limits?: DownloadLimits } = {},
): Promise<string | undefined> {
  const limits = options.limits ?? downloadLimits
  const timeout = AbortSignal.timeout(limits.timeoutMilliseconds)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
  try {
    return await follow(new URL(address), fetch, signal, limits)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof ReleaseError) throw error
    const why = timeout.aborted ? `no complete answer within ${limits.timeoutMilliseconds / 1000} s` : reasonOf(error)
    throw unreadable(new URL(address), why, error)
  }
}

/** An address for messages: without user, password and query, which may hold credentials. */
export function shownAddress(address: URL): string {
  return `${address.protocol}//${address.host}${address.pathname}`
}

async function follow(
  start: URL,
  fetch: FetchLike,
  signal: AbortSignal,
  limits: DownloadLimits,
): Promise<string | undefined> {
  let address = start
  for (let redirects = 0; redirects <= limits.redirects; redirects += 1) {
    if (address.username !== '' || address.password !== '') {
      throw unreadable(start, 'an address with a user or a password in it is not fetched')
    }
    const headers = { accept: 'application/yaml, text/plain, */*' }
    const response = await fetch(address.href, { redirect: 'manual', signal, headers })
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await discard(response.body)
      const next = new URL(location, address)
      if (next.protocol !== 'https:' && !(next.protocol === 'http:' && address.protocol === 'http:')) {
        throw unreadable(start, `it redirects to ${shownAddress(next)}, which is not protected`)
      }
      address = next
      continue
    }
    if (response.status === 200) return await readText(response.body, address, limits)
    await discard(response.body)
    if (response.status === 404 || response.status === 410) return undefined
    throw unreadable(address, `the server answered ${response.status}`)
  }
  throw unreadable(start, `it redirects more than ${limits.redirects} times`)
}

async function readText(body: AsyncIterable<Uint8Array> | null, address: URL, limits: DownloadLimits): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > limits.bytes) throw tooLarge(shownAddress(address), limits.bytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An unread body would keep its connection busy. */
async function discard(body: AsyncIterable<Uint8Array> | null): Promise<void> {
  for await (const _ of body ?? []) break
}

/** The refusal of a text beyond the size limit. */
export function tooLarge(name: string, limit: number): ReleaseError {
  return new ReleaseError('too-large', `${name} is larger than ${Math.floor(limit / 1024 / 1024)} MB`, {
    why: 'the manifest of a release is far smaller, so this is something else',
    next: 'name the folder, file or address of a release with --source',
  })
}

function unreadable(address: URL, why: string, cause?: unknown): ReleaseError {
  return new ReleaseError('unreadable', `${shownAddress(address)} could not be read`, {
    why,
    next: 'check the connection, or give the files of the release with --source',
    cause,
  })
}

/** `fetch` says only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : ''
  return `${code}${cause.message}`
}
