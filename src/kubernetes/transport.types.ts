/** The way to an API server: one request, one answer. A pool of connections and a recording both implement it. */

export type Headers = Record<string, string | string[]>

export interface TransportRequest {
  method: string
  /** path and query, for example `/api/v1/namespaces?limit=500` */
  path: string
  headers: Headers
  body?: string
  signal?: AbortSignal
  /** the first answer counts, 429 included: the caller has a pace of its own */
  once?: boolean
  /** over a connection of its own, closed afterwards */
  fresh?: boolean
}

export interface TransportResponse {
  status: number
  /** names in lower case */
  headers: Headers
  text: string
}

export interface TransportStream {
  status: number
  headers: Headers
  body: AsyncIterable<Uint8Array>
}

export interface Transport {
  /** One request whose whole answer is read. Throws ConnectionError where there was none. */
  request(request: TransportRequest): Promise<TransportResponse>
  /** One request whose answer is read piece by piece; the answer ends when the consumer stops reading. */
  open(request: TransportRequest): Promise<TransportStream>
  close(): Promise<void>
}

/** A read as it was asked; `accept` where it was not plain JSON, `body` for access reviews, which are reads sent as POST. */
export interface RecordedRequest {
  method: string
  path: string
  accept?: string
  body?: string
}

export interface RecordedResponse {
  status: number
  body: string
}

export interface RecordedExchange {
  request: RecordedRequest
  response: RecordedResponse
}

/** Told every read and its answer; credentials never come by here. Secrets that were read do. */
export interface Recorder {
  record(request: RecordedRequest, response: RecordedResponse): void
}

export type Recording = readonly RecordedExchange[]
