/**
 * The way of the API server to pods: an HTTP CONNECT proxy on a unix socket, as its egress selector wants it
 * (EgressSelectorConfiguration, proxyProtocol HTTPConnect, transport uds). Pods have addresses that nothing routes; the proxy
 * knows which local port stands for which.
 */
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'

/** Gives the port on 127.0.0.1 that a pod's address and port stand for; undefined where there is none. */
export type Route = (address: string, port: number) => number | undefined

/** Splits `10.244.1.10:9443` or `[fd00::1]:9443`. Pure. */
export function hostAndPort(authority: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(authority)
  const host = match?.[1] ?? match?.[2]
  return match && host ? { host, port: Number(match[3]) } : undefined
}

/**
 * Listens on the socket and answers CONNECT; 502 for what no route knows and for what refuses the connection, as a pod
 * that is not there would.
 */
export async function startEgressProxy(socketPath: string, route: Route): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request, stream, head) => {
    const client = stream as Socket
    const target = hostAndPort(request.url ?? '')
    const port = target && route(target.host, target.port)
    client.on('error', () => client.destroy())
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
      return
    }
    tunnel(client, head, port, open)
  })
  await listen(server, socketPath)
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function tunnel(client: Socket, head: Buffer, port: number, open: Set<Socket>): void {
  // A request is written in several pieces: none may wait for the acknowledgement of the one before it.
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
  let connected = false
  for (const socket of [client, upstream]) {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  }
  upstream.on('connect', () => {
    connected = true
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    upstream.pipe(client)
    client.pipe(upstream)
  })
  upstream.on('error', () => {
    if (connected) client.destroy()
    else client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
  })
  upstream.on('close', () => connected && client.destroy())
  client.on('close', () => upstream.destroy())
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}
