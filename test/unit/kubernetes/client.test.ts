/** The verbs, as an API server sees them: a real TLS server answers, and keeps what it was asked. */
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/errors.ts'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { stage } from './story.ts'
import { type Seen, status } from './tls-server.ts'

const on = stage()
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n' }
const configMap: AnyObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n' },
  data: { x: '1' },
}
const ref = { ...configMaps, name: 'a' }
const echo = (seen: Seen) => ({ body: JSON.parse(seen.body) as unknown })
const sent = ({ method, url, headers, body }: Seen) => ({
  line: `${method} ${url.pathname}`,
  query: Object.fromEntries(url.searchParams),
  type: headers['content-type'],
  body: body === '' ? undefined : (JSON.parse(body) as unknown),
})

describe('writes on the wire', () => {
  const manager = { fieldManager: 'kubectl-airunway' }
  test('create', async () => {
    const { server, client } = await on.start(echo)
    await client.create(configMap, { fieldValidation: 'Strict', dryRun: true })
    expect(server.requests.map(sent)).toEqual([
      {
        line: 'POST /api/v1/namespaces/n/configmaps',
        query: { ...manager, dryRun: 'All', fieldValidation: 'Strict' },
        type: 'application/json',
        body: configMap,
      },
    ])
  })
  test('apply leaves managedFields out, which the server refuses', async () => {
    const { server, client } = await on.start(echo)
    const read = { ...configMap, metadata: { ...configMap.metadata, uid: 'u', managedFields: [{ manager: 'x' }] } }
    await client.apply(read, { force: true })
    expect(server.requests.map(sent)).toEqual([
      {
        line: 'PATCH /api/v1/namespaces/n/configmaps/a',
        query: { ...manager, force: 'true' },
        type: 'application/apply-patch+yaml',
        body: { ...configMap, metadata: { ...configMap.metadata, uid: 'u' } },
      },
    ])
    expect(read.metadata.managedFields).toHaveLength(1)
  })
  test.each([
    ['merge', 'application/merge-patch+json'],
    ['json', 'application/json-patch+json'],
    ['strategic', 'application/strategic-merge-patch+json'],
    ['apply', 'application/apply-patch+yaml'],
  ] as const)('a %s patch of a subresource', async (type, contentType) => {
    const { server, client } = await on.start(echo)
    await client.patch(ref, {}, { type, subresource: 'status', fieldManager: 'me', dryRun: true })
    expect(server.requests.map(sent)).toEqual([
      {
        line: 'PATCH /api/v1/namespaces/n/configmaps/a/status',
        query: { fieldManager: 'me', dryRun: 'All' },
        type: contentType,
        body: {},
      },
    ])
  })
  test('replace of an object of the whole cluster, whose name has a colon', async () => {
    const { server, client } = await on.start(echo)
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:x' } }
    await client.replace(role)
    expect(server.requests.map((seen) => sent(seen).line)).toEqual([
      'PUT /apis/rbac.authorization.k8s.io/v1/clusterroles/system:x',
    ])
  })
  test('delete', async () => {
    const { server, client } = await on.start(() => ({ body: { kind: 'Status' } }))
    await client.delete(ref, {
      preconditions: { uid: 'u' },
      propagationPolicy: 'Orphan',
      gracePeriodSeconds: 0,
      dryRun: true,
    })
    expect(server.requests.map(sent)).toEqual([
      {
        line: 'DELETE /api/v1/namespaces/n/configmaps/a',
        query: {},
        type: 'application/json',
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions: { uid: 'u' },
          propagationPolicy: 'Orphan',
          gracePeriodSeconds: 0,
          dryRun: ['All'],
        },
      },
    ])
  })
  test('an object without a namespace is of the connection’s, a server with a path keeps it', async () => {
    const server = await on.serve(() => ({ body: configMap }))
    const client = await on.connectTo(`${server.url}/k8s/clusters/c-1`, { namespace: 'mine' })
    await client.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' })
    expect(server.requests[0]?.url.pathname).toBe('/k8s/clusters/c-1/api/v1/namespaces/mine/configmaps/a')
  })
})

describe('lists', () => {
  const item = (name: string) => ({ metadata: { name } })
  const pageOf = (names: string[], token?: string) => ({
    body: { metadata: { resourceVersion: '7', ...(token && { continue: token }) }, items: names.map(item) },
  })
  test('pages are followed; items of built-in kinds get their kind', async () => {
    const { server, client } = await on.start(({ url }) =>
      url.searchParams.has('continue') ? pageOf(['c']) : pageOf(['a', 'b'], 'next'),
    )
    const items = await client.list({ ...configMaps, labelSelector: 'a=b' })
    expect(items).toEqual(['a', 'b', 'c'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...item(name) })))
    expect(server.requests.map((seen) => sent(seen).query)).toEqual([
      { limit: '500', labelSelector: 'a=b' },
      { limit: '500', labelSelector: 'a=b', continue: 'next' },
    ])
  })
  test('after 410 in the middle the list goes on with the token that the server gives', async () => {
    const { server, client } = await on.start(({ url }) => {
      const token = url.searchParams.get('continue')
      if (token === 'old') return status(410, 'Expired', 'too old', { metadata: { continue: 'fresh' } })
      return token === 'fresh' ? pageOf(['b', 'c']) : pageOf(['a'], 'old')
    })
    const items = await client.list(configMaps)
    expect(items.map((found) => found.metadata.name)).toEqual(['a', 'b', 'c'])
    expect(server.requests).toHaveLength(3)
  })
  test.each([
    ['gives none', status(410, 'Expired', 'too old')],
    ['gives the same again', status(410, 'Expired', 'too old', { metadata: { continue: 'old' } })],
  ])('410 whose answer %s ends the list', async (_, gone) => {
    const { client } = await on.start(({ url }) => (url.searchParams.has('continue') ? gone : pageOf(['a'], 'old')))
    await expect(client.list(configMaps)).rejects.toMatchObject({ code: 410, reason: 'Expired' })
  })
  test('metadata only, whatever else the server sends along', async () => {
    const { server, client } = await on.start(() => ({
      body: { metadata: {}, items: [{ ...item('a'), spec: { big: 1 } }] },
    }))
    const [page] = await Array.fromAsync(client.metadataPages(configMaps, { limit: 2 }))
    expect(page).toEqual({ items: [{ apiVersion: 'v1', kind: 'ConfigMap', ...item('a') }], resourceVersion: '' })
    expect(server.requests[0]?.headers.accept).toMatch(
      /^application\/json;as=PartialObjectMetadataList;g=meta\.k8s\.io;v=v1,/,
    )
  })
  test('a table over two pages, without the columns for -o wide', async () => {
    const columnDefinitions = [{ name: 'Name' }, { name: 'IP', priority: 1 }, { name: 'Age', priority: 0 }]
    const { client } = await on.start(({ url }) => ({
      body: url.searchParams.has('continue')
        ? { rows: [{ cells: ['b', '::2', '2d'], object: item('b') }] }
        : { columnDefinitions, rows: [{ cells: ['a', '::1', '1d'], object: item('a') }], metadata: { continue: 'x' } },
    }))
    expect(await client.table(configMaps)).toEqual({
      columns: ['Name', 'Age'],
      rows: [
        { cells: ['a', '1d'], object: item('a') },
        { cells: ['b', '2d'], object: item('b') },
      ],
    })
  })
})

describe('watches', () => {
  const event = (type: string, name: string) => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`
  test('events, until the server ends it', async () => {
    const { server, client } = await on.start((_, response) => {
      response.write(event('ADDED', 'ü'))
      response.end(event('BOOKMARK', 'b'))
      return undefined
    })
    const events = await Array.fromAsync(client.watch(configMaps, { resourceVersion: '5', timeoutSeconds: 9 }))
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'ü'],
      ['BOOKMARK', 'b'],
    ])
    expect(sent(server.requests[0] as Seen).query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '5',
      timeoutSeconds: '9',
    })
  })
  test('a broken connection ends it too; what was cut off is no event', async () => {
    const { client } = await on.start((_, response) => {
      response.write(`${event('ADDED', 'a')}{"type":"MODIF`, () => response.destroy())
      return undefined
    })
    const events = await Array.fromAsync(client.watch(configMaps, { resourceVersion: '5' }))
    expect(events).toHaveLength(1)
  })
  test.each([
    [
      'an ERROR event',
      { body: { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Gone', message: 'too old' } } },
    ],
    ['an answer', status(410, 'Expired', 'too old')],
  ])('410 as %s', async (_, answer) => {
    const { client } = await on.start(() => ({ ...answer, body: `${JSON.stringify(answer.body)}\n` }))
    const watch = Array.fromAsync(client.watch(configMaps, { resourceVersion: '1' }))
    await expect(watch).rejects.toMatchObject({ code: 410, reason: 'Expired', message: 'too old' })
  })
  test('an abort ends it with its reason, and a consumer that stops ends the request', async () => {
    const closed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { server, client } = await on.start((_, response) => {
      response.on('close', closed[server.requests.length - 1]?.resolve ?? (() => undefined))
      response.write(event('ADDED', 'a'))
      return undefined
    })
    const controller = new AbortController()
    const aborted = (async () => {
      for await (const _ of client.watch(configMaps, { resourceVersion: '1', signal: controller.signal })) {
        controller.abort(new Error('enough'))
      }
    })()
    await expect(aborted).rejects.toThrow('enough')
    await closed[0]?.promise
    for await (const _ of client.watch(configMaps, { resourceVersion: '1' })) break
    await closed[1]?.promise
    expect(server.requests).toHaveLength(2)
  })
})

describe('kinds', () => {
  const foo = { name: 'foos', kind: 'Foo', namespaced: true }
  const found = { group: 'x.io', version: 'v1', plural: 'foos', kind: 'Foo', namespaced: true }
  test('a kind is asked for once, and again only when it is missing', async () => {
    const resources: unknown[] = [{ name: 'foos/status', kind: 'Foo', namespaced: true }]
    const { server, client } = await on.start(() => ({ body: { resources } }))
    expect(await client.findResource('x.io/v1', 'Foo')).toBeUndefined()
    resources.push(foo)
    expect(await client.findResource('x.io/v1', 'Foo')).toEqual(found)
    expect(await client.findResource('x.io/v1', 'Foo')).toEqual(found)
    expect(server.requests.map((seen) => sent(seen).line)).toEqual(['GET /apis/x.io/v1', 'GET /apis/x.io/v1'])
  })
  test('a group version that is not served: undefined, or NotFound; not remembered', async () => {
    let served = false
    const { client } = await on.start(() =>
      served ? { body: { resources: [foo] } } : { status: 404, body: '404 page not found' },
    )
    expect(await client.findResource('x.io/v1', 'Foo')).toBeUndefined()
    expect(await client.find({ apiVersion: 'x.io/v1', kind: 'Foo', name: 'a' })).toBeUndefined()
    await expect(client.resource('x.io/v1', 'Foo')).rejects.toMatchObject({ code: 404, reason: 'NotFound' })
    served = true
    expect(await client.resource('x.io/v1', 'Foo')).toEqual(found)
  })
  test('a failure is no answer', async () => {
    const { client } = await on.start(() => status(403, 'Forbidden', 'no'))
    await expect(client.findResource('x.io/v1', 'Foo')).rejects.toMatchObject({ code: 403 })
  })
  test('group versions, and the version of a provider', async () => {
    const answers: Record<string, unknown> = {
      '/api': { versions: ['v1'] },
      '/apis': { groups: [{ versions: [{ groupVersion: 'apps/v1' }, { groupVersion: 'apps/v1beta1' }] }] },
      '/version': { major: '1', minor: '27+', gitVersion: 'v1.27.3-eks' },
    }
    const { client } = await on.start(({ url }) => ({ body: answers[url.pathname] }))
    expect(await client.groupVersions()).toEqual(new Set(['v1', 'apps/v1', 'apps/v1beta1']))
    expect(await client.serverVersion()).toEqual({ major: 1, minor: 27, gitVersion: 'v1.27.3-eks' })
  })
})

test('access reviews, each with its own answer, in order', async () => {
  const { client } = await on.start(({ body }) => {
    const review = JSON.parse(body) as { spec: { resourceAttributes: { verb: string } } }
    return { status: 201, body: { status: { allowed: review.spec.resourceAttributes.verb === 'get' } } }
  })
  const ask = (verb: string) => ({ verb, group: '', resource: 'pods' })
  expect(await client.canI([ask('get'), ask('delete'), ask('get')])).toEqual([true, false, true])
})

test('warnings are kept once each, with the first request that caused them', async () => {
  const { client } = await on.start(() => ({
    headers: { warning: ['299 - "old, \\"very\\" old"', '299 - "other"'] },
    body: configMap,
  }))
  await client.get(ref)
  await client.create(configMap)
  expect(client.warnings).toEqual([
    { request: 'GET /api/v1/namespaces/n/configmaps/a', text: 'old, "very" old' },
    { request: 'GET /api/v1/namespaces/n/configmaps/a', text: 'other' },
  ])
})

describe('answers that are no success', () => {
  test('the fields of a Status', async () => {
    const details = { causes: [{ reason: 'FieldManagerConflict', message: 'with x', field: '.data.a' }] }
    const { client } = await on.start(() => status(409, 'Conflict', 'Apply failed', { details }))
    const error = await client.apply(configMap).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed',
      request: 'PATCH /api/v1/namespaces/n/configmaps/a',
      causes: details.causes,
    })
  })
  test.each([
    [
      'a page of a proxy',
      { status: 502, body: '<html>bad gateway</html>' },
      { code: 502, reason: 'Unknown', message: 'the server answered 502' },
    ],
    [
      'plain text',
      { status: 404, body: '404 page not found\n' },
      { code: 404, reason: 'NotFound', message: '404 page not found' },
    ],
    [
      'half a document',
      { status: 403, body: '{"kind":"Sta' },
      { code: 403, reason: 'Forbidden', message: '{"kind":"Sta' },
    ],
  ])('%s', async (_, answer, expected) => {
    const { client } = await on.start(() => answer)
    await expect(client.create(configMap)).rejects.toMatchObject(expected)
  })
  test('a login page that comes as a success', async () => {
    const { client } = await on.start(() => ({ body: '<html>log in</html>' }))
    const expected = { name: 'ApiError', code: 200, reason: 'InvalidAnswer' }
    await expect(client.serverVersion()).rejects.toMatchObject(expected)
    await expect(client.list(configMaps)).rejects.toMatchObject(expected)
  })
  test('raw gives them as they are', async () => {
    const { client } = await on.start(() => ({ status: 500, headers: { 'x-a': ['1', '2'] }, body: '[-]etcd failed' }))
    const response = await client.raw({ method: 'GET', path: '/readyz?verbose' })
    expect(response).toMatchObject({ status: 500, text: '[-]etcd failed', headers: { 'x-a': '1, 2' } })
  })
})
