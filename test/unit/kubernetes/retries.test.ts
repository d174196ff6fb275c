/** What is sent again and what never is, against a real server that fails. */
import { expect, test } from 'vitest'
import type { RetryEvent } from '../../../src/kubernetes/exchange.ts'
import { stage } from './story.ts'
import { type Handler, status } from './tls-server.ts'

const on = stage()
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'a' }
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'n', name: 'a' } }
const throttled = { ...status(429, 'TooManyRequests', 'slow down'), headers: { 'retry-after': '7' } }

/** Fails the first requests, each as told, then answers. */
const failing = (...failures: Handler[]): Handler => {
  const left = [...failures]
  return (seen, response) => {
    const failure = left.shift()
    return failure ? failure(seen, response) : { body: object }
  }
}
const reset: Handler = (_, response) => void response.socket?.destroy()
const cutInTheBody: Handler = (_, response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('{"half":', () => response.socket?.destroy())
  return undefined
}

test('429 holds back every request for as long as the server says', async () => {
  const { server, client, waits } = await on.start(
    failing(
      () => throttled,
      () => throttled,
    ),
  )
  await client.patch(ref, {}, { type: 'merge' })
  expect(waits).toEqual([7000, 7000])
  expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'PATCH'])
})

test('429 without end is the answer at last', async () => {
  const { server, client } = await on.start(() => throttled)
  await expect(client.create(object)).rejects.toMatchObject({ code: 429, retryAfterSeconds: 7 })
  expect(server.requests).toHaveLength(11)
})

test.each<[string, Handler]>([
  ['503', () => status(503, 'ServiceUnavailable', 'starting')],
  ['500', () => status(500, 'InternalError', 'webhook')],
  ['a reset', reset],
  ['an answer that breaks off', cutInTheBody],
])('a read is repeated after %s', async (_, failure) => {
  const { client, waits } = await on.start(failing(failure, failure))
  expect(await client.get(ref)).toEqual(object)
  expect(waits).toEqual([100, 200])
})

test.each<[string, Handler, object]>([
  ['503', () => status(503, 'ServiceUnavailable', 'starting'), { name: 'ApiError', code: 503 }],
  ['a reset', reset, { name: 'ConnectionError' }],
  ['an answer that breaks off', cutInTheBody, { name: 'ConnectionError' }],
])('a write is never repeated after %s', async (_, failure, expected) => {
  const { server, client, waits } = await on.start(failing(failure))
  await expect(client.patch(ref, {}, { type: 'merge' })).rejects.toMatchObject(expected)
  expect([server.requests.length, waits]).toEqual([1, []])
})

test('who lost the answer to a write is told that it may have been carried out', async () => {
  const { client } = await on.start(reset)
  await expect(client.create(object)).rejects.toThrow('whether the request was carried out is not known')
})

test('the retries of a read are limited', async () => {
  const { server, client } = await on.start(() => status(503, 'ServiceUnavailable', 'down'))
  await expect(client.get(ref)).rejects.toMatchObject({ code: 503 })
  expect(server.requests).toHaveLength(4)
})

test('an abort ends a pause with its reason', async () => {
  const server = await on.serve(() => throttled)
  const controller = new AbortController()
  const events: RetryEvent[] = []
  const onRetry = (event: RetryEvent) => {
    events.push(event)
    controller.abort(new Error('stop'))
  }
  const client = await on.connectTo(server.url, {}, { onRetry })
  await expect(client.get(ref, controller.signal)).rejects.toThrow('stop')
  expect(events).toEqual([{ request: 'GET /api/v1/namespaces/n/configmaps/a', cause: 429, delayMs: 7000 }])
})
