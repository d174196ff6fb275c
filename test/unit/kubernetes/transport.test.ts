/** The way to a server: trust, certificates, proxies, connections, limits. */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { getCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ConnectionFlags } from '../../../src/kubernetes/client.types.ts'
import { connect } from '../../../src/kubernetes/connect.ts'
import { connectionFailure } from '../../../src/kubernetes/connection-failure.ts'
import { ConnectionError } from '../../../src/kubernetes/errors.ts'
import { tlsSettings } from '../../../src/kubernetes/tls-settings.ts'
import { startProxy } from './connect-proxy.ts'
import { stage } from './story.ts'

const on = stage()
const ref = { apiVersion: 'v1', kind: 'Namespace', name: 'a' }
const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }
const ok = () => ({ body: object })

/** A port of loopback on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('trust', () => {
  const failure = async (server: string, flags: ConnectionFlags = {}) => {
    const client = await on.connectTo(server, flags)
    const error = await client.get(ref).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConnectionError)
    const { code, server: named, message } = error as ConnectionError
    expect(named).toBe(server)
    return `${code}: ${message}`
  }
  test('a stranger authority', async () => {
    const server = await on.serve(ok)
    const certificateAuthority = on.certificates.client.certificateFile
    expect(await failure(server.url, { certificateAuthority })).toMatch(
      /^SELF_SIGNED_CERT_IN_CHAIN: .* not signed by a trusted authority/,
    )
  })
  test('an expired certificate', async () => {
    const server = await on.serve(ok, on.certificates.expired)
    expect(await failure(server.url)).toMatch(/^CERT_HAS_EXPIRED: .* has expired/)
  })
  test('a certificate for another name, unless that is the name to look for', async () => {
    const server = await on.serve(ok, on.certificates.elsewhere)
    expect(await failure(server.url)).toMatch(/^ERR_TLS_CERT_ALTNAME_INVALID: .* --tls-server-name/)
    const client = await on.connectTo(server.url, { tlsServerName: 'elsewhere.example' })
    expect(await client.get(ref)).toEqual(object)
  })
  test('no look at the certificate at all', async () => {
    const server = await on.serve(ok, on.certificates.expired)
    const client = await on.connectTo(server.url, { insecureSkipTlsVerify: true })
    expect(await client.get(ref)).toEqual(object)
  })
  test('nothing listens', async () => {
    expect(await failure(`https://127.0.0.1:${await freePort()}`)).toMatch(/^ECONNREFUSED: nothing answers at/)
  })
  test('a server that speaks no TLS', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    on.onEnd(() => server.close())
    const client = await on.connectTo(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await expect(client.create(object)).rejects.toThrow(
      /^TLS with https:\/\/127\.0\.0\.1:\d+ failed \((wrong version number|packet length too long)\)/,
    )
  })
})

test('roots of Node and of the system are trusted where the kubeconfig names no authority', () => {
  const { ca, rejectUnauthorized } = tlsSettings({ name: 'c' })
  const known = [...getCACertificates('default'), ...getCACertificates('system')]
  expect(new Set(ca)).toEqual(new Set(known))
  expect(known.length).toBeGreaterThan(10)
  expect(rejectUnauthorized).toBe(true)
})

test('an authority that is none', async () => {
  const { keyFile } = on.certificates.client
  await expect(on.connectTo('https://127.0.0.1:1', { certificateAuthority: keyFile })).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: `certificate-authority ${keyFile} holds no certificate in PEM`,
  })
  const { authority } = on.certificates
  const good = btoa(authority.certificate)
  const settings = (certificateAuthorityData: string) => () => tlsSettings({ name: 'c', certificateAuthorityData })
  expect(settings('not base64!')).toThrow(/^certificate-authority-data of the cluster "c" is not base64$/)
  expect(settings(authority.certificate)).toThrow(/is not base64/)
  expect(settings(btoa('garbage'))).toThrow(
    /^certificate-authority-data of the cluster "c" holds no certificate in PEM$/,
  )
  expect(settings(good.replaceAll(/(.{64})/g, '$1\n'))().ca).toEqual([authority.certificate])
})

test('a client certificate that is none', async () => {
  const server = await on.serve(ok)
  const { keyFile } = on.certificates.client
  const client = await on.connectTo(server.url, { clientKey: keyFile, clientCertificate: keyFile })
  await expect(client.get(ref)).rejects.toMatchObject({ name: 'ConfigurationError' })
})

test("OpenSSL's text is told in one line, by its reason where it has one", () => {
  const text = '80B2:error:0A00010B:SSL routines:f:wrong version number:../deps/openssl/ssl/record.c:354:\n'
  const told = (error: Error) => connectionFailure(error, new URL('https://h'), { write: false }).message
  expect(told(Object.assign(new Error(text), { code: 'EPROTO', reason: 'wrong version number' }))).toBe(
    'TLS with https://h failed (wrong version number)',
  )
  expect(told(Object.assign(new Error(text), { code: 'EPROTO' }))).not.toContain('\n')
  expect(told(Object.assign(new Error('a\nb'), { code: 'EODD' }))).toBe('https://h cannot be reached: a b')
})

test('a client certificate', async () => {
  const server = await on.serve(ok)
  const { certificateFile: clientCertificate, keyFile: clientKey } = on.certificates.client
  const client = await on.connectTo(server.url, { clientCertificate, clientKey })
  await client.get(ref)
  expect(server.requests[0]?.client).toBe('jane')
})

test('impersonation, groups each in a header of its own', async () => {
  const server = await on.serve(ok)
  const client = await on.connectTo(server.url, { token: 't', as: 'jane', asUid: '7', asGroup: ['a', 'b'] })
  await client.get(ref)
  const raw = server.requests[0]?.rawHeaders ?? []
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : []))
  expect(pairs.filter(([name]) => name?.startsWith('impersonate') || name === 'authorization')).toEqual([
    ['impersonate-user', 'jane'],
    ['impersonate-uid', '7'],
    ['impersonate-group', 'a'],
    ['impersonate-group', 'b'],
    ['authorization', 'Bearer t'],
  ])
})

describe('connections', () => {
  test('300 requests at once use at most 32 connections, and they stay', async () => {
    const server = await on.serve(ok)
    const client = await on.connectTo(server.url)
    await Promise.all(Array.from({ length: 300 }, () => client.get(ref)))
    await client.get(ref)
    expect(server.requests).toHaveLength(301)
    expect(server.connections()).toBeGreaterThan(1)
    expect(server.connections()).toBeLessThanOrEqual(32)
  })
  test('a compressed answer', async () => {
    const body = gzipSync(JSON.stringify(object))
    const server = await on.serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)
      return undefined
    })
    const client = await on.connectTo(server.url)
    expect(await client.get(ref)).toEqual(object)
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip')
  })
  test('a server that does not answer within --request-timeout', async () => {
    const server = await on.serve(() => undefined)
    const client = await on.connectTo(server.url, { requestTimeout: '150ms' })
    await expect(client.get(ref)).rejects.toMatchObject({ name: 'ConnectionError', code: 'ETIMEDOUT' })
  })
  test('a server that stops in the middle of its answer', async () => {
    const server = await on.serve((_, response) => void response.write('{"kind":'))
    const client = await on.connectTo(server.url, { requestTimeout: '150ms' })
    await expect(client.get(ref)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })
  test('an abort rejects with its reason, before and during a request', async () => {
    const controller = new AbortController()
    const server = await on.serve(() => {
      controller.abort(new Error('stop'))
      return undefined
    })
    const client = await on.connectTo(server.url)
    await expect(client.get(ref, controller.signal)).rejects.toThrow('stop')
    await expect(client.get(ref, controller.signal)).rejects.toThrow('stop')
    expect(server.requests).toHaveLength(1)
  })
  test('close ends what is under way', async () => {
    const arrived = Promise.withResolvers<void>()
    const server = await on.serve(() => {
      arrived.resolve()
      return undefined
    })
    const client = await on.connectTo(server.url)
    const request = client.create(object).catch((thrown: unknown) => thrown)
    await arrived.promise
    await client.close()
    expect(await request).toBeInstanceOf(ConnectionError)
  })
})

describe('proxies', () => {
  const kubeconfigFor = (server: string, proxy: string) => ({
    clusters: [
      {
        name: 'c',
        cluster: { server, 'proxy-url': proxy, 'certificate-authority': on.certificates.authority.certificateFile },
      },
    ],
    contexts: [{ name: 'x', context: { cluster: 'c' } }],
    'current-context': 'x',
  })
  const through = async (proxyUrl: string) => {
    const server = await on.serve(ok)
    const kubeconfig = `${on.certificates.directory}/proxied`
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(server.url, proxyUrl)))
    const client = await connect({ kubeconfig }, { env: {} })
    on.onEnd(() => client.close())
    return { server, client }
  }
  test('a tunnel, and the proxy is told who we are', async () => {
    const proxy = await startProxy()
    on.onEnd(() => proxy.close())
    const { server, client } = await through(proxy.url.replace('//', '//me:pass%20word@'))
    expect(await client.get(ref)).toEqual(object)
    expect(proxy.tunnels).toEqual([
      { target: new URL(server.url).host, authorization: `Basic ${Buffer.from('me:pass word').toString('base64')}` },
    ])
    expect(server.requests[0]?.headers['proxy-authorization']).toBeUndefined()
  })
  test('a proxy that refuses, and one that is not there', async () => {
    const proxy = await startProxy({ refuse: 407 })
    on.onEnd(() => proxy.close())
    const refused = await through(proxy.url.replace('//', '//me:secret@'))
    const error = await refused.client.create(object).catch((thrown: unknown) => thrown as Error)
    expect(error).toBeInstanceOf(ConnectionError)
    const { message } = error as ConnectionError
    expect(message).toMatch(/did not let the connection .* through: .*407/)
    expect(message).toContain(`(through the proxy ${proxy.url})`)
    const absent = await through(`http://127.0.0.1:${await freePort()}`)
    await expect(absent.client.get(ref)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
