/** A real TLS server on loopback that answers as a test wants it to. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Certificates, Pair } from './certificates.ts'

export interface Seen {
  method: string
  url: URL
  headers: IncomingMessage['headers']
  rawHeaders: string[]
  body: string
  /** common name of the client's certificate */
  client: string | undefined
}

export interface Answer {
  status?: number
  headers?: Record<string, string | string[]>
  /** a string as it is, all else as JSON */
  body?: unknown
}

export type Handler = (seen: Seen, response: ServerResponse) => Answer | undefined | Promise<Answer | undefined>

export interface TestServer {
  url: string
  requests: Seen[]
  /** TLS connections accepted so far */
  connections(): number
  close(): Promise<void>
}

/** Starts a server; a handler that returns undefined has written the response, or will. */
export async function startServer(certificates: Certificates, handler: Handler, pair?: Pair): Promise<TestServer> {
  const requests: Seen[] = []
  let connections = 0
  const { certificate, key } = pair ?? certificates.server
  const server = createServer(
    {
      cert: certificate,
      key,
      ca: certificates.authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
      // As API servers offer it; who takes HTTP/2 is not understood here.
      ALPNProtocols: ['h2', 'http/1.1'],
    },
    (request, response) => void answer(request, response),
  )
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const seen = await read(request)
    requests.push(seen)
    const result = await handler(seen, response)
    if (result === undefined) return
    const text = typeof result.body === 'string' ? result.body : JSON.stringify(result.body ?? {})
    response.writeHead(result.status ?? 200, { 'content-type': 'application/json', ...result.headers })
    response.end(text)
  }
  server.on('secureConnection', () => {
    connections++
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function read(request: IncomingMessage): Promise<Seen> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const peer = (request.socket as TLSSocket).getPeerCertificate()
  const name = peer.subject?.CN
  return {
    method: request.method ?? '',
    url: new URL(request.url ?? '/', 'https://server'),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(parts).toString('utf8'),
    client: Array.isArray(name) ? name[0] : name,
  }
}

/** The body of a failure, as API servers write it. */
export function status(code: number, reason: string, message: string, more: Record<string, unknown> = {}): Answer {
  const metadata = more.metadata ?? {}
  return {
    status: code,
    body: { ...more, kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, reason, code },
  }
}
