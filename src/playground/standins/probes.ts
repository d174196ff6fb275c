import { createServer, type Server } from 'node:http'

/**
 * Serves `/healthz` and `/readyz` on 127.0.0.1. Both are bare pings, as in every release: they answer from the start
 * and say nothing about the leader lease, the caches or the webhook certificate.
 */
export async function serveProbes(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const known = request.url?.startsWith('/healthz') || request.url?.startsWith('/readyz')
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' }).end(known ? 'ok' : 'not found')
  })
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(port, '127.0.0.1', listening.resolve)
  await listening.promise
  return server
}
