/**
 * A proxy before an API server that sees each write of a client before the server does: tests let it through, hold it, or
 * kill the client just before or just after it. It speaks plain HTTP on loopback and logs in to the server itself.
 *
 *     const proxy = await startWriteProxy({ kubeconfig: cluster.kubeconfig, kill: () => child.kill('SIGKILL') })
 *     proxy.onWrite(({ number }) => (number === 7 ? 'kill-after' : 'forward'))
 *     // run the client with `proxy.kubeconfig`
 *
 * Reads, watches, dry runs, access reviews and what goes to pods are passed on and not numbered.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parse, stringify } from 'yaml'

/** One request that changes something. */
export interface Write {
  /** 1 for the first that is counted */
  number: number
  method: string
  /** without query */
  path: string
  query: string
  /** what is sent, as text */
  body: string
  userAgent: string
}

/**
 * `hold`: it waits for `release`. `kill-before`: `kill` is called and nothing reaches the server. `kill-after`: the server
 * has answered, then `kill` is called, and the client gets no answer.
 */
export type Verdict = 'forward' | 'hold' | 'kill-before' | 'kill-after'

export interface WriteProxyOptions {
  /** path; its user and its authority are what the proxy logs in with */
  kubeconfig: string
  /** ends the client, best by SIGKILL; its requests that are on their way may still land, as in reality */
  kill?: (write: Write) => void
  /** writes for which it gives false are passed on, not numbered and shown to nobody; default: all are counted */
  counts?: (write: Omit<Write, 'number'>) => boolean
}

export interface WriteProxy {
  /** path of a kubeconfig that points at the proxy, with the same names and no credentials */
  kubeconfig: string
  /** decides from now on; without a listener all is forwarded. A listener that takes its time holds the write as well. */
  onWrite(listener: (write: Write) => Verdict | Promise<Verdict>): void
  /** lets a held write go on; also one whose client is dead */
  release(number: number, verdict?: Exclude<Verdict, 'hold'>): void
  /** all counted writes until now, also those that never reached the server */
  writes(): readonly Write[]
  close(): Promise<void>
}

interface Upstream {
  server: URL
  agent: Agent
  authorization: string | undefined
}

export interface Kubeconfig {
  'current-context': string
  contexts: { name: string; context: { cluster: string; user: string } }[]
  clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[]
  users: {
    name: string
    user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string }
  }[]
}

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const NOT_A_WRITE = /^\/apis\/(authorization|authentication)\.k8s\.io\/|\/pods\/[^/]+\/proxy(\/|$)/

/** Starts a proxy on a free port. Throws Error where the kubeconfig has no current context. */
export async function startWriteProxy(options: WriteProxyOptions): Promise<WriteProxy> {
  const config = parse(readFileSync(options.kubeconfig, 'utf8')) as Kubeconfig
  const upstream = upstreamOf(config)
  const desk = new Desk(options)
  const server = createServer((incoming, answer) => {
    void serve(incoming, answer, upstream, desk).catch(() => answer.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kubeconfig = `${options.kubeconfig}.write-proxy-${port}`
  writeFileSync(kubeconfig, stringify(pointedAt(config, `http://127.0.0.1:${port}`)), { mode: 0o600 })
  return {
    kubeconfig,
    onWrite: (listener) => desk.listen(listener),
    release: (number, verdict = 'forward') => desk.release(number, verdict),
    writes: () => desk.writes,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      upstream.agent.destroy()
      rmSync(kubeconfig, { force: true })
    },
  }
}

/** Who decides about writes: it numbers them, asks the listener, and keeps those that are held. */
class Desk {
  readonly writes: Write[] = []
  readonly #options: WriteProxyOptions
  readonly #held = new Map<number, PromiseWithResolvers<Exclude<Verdict, 'hold'>>>()
  #listener: (write: Write) => Verdict | Promise<Verdict> = () => 'forward'

  constructor(options: WriteProxyOptions) {
    this.#options = options
  }

  listen(listener: (write: Write) => Verdict | Promise<Verdict>): void {
    this.#listener = listener
  }

  release(number: number, verdict: Exclude<Verdict, 'hold'>): void {
    this.#held.get(number)?.resolve(verdict)
  }

  kill(write: Write): void {
    this.#options.kill?.(write)
  }

  /** Undefined for what is no write. */
  number(seen: Omit<Write, 'number'>): Write | undefined {
    if (!isWrite(seen) || this.#options.counts?.(seen) === false) return undefined
    const write = { number: this.writes.length + 1, ...seen }
    this.writes.push(write)
    return write
  }

  async judge(write: Write): Promise<Exclude<Verdict, 'hold'>> {
    const held = Promise.withResolvers<Exclude<Verdict, 'hold'>>()
    // There before the listener is asked: it may release at once.
    this.#held.set(write.number, held)
    const verdict = await this.#listener(write)
    return verdict === 'hold' ? held.promise : verdict
  }
}

const isWrite = ({ method, path, query, body }: Omit<Write, 'number'>): boolean =>
  MUTATING.has(method) &&
  !NOT_A_WRITE.test(path) &&
  !new URLSearchParams(query).has('dryRun') &&
  // A deletion says it in its options.
  !(method === 'DELETE' && /"dryRun":\s*\["All"\]/.test(body))

const serve = async (
  incoming: IncomingMessage,
  answer: ServerResponse,
  upstream: Upstream,
  desk: Desk,
): Promise<void> => {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2)
  const write = desk.number({
    method: incoming.method ?? '',
    path,
    query,
    body: body.toString('utf8'),
    userAgent: incoming.headers['user-agent'] ?? '',
  })
  if (write === undefined) return forward(incoming, body, upstream, answer)
  const verdict = await desk.judge(write)
  if (verdict === 'forward') return forward(incoming, body, upstream, answer)
  if (verdict === 'kill-after') await swallow(incoming, body, upstream)
  desk.kill(write)
  answer.destroy()
}

const send = (incoming: IncomingMessage, body: Buffer, { server, agent, authorization }: Upstream) => {
  const { connection: _connection, ...headers } = incoming.headers
  const outgoing = request({
    host: server.hostname,
    port: server.port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, host: server.host, ...(authorization && { authorization }) },
    agent,
  })
  outgoing.end(body)
  return outgoing
}

/** Answers are streamed: a watch ends when one of the two does. */
export const forward = (
  incoming: IncomingMessage,
  body: Buffer,
  upstream: Upstream,
  answer: ServerResponse,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const outgoing = send(incoming, body, upstream)
    outgoing.once('error', reject)
    answer.once('close', () => {
      // A client that dies does not take back what it has written.
      if (!MUTATING.has(incoming.method ?? '')) outgoing.destroy()
      resolve()
    })
    outgoing.once('response', (response) => {
      const { connection: _connection, ...headers } = response.headers
      answer.writeHead(response.statusCode ?? 502, headers)
      answer.flushHeaders()
      response.once('error', reject)
      response.pipe(answer)
    })
  })

/** Waits for the whole answer and keeps it. */
export const swallow = (incoming: IncomingMessage, body: Buffer, upstream: Upstream): Promise<void> =>
  new Promise((resolve, reject) => {
    const outgoing = send(incoming, body, upstream)
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      response.resume()
      response.once('end', resolve)
      response.once('error', reject)
    })
  })

export const upstreamOf = (config: Kubeconfig): Upstream => {
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster
  const user = config.users.find(({ name }) => name === context?.user)?.user
  if (cluster === undefined || user === undefined) throw new Error('the kubeconfig has no current context')
  const decoded = (text: string | undefined): Buffer | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64')
  return {
    server: new URL(cluster.server),
    agent: new Agent({
      keepAlive: true,
      ca: decoded(cluster['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    }),
    authorization: user.token === undefined ? undefined : `Bearer ${user.token}`,
  }
}

export const pointedAt = (config: Kubeconfig, server: string): unknown => ({
  ...config,
  clusters: config.clusters.map(({ name }) => ({ name, cluster: { server } })),
  users: config.users.map(({ name }) => ({ name, user: {} })),
})
