/** Requests with what belongs to each of them: retries, warnings, typed errors, and the recording of reads. */
import { setTimeout as timer } from 'node:timers/promises'
import type { ServerWarning } from './client.types.ts'
import { ConnectionError } from './errors.ts'
import { type Outcome, retryDelay } from './retry.ts'
import { apiError, parseBody, requestLine, retryAfterSeconds } from './status-error.ts'
import type { Recorder, Transport, TransportRequest, TransportResponse, TransportStream } from './transport.types.ts'
import { parseWarnings } from './warnings.ts'

/** A request that will be sent again, and why: for those who adapt their own pace. */
export interface RetryEvent {
  /** `METHOD path` */
  request: string
  /** status of the answer, or the code of the failed connection */
  cause: number | string
  delayMs: number
}

export interface ExchangeOptions {
  recorder?: Recorder | undefined
  onRetry?: ((event: RetryEvent) => void) | undefined
  /** injected in tests */
  wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined
}

const accessReview = /^\/apis\/authorization\.k8s\.io\/v1\/self\w+reviews$/

export class Exchange {
  readonly warnings: ServerWarning[] = []
  readonly #transport: Transport
  readonly #options: ExchangeOptions

  constructor(transport: Transport, options: ExchangeOptions) {
    this.#transport = transport
    this.#options = options
  }

  /** The answer, whatever its status, after the retries that are safe. Throws ConnectionError where there is none. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const response = await this.#attempt(request, () => this.#transport.request(request))
    this.#record(request, response)
    return response
  }

  /** The answer of a success; throws ApiError for any other. */
  async sendOk(request: TransportRequest): Promise<TransportResponse> {
    const response = await this.send(request)
    if (response.status < 200 || response.status > 299) {
      throw apiError(requestLine(request.method, request.path), response)
    }
    return response
  }

  /** The parsed body of a success; throws ApiError for any other. */
  async json<T>(request: TransportRequest): Promise<T> {
    const response = await this.sendOk(request)
    return parseBody<T>(requestLine(request.method, request.path), response)
  }

  /** An answer to be read piece by piece; throws ApiError where it is not a success. */
  async open(request: TransportRequest): Promise<TransportStream> {
    const stream = await this.#attempt(request, () => this.#transport.open(request))
    if (stream.status >= 200 && stream.status <= 299) return stream
    const text = await collect(stream.body)
    throw apiError(requestLine(request.method, request.path), { ...stream, text })
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  async #attempt<T extends { status: number; headers: TransportResponse['headers'] }>(
    request: TransportRequest,
    send: () => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      let result: { answer: T } | { error: unknown }
      try {
        result = { answer: await send() }
      } catch (error) {
        result = { error }
      }
      const outcome = outcomeOf(result)
      const delayMs = outcome && !request.once ? retryDelay(request.method, outcome, attempt) : undefined
      if (outcome === undefined || delayMs === undefined) {
        if ('error' in result) throw result.error
        this.#collectWarnings(request, result.answer)
        return result.answer
      }
      await this.#pause(request, outcome, delayMs)
    }
  }

  async #pause(request: TransportRequest, outcome: Outcome, delayMs: number): Promise<void> {
    const cause = 'status' in outcome ? outcome.status : outcome.connection
    this.#options.onRetry?.({ request: requestLine(request.method, request.path), cause, delayMs })
    await (this.#options.wait ?? wait)(delayMs, request.signal)
  }

  #collectWarnings(request: TransportRequest, answer: { headers: TransportResponse['headers'] }): void {
    if (answer.headers.warning === undefined) return
    for (const text of parseWarnings(answer.headers.warning)) {
      if (this.warnings.some((seen) => seen.text === text)) continue
      this.warnings.push({ request: requestLine(request.method, request.path), text })
    }
  }

  #record(request: TransportRequest, response: TransportResponse): void {
    if (!this.#options.recorder) return
    const review = request.method === 'POST' && accessReview.test(request.path)
    if (request.method !== 'GET' && !review) return
    const accept = request.headers.accept
    this.#options.recorder.record(
      {
        method: request.method,
        path: request.path,
        ...(typeof accept === 'string' && accept !== 'application/json' && { accept }),
        ...(review && request.body !== undefined && { body: request.body }),
      },
      { status: response.status, body: response.text },
    )
  }
}

function outcomeOf(
  result:
    | { answer: TransportResponse | { status: number; headers: TransportResponse['headers'] } }
    | { error: unknown },
): Outcome | undefined {
  if ('answer' in result) {
    const { status, headers } = result.answer
    return status < 400 ? undefined : { status, retryAfterSeconds: retryAfterSeconds(headers) }
  }
  return result.error instanceof ConnectionError ? { connection: result.error.code } : undefined
}

async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await timer(milliseconds, undefined, signal && { signal })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
