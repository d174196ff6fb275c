/**
 * A proxy before an API server that answers some requests itself, or loses their answers: what load balancers, priority and
 * fairness, compaction and crashes do. It speaks plain HTTP on loopback and logs in to the server itself.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parse, stringify } from 'yaml'
import { forward, type Kubeconfig, pointedAt, swallow, upstreamOf } from './write-proxy.ts'

export interface Proxied {
  method: string
  /** without query */
  path: string
  query: URLSearchParams
  body: string
  /** the connection it came over, from 1 */
  connection: number
}

/** `lost`: it never reaches the server. `carried out and lost`: it does, and the connection breaks before the answer. */
export type ProxyFault =
  | { status: number; body: unknown; headers?: Record<string, string> }
  | 'lost'
  | 'carried out and lost'

export interface FaultProxy {
  /** path of a kubeconfig that points at the proxy */
  kubeconfig: string
  /** decides from now on; undefined lets the request through. It may take its time. */
  fault: (request: Proxied) => ProxyFault | undefined | Promise<ProxyFault | undefined>
  readonly requests: Proxied[]
  close(): Promise<void>
}

/** The body of an answer that is no success, as an API server writes it. */
export const statusBody = (code: number, message: string, more: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  message,
  ...more,
})

/** Starts a proxy on a free port that lets everything through. */
export async function startFaultProxy(kubeconfig: string): Promise<FaultProxy> {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const upstream = upstreamOf(config)
  const connections = new WeakMap<object, number>()
  let connected = 0
  const requests: Proxied[] = []
  const serve = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const [path = '', query = ''] = (incoming.url ?? '').split('?', 2)
    const connection = connections.get(incoming.socket) ?? 0
    const seen = {
      method: incoming.method ?? '',
      path,
      query: new URLSearchParams(query),
      body: body.toString(),
      connection,
    }
    requests.push(seen)
    const fault = await proxy.fault(seen)
    if (fault === undefined) return forward(incoming, body, upstream, answer)
    if (typeof fault !== 'string') {
      answer.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
      answer.end(JSON.stringify(fault.body))
      return
    }
    if (fault === 'carried out and lost') await swallow(incoming, body, upstream)
    answer.destroy()
  }
  const server = createServer((incoming, answer) => {
    void serve(incoming, answer).catch(() => answer.destroy())
  })
  server.on('connection', (socket) => {
    connected += 1
    connections.set(socket, connected)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy: FaultProxy = {
    kubeconfig: `${kubeconfig}.fault-proxy-${port}`,
    fault: () => undefined,
    requests,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      upstream.agent.destroy()
      rmSync(proxy.kubeconfig, { force: true })
    },
  }
  writeFileSync(proxy.kubeconfig, stringify(pointedAt(config, `http://127.0.0.1:${port}`)), { mode: 0o600 })
  return proxy
}
