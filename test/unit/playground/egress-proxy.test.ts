import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttp, request } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hostAndPort, startEgressProxy } from '../../../src/playground/egress-proxy.ts'

let folder: string
let echo: Server
let closed: Promise<void>
let proxy: { close(): Promise<void> }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'airunway-egress-'))
  const end = Promise.withResolvers<void>()
  closed = end.promise
  echo = createServer((socket) => {
    socket.on('close', () => end.resolve())
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const port = (echo.address() as AddressInfo).port
  proxy = await startEgressProxy(join(folder, 's'), (address, asked) =>
    address !== '10.244.1.1' ? undefined : asked === 9443 ? port : asked === 1 ? 1 : undefined,
  )
})
afterEach(async () => {
  await proxy.close()
  echo.close()
  rmSync(folder, { recursive: true })
})

const connectTo = (path: string): Promise<{ status: number | undefined; socket: Socket }> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(folder, 's'), method: 'CONNECT', path })
    asked.once('connect', (response, socket) => resolve({ status: response.statusCode, socket }))
    asked.once('error', reject)
    asked.end()
  })

test('bytes go both ways, and the end of one side is the end of the other', async () => {
  const { status, socket } = await connectTo('10.244.1.1:9443')
  expect(status).toBe(200)
  const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())))
  socket.write('ping')
  expect(await answer).toBe('ping')
  socket.destroy()
  await closed
})

test.each([
  ['a pod that is not there', '10.244.9.9:9443'],
  ['a port that the pod has not', '10.244.1.1:80'],
  ['a process that does not listen', '10.244.1.1:1'],
  ['nonsense', 'nonsense'],
])('%s is 502', async (_, path) => {
  const { status, socket } = await connectTo(path)
  expect(status).toBe(502)
  socket.destroy()
})

test('other requests than CONNECT are refused', async () => {
  const status = await new Promise((resolve) => {
    request({ socketPath: join(folder, 's'), path: '/' }, (response) => resolve(response.resume().statusCode)).end()
  })
  expect(status).toBe(405)
})

test.each([
  ['10.244.1.1:80', { host: '10.244.1.1', port: 80 }],
  ['[fd00::1]:443', { host: 'fd00::1', port: 443 }],
  ['10.244.1.1', undefined],
  [':80', undefined],
])('%s', (text, expected) => {
  expect(hostAndPort(text)).toEqual(expected)
})

test('a socket that is taken already is an error', async () => {
  const other = createHttp()
  await new Promise<void>((resolve) => other.listen(join(folder, 'taken'), resolve))
  await expect(startEgressProxy(join(folder, 'taken'), () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  other.close()
})
