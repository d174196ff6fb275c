/** The transport over one pool of HTTP/1.1 connections. */
// Imported statically, in a module that is itself loaded lazily: undici is heavy, and its namespace does not survive
// a bundler when imported dynamically.
import { createSecureContext, type SecureContext } from 'node:tls'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import { connectionFailure } from './connection-failure.ts'
import type { ClientCertificate, Credential, CredentialSource } from './credentials.types.ts'
import { ConfigurationError, type ConnectionError, CredentialError } from './errors.ts'
import type { TlsSettings } from './tls-settings.ts'
import type { Headers, Transport, TransportRequest, TransportResponse, TransportStream } from './transport.types.ts'

export interface PoolOptions {
  server: URL
  tls: TlsSettings
  proxy?: URL | undefined
  credentials: CredentialSource
  /** sent with every request, beside the credential: impersonation */
  headers: Headers
  /** limit for a whole request, answer included; undefined for none */
  requestTimeout?: number | undefined
  compression: boolean
}

const connections = 32
const connectTimeout = 15_000
// An API server ends ordinary requests after 60 s; one that is silent for longer is gone.
const silence = 75_000
// Shorter than what API servers (90 s) and load balancers (60 s and more) grant to an idle connection.
const idle = 30_000

const unzip = promisify(gunzip)

export class PoolTransport implements Transport {
  readonly #options: PoolOptions
  readonly #prefix: string
  #pool: { dispatcher: Dispatcher; certificate: ClientCertificate | undefined } | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    this.#prefix = options.server.pathname.replace(/\/$/, '')
  }

  async request({ fresh, ...request }: TransportRequest): Promise<TransportResponse> {
    if (fresh) return this.#alone(request)
    return this.#guarded(request, this.#limit(request.signal), async (signal) => {
      const answer = await this.#send(request, signal, this.#options.requestTimeout ?? silence)
      const bytes = await answer.body.bytes()
      const text = await decode(bytes, answer.headers['content-encoding'])
      return { status: answer.statusCode, headers: answer.headers as Headers, text }
    })
  }

  async open(request: TransportRequest): Promise<TransportStream> {
    return this.#guarded(request, request.signal, async (signal) => {
      const answer = await this.#send(request, signal, 0)
      const body = this.#stream(answer.body, request)
      return { status: answer.statusCode, headers: answer.headers as Headers, body }
    })
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.dispatcher.destroy()
  }

  async #alone(request: TransportRequest): Promise<TransportResponse> {
    const own = new PoolTransport(this.#options)
    try {
      return await own.request(request)
    } finally {
      await own.close()
    }
  }

  /** Sends once; after 401 once more with a renewed credential, which is safe: the server did not act. */
  async #send(
    request: TransportRequest,
    signal: AbortSignal | undefined,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const credential = await this.#options.credentials.current()
    const answer = await this.#dispatch(request, credential, signal, bodyTimeout)
    if (answer.statusCode !== 401) return answer
    const renewed = await this.#renew(credential, answer)
    return renewed ? this.#dispatch(request, renewed, signal, bodyTimeout) : answer
  }

  async #renew(refused: Credential, answer: Dispatcher.ResponseData): Promise<Credential | undefined> {
    try {
      const renewed = await this.#options.credentials.renew(refused)
      if (renewed) await answer.body.dump()
      return renewed
    } catch (error) {
      // A body that nobody reads would keep its connection for ever.
      await answer.body.dump()
      throw error
    }
  }

  #dispatch(
    request: TransportRequest,
    credential: Credential,
    signal: AbortSignal | undefined,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Headers = { ...request.headers, ...this.#options.headers, ...credential.headers }
    if (this.#options.compression && bodyTimeout !== 0) headers['accept-encoding'] = 'gzip'
    return this.#dispatcher(credential.clientCertificate).request({
      origin: this.#options.server.origin,
      method: request.method,
      path: `${this.#prefix}${request.path}`,
      headers,
      headersTimeout: this.#options.requestTimeout ?? silence,
      bodyTimeout,
      ...(request.body !== undefined && { body: request.body }),
      ...(signal && { signal }),
    })
  }

  // A new client certificate needs new connections; requests under way end on the old ones.
  #dispatcher(certificate: ClientCertificate | undefined): Dispatcher {
    const held = this.#pool
    if (held && sameCertificate(held.certificate, certificate)) return held.dispatcher
    void held?.dispatcher.close().catch(() => undefined)
    const dispatcher = createDispatcher(this.#options, certificate)
    this.#pool = { dispatcher, certificate }
    return dispatcher
  }

  #limit(signal: AbortSignal | undefined): AbortSignal | undefined {
    const limit = this.#options.requestTimeout
    if (limit === undefined) return signal
    const timeout = AbortSignal.timeout(limit)
    return signal ? AbortSignal.any([signal, timeout]) : timeout
  }

  async #guarded<T>(
    request: TransportRequest,
    signal: AbortSignal | undefined,
    act: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    request.signal?.throwIfAborted()
    try {
      return await act(signal)
    } catch (error) {
      throw this.#failure(error, request)
    }
  }

  async *#stream(body: AsyncIterable<Uint8Array>, request: TransportRequest): AsyncGenerator<Uint8Array> {
    try {
      yield* body
    } catch (error) {
      throw this.#failure(error, request)
    }
  }

  #failure(error: unknown, request: TransportRequest): unknown {
    if (request.signal?.aborted) return request.signal.reason
    if (error instanceof ConfigurationError || error instanceof CredentialError) return error
    const { server, proxy } = this.#options
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    const cause = timedOut ? Object.assign(new Error('the request timeout has passed'), { code: 'ETIMEDOUT' }) : error
    const failure: ConnectionError = connectionFailure(cause, server, { write: request.method !== 'GET', proxy })
    return failure
  }
}

function createDispatcher(options: PoolOptions, certificate: ClientCertificate | undefined): Dispatcher {
  const { rejectUnauthorized, servername } = options.tls
  const tls = {
    rejectUnauthorized,
    ...(servername !== undefined && { servername }),
    secureContext: secureContext(options.tls, certificate),
    timeout: connectTimeout,
  }
  const common = { connections, allowH2: false, keepAliveTimeout: idle, connectTimeout, headersTimeout: silence }
  if (!options.proxy) return new Pool(options.server.origin, { ...common, connect: tls })
  return new ProxyAgent({ ...common, uri: options.proxy.href, requestTls: tls })
}

// Made once: every connection would parse some hundred roots again.
function secureContext({ ca }: TlsSettings, certificate: ClientCertificate | undefined): SecureContext {
  try {
    return createSecureContext({
      ...(ca && { ca }),
      ...(certificate && { cert: certificate.certificate, key: certificate.key }),
    })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigurationError(`the certificate authority, the client certificate or its key is not valid (${code})`)
  }
}

function sameCertificate(left: ClientCertificate | undefined, right: ClientCertificate | undefined): boolean {
  return left === right || (left?.certificate === right?.certificate && left?.key === right?.key)
}

async function decode(bytes: Uint8Array, encoding: string | string[] | undefined): Promise<string> {
  const plain = encoding === 'gzip' ? await unzip(bytes) : bytes
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('utf8')
}
