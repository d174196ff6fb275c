/** A small CONNECT proxy on loopback that keeps what it was asked for. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface TestProxy {
  url: string
  /** `host:port` and Proxy-Authorization of each tunnel */
  tunnels: { target: string | undefined; authorization: string | undefined }[]
  close(): Promise<void>
}

/** `refuse` is the status for every tunnel, where none is let through. */
export async function startProxy(options: { refuse?: number } = {}): Promise<TestProxy> {
  const tunnels: TestProxy['tunnels'] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('connect', (request, client: Socket) => {
    tunnels.push({ target: request.url, authorization: request.headers['proxy-authorization'] })
    if (options.refuse) return client.end(`HTTP/1.1 ${options.refuse} No\r\ncontent-length: 0\r\n\r\n`)
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
