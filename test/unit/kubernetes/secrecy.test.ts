/** Nothing that can be printed shows a credential: neither errors, in every form, nor the client. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../../src/kubernetes/connect.ts'
import { startProxy } from './connect-proxy.ts'
import { stage } from './story.ts'
import { type Handler, status } from './tls-server.ts'

const on = stage()
const secrets = ['hush-token', 'hush-password', 'hush-proxy', 'hush-body', 'hush-plugin']
const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { k: 'hush-body' } }

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'airunway-secrecy-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** All that anyone might print of a value. */
function printed(value: unknown): string {
  const seen = [inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value), String(value)]
  if (value instanceof Error) seen.push(value.stack ?? '', JSON.stringify(value, Object.getOwnPropertyNames(value)))
  if (value instanceof Error && value.cause) seen.push(printed(value.cause))
  return seen.join('\n')
}

async function thrownBy(act: () => unknown): Promise<unknown> {
  try {
    await act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const write = (name: string, text: string) => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const config = (cluster: object, user: object) =>
  write(
    'config',
    JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
const start = async (cluster: object, user: object) => {
  const trust = { 'certificate-authority': on.certificates.authority.certificateFile }
  const client = await connect(
    { kubeconfig: config({ ...trust, ...cluster }, user) },
    { env: { PATH: process.env.PATH } },
  )
  on.onEnd(() => client.close())
  return client
}
const sent = async (cluster: object, user: object) => {
  const client = await start(cluster, user)
  const error = await thrownBy(() => client.create(object))
  return [client, error]
}
const exec = (command: string) => ({
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command,
    interactiveMode: 'Never',
    env: [{ name: 'P', value: 'hush-plugin' }],
  },
})
const failures: [name: string, handler: Handler][] = [
  ['a refusal', () => status(403, 'Forbidden', 'no')],
  ['an answer of 401', () => status(401, 'Unauthorized', 'Unauthorized')],
  ['a reset', (_, response) => void response.socket?.destroy()],
  ['a page', () => ({ status: 502, body: '<html>' })],
]

test.each(failures)('%s', async (_, handler) => {
  const server = await on.serve(handler)
  const users = [{ token: 'hush-token' }, { username: 'me', password: 'hush-password' }]
  for (const user of users) {
    for (const value of await sent({ server: server.url }, user))
      for (const secret of secrets) expect(printed(value)).not.toContain(secret)
  }
})

test('connections that fail', async () => {
  const other = await on.serve(() => ({ body: object }), on.certificates.elsewhere)
  const proxy = await startProxy({ refuse: 403 })
  on.onEnd(() => proxy.close())
  const key = on.certificates.client.key
  const certificate = {
    'client-certificate-data': btoa(on.certificates.client.certificate),
    'client-key-data': btoa(key),
  }
  const values = [
    ...(await sent({ server: other.url }, { token: 'hush-token', ...certificate })),
    ...(await sent({ server: 'https://127.0.0.1:1' }, { token: 'hush-token', ...certificate })),
    ...(await sent(
      { server: other.url, 'proxy-url': proxy.url.replace('//', '//me:hush-proxy@') },
      { token: 'hush-token' },
    )),
    ...(await sent({ server: 'https://me:hush-password@127.0.0.1:1' }, { token: 'hush-token' })),
  ]
  const keyLine = key.split('\n')[1] ?? ''
  expect(keyLine.length).toBeGreaterThan(20)
  for (const value of values) for (const secret of [...secrets, keyLine]) expect(printed(value)).not.toContain(secret)
})

test('settings and plugins that are wrong', async () => {
  const leaky = write('plugin', '#!/bin/sh\necho "{hush-plugin"\n')
  const key = btoa('-----BEGIN PRIVATE KEY-----\nhush-token\n-----END PRIVATE KEY-----\n')
  const certificate = btoa(on.certificates.client.certificate)
  const server = { server: 'https://127.0.0.1:1' }
  const values = [
    await thrownBy(() =>
      connect({ kubeconfig: write('broken', 'users: [{name: u, user: {token: hush-token') }, { env: {} }),
    ),
    await thrownBy(() => start(server, { token: 'hush-token\u0000' })),
    await thrownBy(() => start({ ...server, 'proxy-url': 'ftp://me:hush-proxy@p' }, {})),
    await thrownBy(() => start({ server: 'ftp://me:hush-password@s' }, {})),
    ...(await sent(server, { 'client-certificate-data': certificate, 'client-key-data': key })),
    ...(await sent(server, exec('sh'))),
    ...(await sent(server, { exec: { ...exec('sh').exec, args: [leaky] } })),
  ]
  for (const value of values) for (const secret of secrets) expect(printed(value)).not.toContain(secret)
})
