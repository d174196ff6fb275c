/** Asks a local process what its pod's probe asks. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createConnection } from 'node:net'
import type { Probe } from './pod-model.ts'

/**
 * One try of a probe against the local port that stands for the probe's. HTTP succeeds from 200 to 399, certificates are
 * not looked at, TCP succeeds on connect: as the kubelet does. What it cannot ask here (exec, gRPC) succeeds.
 */
export function tryProbe(probe: Probe, localPort: number | undefined): Promise<boolean> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000
  if (probe.httpGet)
    return localPort === undefined ? Promise.resolve(false) : tryHttp(probe.httpGet, localPort, timeout)
  if (probe.tcpSocket) return localPort === undefined ? Promise.resolve(false) : tryTcp(localPort, timeout)
  return Promise.resolve(true)
}

function tryHttp(get: NonNullable<Probe['httpGet']>, port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: get.path ?? '/', agent: false, rejectUnauthorized: false, timeout }
    const request = (get.scheme === 'HTTPS' ? httpsRequest : httpRequest)(options)
    request.once('response', (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400)
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => resolve(false))
    request.once('close', () => resolve(false))
    request.end()
  })
}

function tryTcp(port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port, timeout })
    const end = (ok: boolean) => {
      socket.destroy()
      resolve(ok)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}
