/** Small rules as tables: warnings, retries, durations, servers, proxies, paths. */
import { describe, expect, test } from 'vitest'
import { connectionFailure } from '../../../src/kubernetes/connection-failure.ts'
import { proxyFor } from '../../../src/kubernetes/proxy.ts'
import { parseRequestTimeout } from '../../../src/kubernetes/request-timeout.ts'
import { collectionPath, objectPath, splitApiVersion, withQuery } from '../../../src/kubernetes/resources.ts'
import { retryDelay } from '../../../src/kubernetes/retry.ts'
import { serverUrl } from '../../../src/kubernetes/server-url.ts'
import { parseWarnings } from '../../../src/kubernetes/warnings.ts'
import { lines } from '../../../src/kubernetes/watch-lines.ts'
import { wireProperties } from '../../support/properties/wire.ts'
import { testProperties } from '../../support/seeded.ts'

describe('Warning headers', () => {
  test.each<[string | string[] | undefined, string[]]>([
    [undefined, []],
    ['299 - "one"', ['one']],
    ['299 - "a \\"quoted\\" word, and a \\\\"', ['a "quoted" word, and a \\']],
    ['299 - "one", 299 - "two"', ['one', 'two']],
    [
      ['299 - "one"', '299 kube "two"'],
      ['one', 'two'],
    ],
    ['299 - "dated" "Sun, 22 Nov 2026 03:00:00 GMT", 299 - "next"', ['dated', 'next']],
    ['110 proxy "stale", 299 - "mine"', ['mine']],
    ['299 - "never closed', []],
    ['nonsense', []],
  ])('%j', (header, texts) => {
    expect(parseWarnings(header)).toEqual(texts)
  })
})

describe('what is sent again', () => {
  const throttled = { status: 429, retryAfterSeconds: 2 }
  test.each([
    ['GET', throttled, 0, 2000],
    ['PATCH', throttled, 0, 2000],
    ['POST', { status: 429, retryAfterSeconds: undefined }, 1, 200],
    ['GET', { status: 429, retryAfterSeconds: 3600 }, 0, 30_000],
    ['PATCH', throttled, 10, undefined],
    ['GET', { status: 503, retryAfterSeconds: undefined }, 2, 400],
    ['GET', { status: 503, retryAfterSeconds: undefined }, 3, undefined],
    ['GET', { status: 500, retryAfterSeconds: 1 }, 0, 1000],
    ['GET', { status: 404, retryAfterSeconds: undefined }, 0, undefined],
    ['GET', { status: 501, retryAfterSeconds: undefined }, 0, undefined],
    ['PUT', { status: 503, retryAfterSeconds: 1 }, 0, undefined],
    ['DELETE', { status: 500, retryAfterSeconds: 1 }, 0, undefined],
    ['GET', { connection: 'ECONNRESET' }, 0, 100],
    ['GET', { connection: 'ECONNREFUSED' }, 0, undefined],
    ['GET', { connection: 'CERT_HAS_EXPIRED' }, 0, undefined],
    ['PATCH', { connection: 'ECONNRESET' }, 0, undefined],
    ['POST', { connection: 'UND_ERR_SOCKET' }, 0, undefined],
  ])('%s %j, attempt %i: %s', (method, outcome, attempt, delay) => {
    expect(retryDelay(method, outcome, attempt)).toBe(delay)
  })
})

describe('--request-timeout', () => {
  test.each([
    ['0', undefined],
    ['0s', undefined],
    ['30', 30_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
  ])('%s', (text, milliseconds) => {
    expect(parseRequestTimeout(text)).toBe(milliseconds)
  })
  test.each(['', 'soon', '10 s', '-1s', '1d'])('%j is none', (text) => {
    expect(() => parseRequestTimeout(text)).toThrow('is not a request timeout')
  })
})

describe('servers', () => {
  test.each([
    ['https://h:1', true, 'https://h:1/'],
    ['h:1', true, 'https://h:1/'],
    ['127.0.0.1:8080', false, 'http://127.0.0.1:8080/'],
    ['https://h/k8s/clusters/c-1', true, 'https://h/k8s/clusters/c-1'],
  ])('%s', (server, tls, url) => {
    expect(serverUrl(server, tls).href).toBe(url)
  })
  test.each(['ftp://h', 'https://', 'unix:///x'])('%s is refused', (server) => {
    expect(() => serverUrl(server, true)).toThrow('not an http or https URL')
  })
})

describe('proxies', () => {
  const proxy = 'http://proxy:3128'
  const cases: [
    name: string,
    server: string,
    configured: string | undefined,
    env: Record<string, string>,
    string | undefined,
  ][] = [
    ['none', 'https://api:6443', undefined, {}, undefined],
    ['for https', 'https://api:6443', undefined, { HTTPS_PROXY: proxy }, 'http://proxy:3128/'],
    ['in lower case', 'https://api:6443', undefined, { https_proxy: proxy }, 'http://proxy:3128/'],
    ['of the other scheme', 'https://api:6443', undefined, { HTTP_PROXY: proxy }, undefined],
    ['for http', 'http://api:6443', undefined, { HTTP_PROXY: proxy }, 'http://proxy:3128/'],
    ['without a scheme', 'https://api:6443', undefined, { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128/'],
    ['never to this machine', 'https://127.0.0.1:6443', undefined, { HTTPS_PROXY: proxy }, undefined],
    ['never to localhost', 'https://localhost:6443', undefined, { HTTPS_PROXY: proxy }, undefined],
    ['never to ::1', 'https://[::1]:6443', undefined, { HTTPS_PROXY: proxy }, undefined],
    ['the kubeconfig first', 'https://127.0.0.1:6443', 'socks5://s:1080', { HTTPS_PROXY: proxy }, 'socks5://s:1080'],
    ['the kubeconfig despite NO_PROXY', 'https://api', 'http://p:1', { NO_PROXY: '*' }, 'http://p:1/'],
    ['NO_PROXY *', 'https://api', undefined, { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
    ['NO_PROXY the host', 'https://api', undefined, { HTTPS_PROXY: proxy, NO_PROXY: 'x, API' }, undefined],
    ['NO_PROXY a parent', 'https://a.b.c', undefined, { HTTPS_PROXY: proxy, no_proxy: 'b.c' }, undefined],
    ['NO_PROXY below', 'https://a.b.c', undefined, { HTTPS_PROXY: proxy, NO_PROXY: '.b.c' }, undefined],
    [
      'NO_PROXY below, not itself',
      'https://b.c',
      undefined,
      { HTTPS_PROXY: proxy, NO_PROXY: '.b.c' },
      'http://proxy:3128/',
    ],
    ['NO_PROXY a wildcard', 'https://a.b.c', undefined, { HTTPS_PROXY: proxy, NO_PROXY: '*.b.c' }, undefined],
    ['NO_PROXY not a suffix', 'https://xb.c', undefined, { HTTPS_PROXY: proxy, NO_PROXY: 'b.c' }, 'http://proxy:3128/'],
    ['NO_PROXY the port', 'https://api:6443', undefined, { HTTPS_PROXY: proxy, NO_PROXY: 'api:6443' }, undefined],
    [
      'NO_PROXY another port',
      'https://api:6443',
      undefined,
      { HTTPS_PROXY: proxy, NO_PROXY: 'api:443' },
      'http://proxy:3128/',
    ],
    ['NO_PROXY an address', 'https://10.0.0.1', undefined, { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.1' }, undefined],
    ['NO_PROXY a network', 'https://10.1.2.3', undefined, { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, undefined],
    [
      'NO_PROXY another network',
      'https://11.1.2.3',
      undefined,
      { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' },
      'http://proxy:3128/',
    ],
    ['NO_PROXY IPv6', 'https://[fd00::1]:1', undefined, { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::1' }, undefined],
    [
      'NO_PROXY IPv6 network',
      'https://[fd00::1]:1',
      undefined,
      { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8' },
      undefined,
    ],
  ]
  test.each(cases)('%s', (_, server, configured, env, expected) => {
    expect(proxyFor(new URL(server), configured, env)?.href).toBe(expected)
  })
  test('a proxy that is none is refused without being quoted', () => {
    expect(() => proxyFor(new URL('https://api'), 'ftp://me:secret@p', {})).toThrow(/^proxy-url is not the URL of/)
  })
})

describe('connections that fail', () => {
  const server = new URL('https://me:secret@host.example:6443/prefix/')
  const failed = (code: string | undefined, message: string) => Object.assign(new Error(message), code && { code })
  test.each([
    [failed('ENOTFOUND', 'getaddrinfo ENOTFOUND'), 'ENOTFOUND', 'the host name host.example of'],
    [failed('EAI_AGAIN', 'getaddrinfo EAI_AGAIN'), 'EAI_AGAIN', 'is not known'],
    [failed('CERT_NOT_YET_VALID', 'x'), 'CERT_NOT_YET_VALID', 'check this machine'],
    [failed('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'x'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'check certificate-authority'],
    [failed('UND_ERR_CONNECT_TIMEOUT', 'x'), 'UND_ERR_CONNECT_TIMEOUT', 'did not answer in time'],
    [failed('EHOSTUNREACH', 'x'), 'EHOSTUNREACH', 'cannot be reached from this network'],
    [failed('ECONNRESET', 'x'), 'ECONNRESET', 'whether the request was carried out is not known'],
    [failed(undefined, 'odd'), 'Error', 'cannot be reached: odd'],
    [new Error('outer', { cause: failed('ECONNREFUSED', 'x') }), 'ECONNREFUSED', 'the connection was refused'],
    ['text', 'EUNKNOWN', 'unknown error'],
  ])('%s', (error, code, message) => {
    const failure = connectionFailure(error, server, { write: true })
    expect(failure).toMatchObject({ code, server: 'https://host.example:6443/prefix' })
    expect(failure.message).toContain(message)
    expect(failure.message).not.toContain('secret')
  })
  test('a read that was lost is just lost', () => {
    const { message } = connectionFailure(failed('ECONNRESET', 'x'), server, { write: false })
    expect(message).toBe('https://host.example:6443/prefix closed the connection before it had answered (ECONNRESET)')
  })
})

describe('paths', () => {
  const role = {
    ...splitApiVersion('rbac.authorization.k8s.io/v1'),
    plural: 'clusterroles',
    kind: 'ClusterRole',
    namespaced: false,
  }
  const pod = { ...splitApiVersion('v1'), plural: 'pods', kind: 'Pod', namespaced: true }
  test.each([
    [objectPath(role, 'ignored', 'system:a/b'), '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%2Fb'],
    [objectPath(pod, 'n', 'p', 'status'), '/api/v1/namespaces/n/pods/p/status'],
    [collectionPath(pod), '/api/v1/pods'],
    [collectionPath(pod, 'n'), '/api/v1/namespaces/n/pods'],
    [
      withQuery('/x', { a: undefined, b: '', c: 'k=v,l in (m)', d: true, e: 0 }),
      '/x?c=k%3Dv%2Cl+in+%28m%29&d=true&e=0',
    ],
    [withQuery('/x', {}), '/x'],
  ])('%s', (path, expected) => {
    expect(path).toBe(expected)
  })
})

describe('lines of a watch', () => {
  const text = '{"a":"ü€😀"}\n{"b":2}\r\n\n{"c":3}\n{"cut'
  // Every chunk size cuts lines and characters elsewhere.
  test.each([1, 2, 3, 5, 7, 1000])('chunks of %i bytes', async (size) => {
    const bytes = Buffer.from(text)
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const found = await Array.fromAsync(lines(chunks()), (line) => JSON.parse(line) as unknown)
    expect(found).toEqual([{ a: 'ü€😀' }, { b: 2 }, { c: 3 }])
  })
})

testProperties(wireProperties)
