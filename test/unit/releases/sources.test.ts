import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { download } from '../../../src/releases/download.ts'
import { ReleaseError, type ReleaseErrorKind } from '../../../src/releases/errors.ts'
import { parseManifests } from '../../../src/releases/manifests.ts'
import { products } from '../../../src/releases/products.ts'
import type { Product } from '../../../src/releases/release.types.ts'
import { type ReadReleaseOptions, readRelease } from '../../../src/releases/sources.ts'

const examples = fileURLToPath(new URL('../../../examples/releases', import.meta.url))
const image = 'ghcr.io/kubeairunway/kubeairunway'

function productNamed(deployment: string): Product {
  const product = products().find((row) => row.controller.deployment === deployment)
  if (product === undefined) throw new Error(`no product with ${deployment}`)
  return product
}

const sample = productNamed('kubeairunway-controller')
const real = productNamed('airunway-controller-manager')

/** Nothing may be fetched where a test gives no address. */
const noNetwork: ReadReleaseOptions['fetch'] = (url) => Promise.reject(new Error(`fetched ${url}`))

const deployment = (name: string, imageName: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: kubeairunway-system}\n` +
  `spec: {template: {spec: {containers: [{name: manager, image: "${imageName}"}]}}}\n`
const controller = deployment('kubeairunway-controller', `${image}/controller:latest`)
const shim = deployment('kubeairunway-kaito-provider', `${image}/kaito-provider:latest`)

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'releases-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}`
}

/** Serves files by path; 404 for the others. */
function serveFiles(files: Record<string, string>, seen: string[] = []): Promise<string> {
  return serve((request, response) => {
    const path = request.url ?? ''
    seen.push(path)
    response.statusCode = files[path] === undefined ? 404 : 200
    response.end(files[path])
  })
}

function read(options: Partial<ReadReleaseOptions>) {
  return readRelease({ version: 'v0.2.0', product: sample, fetch: noNetwork, ...options })
}

async function failure(act: Promise<unknown>): Promise<ReleaseError> {
  try {
    await act
  } catch (error) {
    if (error instanceof ReleaseError) return error
    throw error
  }
  throw new Error('it succeeded')
}

describe('the folder of releases', () => {
  test('is read before anything is fetched', async () => {
    const release = await read({ releasesFolder: examples })
    expect(release.version).toBe('v0.2.0')
    expect(release.controller).toEqual({
      ref: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'kubeairunway-system',
        name: 'kubeairunway-controller',
      },
      image: `${image}/controller:latest`,
      pinnedImage: `${image}/controller:0.2.0`,
    })
    const roles = new Map<string, number>()
    for (const { role } of release.objects) roles.set(role, (roles.get(role) ?? 0) + 1)
    expect(roles.get('controller')).toBe(1)
    expect(roles.get('crd')).toBe(2)
    expect(roles.get('namespace')).toBe(1)
    expect(roles.get('webhookSecret')).toBe(1)
    expect(roles.get('webhookConfiguration')).toBe(2)
    expect(roles.get('other')).toBeUndefined()
    expect(JSON.stringify(release.objects)).not.toContain('controller:latest')
    expect(release.compatibility?.rows[0]?.controller).toBe('0.2.x')
    expect(release.shims.map((one) => [one.name, one.image, one.pinnedImage])).toEqual([
      ['kaito', `${image}/kaito-provider:latest`, `${image}/kaito-provider:0.2.0`],
      ['kuberay', `${image}/kuberay-provider:latest`, `${image}/kuberay-provider:0.2.0`],
    ])
  })

  test('takes the version without v, and gives the same release', async () => {
    const [a, b] = await Promise.all([
      read({ releasesFolder: examples }),
      read({ version: '0.2.0', source: join(examples, 'v0.2.0') }),
    ])
    expect(b).toEqual({ ...a, shims: b.shims })
    expect(b.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  test('without the version says what it has, after the address was tried', async () => {
    const releasesFolder = await folderOf({ 'v0.1.0/manifests/install.yaml': controller })
    const base = await serveFiles({})
    const product = { ...sample, urlTemplate: `${base}/{version}/{file}` }
    const error = await failure(read({ releasesFolder, product, fetch }))
    expect([error.kind, error.message]).toEqual(['not-found', 'there is no release v0.2.0 of KubeAIRunway'])
    expect(error.why).toContain('only v0.1.0')
  })

  test('that does not exist is an error of its own', async () => {
    const error = await failure(read({ releasesFolder: join(examples, 'nowhere') }))
    expect([error.kind, error.next]).toEqual([
      'unreadable',
      'correct the folder of releases (--releases or AIRUNWAY_RELEASES), or give none',
    ])
  })
})

describe('a folder given as source', () => {
  test('nothing but the files of the product is read from it', async () => {
    const source = await folderOf({
      'manifests/install.yaml': controller,
      'manifests/kaito.yaml': shim,
      'manifests/other.yaml': 'kind: [broken',
      'cleanup.yaml': 'kind: [broken',
    })
    const release = await read({ source })
    expect(release.objects).toHaveLength(1)
    expect(release.shims.map((one) => one.name)).toEqual(['kaito'])
  })

  test('a shim whose image nobody names stays as written', async () => {
    const release = await read({ source: await folderOf({ 'manifests/install.yaml': controller, 'kaito.yaml': shim }) })
    expect(release.shims[0]).toMatchObject({ image: `${image}/kaito-provider:latest` })
    expect(release.shims[0]).not.toHaveProperty('pinnedImage')
    expect(JSON.stringify(release.shims[0]?.objects)).toContain('kaito-provider:latest')
  })

  test('--image, --registry and the running mirror decide in this order', async () => {
    const source = join(examples, 'v0.2.0')
    const running = { controller: 'mirror.local/m/controller:0.1.0', kaito: 'mirror.local/m/kaito-provider:0.1.0' }
    const images = async (options: Partial<ReadReleaseOptions>) => {
      const release = await read({ source, ...options })
      return [release.controller.pinnedImage, release.shims[0]?.pinnedImage]
    }
    expect(await images({ running })).toEqual([
      'mirror.local/m/controller:0.2.0',
      'mirror.local/m/kaito-provider:0.2.0',
    ])
    expect(await images({ running, registry: 'r.example' })).toEqual([
      'r.example/kubeairunway/kubeairunway/controller:0.2.0',
      'r.example/kubeairunway/kubeairunway/kaito-provider:0.2.0',
    ])
    expect(await images({ running, registry: 'r.example', images: { kaito: 'x/kaito-provider:9' } })).toEqual([
      'r.example/kubeairunway/kubeairunway/controller:0.2.0',
      'x/kaito-provider:9',
    ])
  })
})

describe('an address', () => {
  test('of one file is read with the release.yaml beside it, and nothing else', async () => {
    const seen: string[] = []
    const base = await serveFiles(
      { '/r/install.yaml': controller, '/r/release.yaml': 'version: v0.2.0\nshims: {}' },
      seen,
    )
    const release = await read({ source: `${base}/r/install.yaml`, fetch })
    expect(release.source).toBe(`${base}/r/install.yaml`)
    expect(release.shims).toEqual([])
    expect(seen.toSorted()).toEqual(['/r/install.yaml', '/r/release.yaml'])
  })

  test('with a signed query shows the query nowhere, and nothing beside it is asked for', async () => {
    const seen: string[] = []
    const base = await serve((request, response) => {
      seen.push(request.url ?? '')
      response.end(controller)
    })
    const release = await read({ source: `${base}/install.yaml?sig=secret`, fetch })
    expect(JSON.stringify(release)).not.toContain('secret')
    expect(seen).toEqual(['/install.yaml?sig=secret'])
  })

  test('of the product is made with the tag; the default fetch does it too', async () => {
    const seen: string[] = []
    const base = await serveFiles(
      { '/x/v0.2.0/manifests/install.yaml': controller, '/x/v0.2.0/manifests/kaito.yaml': shim },
      seen,
    )
    const product = { ...sample, urlTemplate: `${base}/x/{version}/{file}` }
    const release = await readRelease({ version: 'v0.2.0', product })
    expect(release.shims.map((one) => one.name)).toEqual(['kaito'])
    expect(seen.every((path) => path.startsWith('/x/v0.2.0/'))).toBe(true)
  })
})

describe('what is no release', () => {
  const manifest = (text: string, release?: string) => async (): Promise<Partial<ReadReleaseOptions>> => ({
    source: await folderOf({ 'install.yaml': text, ...(release === undefined ? {} : { 'release.yaml': release }) }),
  })
  const given = (options: Partial<ReadReleaseOptions>) => async () => options
  const bomb = `a: &a [1,2,3]\n${['b', 'c', 'd', 'e'].map((key, index) => `${key}: &${key} [${`*${'abcd'[index]},`.repeat(24)}]\n`).join('')}`

  test.each<[string, () => Promise<Partial<ReadReleaseOptions>>, ReleaseErrorKind, string]>([
    ['a version that is none', given({ version: 'latest' }), 'bad-version', 'three numbers'],
    ['a branch', given({ version: 'main' }), 'bad-version', 'three numbers'],
    ['a path as version', given({ version: '../../etc' }), 'bad-version', 'three numbers'],
    ['a tag of the dashboard', given({ version: 'v0.2.0', product: real }), 'no-controller', 'dashboard only'],
    [
      'the version before the rename',
      given({ version: 'v0.3.1', product: real }),
      'wrong-product',
      'API group kubeairunway.ai',
    ],
    ['a source that is not there', given({ source: join(examples, 'nowhere') }), 'not-found', 'manifests/install.yaml'],
    ['an empty folder', async () => ({ source: await folderOf({}) }), 'not-found', 'manifests/install.yaml'],
    ['an empty file', manifest(''), 'not-a-release', 'it holds no objects'],
    ['only comments', manifest('# nothing\n---\n'), 'not-a-release', 'it holds no objects'],
    ['a page of HTML', manifest('<!DOCTYPE html><html></html>'), 'not-a-release', 'page of HTML'],
    ['broken YAML', manifest('kind: [broken'), 'not-a-release', 'not usable YAML'],
    ['plain text', manifest('404: Not Found'), 'not-a-release', 'document 1 is no Kubernetes object'],
    ['a word', manifest('hello'), 'not-a-release', 'document 1 is no Kubernetes object'],
    ['a key twice', manifest('apiVersion: v1\nkind: A\nkind: B'), 'not-a-release', 'duplicated mapping key'],
    ['an alias bomb', manifest(bomb), 'not-a-release', 'more than 500000 lines and values'],
    ['an object without a name', manifest(`${controller}---\napiVersion: v1\nkind: A`), 'not-a-release', 'document 2'],
    ['no controller', manifest(deployment('x', 'nginx:1')), 'no-controller', 'kubeairunway/controller'],
    [
      'two controllers',
      manifest(`${controller}---\n${controller}`),
      'not-a-release',
      'kubeairunway-controller, kubeairunway-controller',
    ],
    [
      'the other product',
      manifest(deployment('x', 'ghcr.io/a/airunway/controller:latest')),
      'wrong-product',
      'airunway.ai',
    ],
    ['release.yaml of another version', manifest(controller, 'version: v0.1.0'), 'wrong-version', 'version: v0.1.0'],
    [
      'release.yaml of another product',
      manifest(controller, 'product: airunway'),
      'wrong-product',
      'product: airunway',
    ],
    ['release.yaml with a number', manifest(controller, 'version: 0.2'), 'not-a-release', 'has to be text'],
    ['release.yaml with bad rows', manifest(controller, 'compatibility: {rows: 1}'), 'bad-compatibility', '`rows`'],
    ['release.yaml with a bad image', manifest(controller, 'shims: {kaito: "a b"}'), 'not-a-release', 'shims.kaito'],
    [
      'a manifest pinned to another version',
      manifest(controller.replace('latest', '0.1.0')),
      'wrong-version',
      'controller:0.1.0',
    ],
    [
      '--image of nothing',
      async () => ({ ...(await manifest(controller)()), images: { kaitoo: 'a:1' } }),
      'bad-image',
      'controller',
    ],
    [
      '--image with latest',
      async () => ({ ...(await manifest(controller)()), images: { controller: 'a:latest' } }),
      'bad-image',
      'newest',
    ],
    [
      'a shim file of something else',
      async () => ({ source: await folderOf({ 'install.yaml': controller, 'kaito.yaml': controller }) }),
      'not-a-release',
      'shim it is named for',
    ],
  ])('%s', async (_name, options, kind, why) => {
    const error = await failure(read(await options()))
    expect([error.kind, error.why]).toEqual([kind, expect.stringContaining(why)])
    expect(error.next ?? '').not.toBe('')
  })

  test('a file larger than 32 MB', async () => {
    const error = await failure(read(await manifest('#'.repeat(32 * 1024 * 1024 + 1))()))
    expect(error.kind).toBe('too-large')
  })
})

describe('download', () => {
  const limits = { timeoutMilliseconds: 10_000, bytes: 1000, redirects: 2 }

  test.each<[string, RequestListener, ReleaseErrorKind, string]>([
    ['a body beyond the limit', (_, response) => response.end('x'.repeat(1001)), 'too-large', 'far smaller'],
    ['an error of the server', (_, response) => response.writeHead(500).end(), 'unreadable', 'answered 500'],
    ['a forbidden file', (_, response) => response.writeHead(403).end(), 'unreadable', 'answered 403'],
    [
      'redirects in a circle',
      (_, response) => response.writeHead(302, { location: '/' }).end(),
      'unreadable',
      'more than 2 times',
    ],
    [
      'a redirect to a file',
      (_, response) => response.writeHead(302, { location: 'file:///x' }).end(),
      'unreadable',
      'not protected',
    ],
    ['a broken connection', (request) => request.socket.destroy(), 'unreadable', ''],
  ])('refuses %s', async (_name, listener, kind, why) => {
    const address = await serve(listener)
    const error = await failure(download(address, fetch, { limits }))
    expect([error.kind, error.why]).toEqual([kind, expect.stringContaining(why)])
  })

  test('says when nobody listens, without credentials of the address', async () => {
    const address = await serve(() => {})
    const port = new URL(address).port
    const error = await failure(
      download(`http://127.0.0.1:${Number(port) === 65535 ? 1024 : Number(port) + 1}/x?sig=secret`, fetch),
    )
    expect(error.kind).toBe('unreadable')
    expect(`${error.message} ${error.why}`).not.toContain('secret')
  })

  test('follows a redirect', async () => {
    const address = await serve((request, response) =>
      request.url === '/a' ? response.writeHead(302, { location: '/b' }).end() : response.end('text'),
    )
    expect(await download(`${address}/a`, fetch, { limits })).toBe('text')
  })

  test('gives up on a server that does not answer', async () => {
    const address = await serve(() => {})
    const error = await failure(download(address, fetch, { limits: { ...limits, timeoutMilliseconds: 50 } }))
    expect(error.why).toBe('no complete answer within 0.05 s')
  })

  test('gives up when the caller does', async () => {
    const controllerOfCaller = new AbortController()
    const address = await serve(() => controllerOfCaller.abort(new Error('Ctrl-C')))
    await expect(download(address, fetch, { signal: controllerOfCaller.signal, limits })).rejects.toThrow('Ctrl-C')
  })
})

describe('manifests', () => {
  test('numbers are read as kubectl reads them', () => {
    const [object] = parseManifests(
      '{apiVersion: v1, kind: A, metadata: {name: a}, mode: 0644, port: 9443, text: "0644"}',
      'f',
    )
    expect(object).toMatchObject({ mode: 420, port: 9443, text: '0644' })
  })

  test('lists are opened, JSON is YAML, order is kept', () => {
    const object = (name: string) => `{"apiVersion":"v1","kind":"A","metadata":{"name":"${name}"}}`
    const text = `${object('a')}\n---\n{"apiVersion":"v1","kind":"List","items":[${object('b')},${object('c')}]}\n---\n${object('d')}`
    expect(parseManifests(text, 'f').map((one) => one.metadata.name)).toEqual(['a', 'b', 'c', 'd'])
  })
})
