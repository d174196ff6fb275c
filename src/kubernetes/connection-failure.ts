/** What a failed connection means and what to do about it, by the code of the failure. */
import { ConnectionError } from './errors.ts'

/** Names a server for messages: its URL without a user part. */
export function serverName(server: URL): string {
  return `${server.protocol}//${server.host}${server.pathname.replace(/\/$/, '')}`
}

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])
const timeouts = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_PRX_TLS',
])
const unreachable = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'])
const cutOff = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_PRX_CONN'])

/**
 * The ConnectionError for what a socket, TLS or proxy failed with. Of the failure only its code and message are kept,
 * because errors of this kind can drag along what was being sent. `write`: the request may have been carried out.
 */
export function connectionFailure(
  error: unknown,
  server: URL,
  options: { write: boolean; proxy?: URL | undefined },
): ConnectionError {
  const name = serverName(server)
  const code = codeOf(error)
  const detail = detailOf(error)
  const way = options.proxy ? ` (through the proxy ${options.proxy.protocol}//${options.proxy.host})` : ''
  const message = `${describe(code, name, server, detail)}${way}${options.write && isLost(code) ? lostWrite : ''}`
  const cause = new Error(`${code}: ${detail}`)
  return new ConnectionError({ code, server: name, message, cause })
}

const lostWrite = '; whether the request was carried out is not known'

function isLost(code: string): boolean {
  return cutOff.has(code) || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
}

function describe(code: string, name: string, server: URL, detail: string): string {
  if (code === 'ECONNREFUSED') return `nothing answers at ${name}: the connection was refused`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host name ${server.hostname} of ${name} is not known (${code})`
  if (untrusted.has(code)) {
    return `the certificate of ${name} is not signed by a trusted authority (${code}): check certificate-authority in the kubeconfig`
  }
  if (code === 'CERT_HAS_EXPIRED')
    return `the certificate of ${name} has expired: renew it, and check this machine's clock`
  if (code === 'CERT_NOT_YET_VALID') return `the certificate of ${name} is not valid yet: check this machine's clock`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate of ${name} is for other names: check the server's address, or set --tls-server-name (${detail})`
  }
  if (timeouts.has(code)) return `${name} did not answer in time (${code})`
  if (unreachable.has(code)) return `${name} cannot be reached from this network (${code})`
  if (cutOff.has(code)) return `${name} closed the connection before it had answered (${code})`
  if (detail.startsWith('Proxy response')) return `the proxy did not let the connection to ${name} through: ${detail}`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `TLS with ${name} failed (${detail})`
  return `${name} cannot be reached: ${detail}`
}

/** OpenSSL's text is a line of its own source code with a line break; beside it stands the reason in words. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const text = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
  return text.replaceAll(/\s+/g, ' ').trim()
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'EUNKNOWN'
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.cause instanceof Error) return codeOf(error.cause)
  return error.name
}
