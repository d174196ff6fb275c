/** Credentials that change: token files, plugins, certificates, and what happens on 401. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { idToken } from '../../../src/kubernetes/auth-provider.ts'
import { connect, connectInCluster } from '../../../src/kubernetes/connect.ts'
import { credentialSource, impersonationHeaders } from '../../../src/kubernetes/credentials.ts'
import { ConfigurationError, CredentialError } from '../../../src/kubernetes/errors.ts'
import { type ExecResult, isInteractive, parseExecCredential } from '../../../src/kubernetes/exec-plugin.ts'
import { stage } from './story.ts'
import { type Seen, status, type TestServer } from './tls-server.ts'

const on = stage()
const ref = { apiVersion: 'v1', kind: 'Namespace', name: 'a' }
const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }
const v1 = 'client.authentication.k8s.io/v1'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'airunway-credentials-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const tokens = (server: TestServer) =>
  server.requests.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ''))
/** A server that knows one token. */
const accepting = (token: () => string) => (seen: Seen) =>
  seen.headers.authorization === `Bearer ${token()}` ? { body: object } : status(401, 'Unauthorized', 'Unauthorized')

describe('a token in a file', () => {
  const source = (now: () => number) =>
    credentialSource(
      { name: 'u', tokenFile: join(directory, 'token') },
      { exec: () => Promise.reject(new Error('none')), now },
    )
  const write = (token: string) => writeFileSync(join(directory, 'token'), token)

  test('is read again after a minute, and kept where it cannot be read', async () => {
    let now = 0
    write('one\n')
    const { current } = source(() => now)
    const first = await current()
    expect(first.headers).toEqual({ authorization: 'Bearer one' })
    write('two')
    now = 59_999
    expect(await current()).toBe(first)
    now = 60_000
    expect((await current()).headers).toEqual({ authorization: 'Bearer two' })
    rmSync(join(directory, 'token'))
    now = 120_000
    expect((await current()).headers).toEqual({ authorization: 'Bearer two' })
  })
  test('must be there, and hold something', () => {
    expect(() => source(Date.now)).toThrow(/cannot read the token file .*: ENOENT/)
    write('\n')
    expect(() => source(Date.now)).toThrow(/is empty/)
    write('to\nken')
    expect(() => source(Date.now)).toThrow('characters that no header can')
  })
})

describe('a pod', () => {
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  test('its service account, whose renewed token serves a write that was refused', async () => {
    const server = await on.serve(accepting(() => 'new'))
    const { hostname, port } = new URL(server.url)
    write('token', 'old')
    write('ca.crt', on.certificates.authority.certificate)
    write('namespace', 'mine\n')
    const env = {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      AIRUNWAY_SERVICEACCOUNT_DIR: directory,
    }
    const client = await connectInCluster({ env })
    on.onEnd(() => client.close())
    expect(client.connection).toEqual({ server: server.url, namespace: 'mine' })
    await expect(client.get(ref)).rejects.toMatchObject({ code: 401 })
    write('token', 'new')
    await client.create(object)
    await client.create(object)
    expect(tokens(server)).toEqual(['old', 'old', 'new', 'new'])
    const found = await connect({}, { env: { ...env, KUBECONFIG: join(directory, 'none') } })
    on.onEnd(() => found.close())
    expect(found.connection.namespace).toBe('mine')
  })
  test('no pod', async () => {
    await expect(connectInCluster({ env: {} })).rejects.toThrow('this is no pod')
  })
})

describe('an exec plugin', () => {
  /** A plugin that counts its runs, and prints the token of each. */
  const plugin = (credential: string, more = '') => {
    const command = join(directory, 'plugin')
    writeFileSync(
      command,
      `#!/bin/sh\necho run >> ${directory}/runs\nn=$(wc -l < ${directory}/runs | tr -d ' ')\nprintf '%s' "$KUBERNETES_EXEC_INFO" > ${directory}/info\n${more}\ncat <<END\n${credential}\nEND\n`,
    )
    chmodSync(command, 0o755)
    return command
  }
  const numbered = `{"kind":"ExecCredential","apiVersion":"${v1}","status":{"token":"token-$n$EXTRA"}}`
  const runs = () =>
    existsSync(join(directory, 'runs')) ? readFileSync(join(directory, 'runs'), 'utf8').split('\n').length - 1 : 0
  const connectWith = async (server: string, exec: object, flags = {}) => {
    const kubeconfig = join(directory, 'config')
    const cluster = { server, 'certificate-authority': on.certificates.authority.certificateFile }
    const user = { exec: { apiVersion: v1, interactiveMode: 'Never', ...exec } }
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [
          {
            name: 'c',
            cluster: {
              ...cluster,
              extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'me' } }],
            },
          },
        ],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    )
    const client = await connect({ kubeconfig, ...flags }, { env: { PATH: process.env.PATH }, terminal: false })
    on.onEnd(() => client.close())
    return client
  }

  test('runs once for all first requests, with its environment and the cluster', async () => {
    const server = await on.serve(() => ({ body: object }))
    const command = plugin(numbered)
    const client = await connectWith(server.url, {
      command,
      provideClusterInfo: true,
      env: [{ name: 'EXTRA', value: '!' }],
    })
    await Promise.all(Array.from({ length: 8 }, () => client.get(ref)))
    expect(runs()).toBe(1)
    expect(new Set(tokens(server))).toEqual(new Set(['token-1!']))
    expect(JSON.parse(readFileSync(join(directory, 'info'), 'utf8'))).toEqual({
      apiVersion: v1,
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: server.url,
          'certificate-authority-data': Buffer.from(on.certificates.authority.certificate).toString('base64'),
          config: { audience: 'me' },
        },
      },
    })
  })
  test('runs once more when its token is refused, for all that were refused', async () => {
    const server = await on.serve(accepting(() => 'token-2'))
    const client = await connectWith(server.url, { command: plugin(numbered) })
    await Promise.all(Array.from({ length: 8 }, () => client.patch(ref, {}, { type: 'merge' })))
    expect(runs()).toBe(2)
  })
  test('is not run again and again for a server that refuses everything', async () => {
    const server = await on.serve(accepting(() => 'none'))
    const client = await connectWith(server.url, { command: plugin(numbered) })
    await expect(client.get(ref)).rejects.toMatchObject({ code: 401 })
    expect([runs(), server.requests.length]).toEqual([2, 2])
  })
  test('is not run where --token says who we are', async () => {
    const server = await on.serve(() => ({ body: object }))
    const client = await connectWith(server.url, { command: plugin(numbered) }, { token: 'mine' })
    await client.get(ref)
    expect([runs(), tokens(server)]).toEqual([0, ['mine']])
  })
  test('gives a client certificate', async () => {
    const server = await on.serve(() => ({ body: object }))
    const { certificate, key } = on.certificates.client
    const pair = { clientCertificateData: certificate, clientKeyData: key }
    const credential = JSON.stringify({ kind: 'ExecCredential', apiVersion: v1, status: pair }).replaceAll(
      '\\n',
      '\\\\n',
    )
    const client = await connectWith(server.url, { command: plugin(credential) })
    await client.get(ref)
    expect(server.requests[0]?.client).toBe('jane')
  })
  test.each([
    ['is missing', { command: 'no-such-plugin' }, 'the credential plugin no-such-plugin was not found'],
    ['needs a terminal', { command: 'true', interactiveMode: 'Always' }, 'needs a terminal, and there is none'],
    [
      'speaks an old version',
      { command: 'true', apiVersion: 'client.authentication.k8s.io/v1alpha1' },
      'speaks client.authentication.k8s.io/v1alpha1',
    ],
    ['has no interactiveMode', { command: 'true', interactiveMode: undefined }, 'has no valid interactiveMode'],
    ['says nothing', { command: 'true' }, 'did not print JSON'],
  ])('that %s', async (_, exec, message) => {
    const client = await connectWith('https://127.0.0.1:1', exec)
    const error = await client.get(ref).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).toContain(message)
  })
  test.each([
    ['fails', 'exit 3', 'failed with exit code 3'],
    ['is killed', 'kill -9 $$', 'was ended by SIGKILL'],
  ])('that %s is no wrong configuration: the login has ended, mostly', async (_, more, message) => {
    const client = await connectWith('https://127.0.0.1:1', { command: plugin(numbered, more) })
    const error = await client.get(ref).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CredentialError)
    expect(String(error)).toContain(message)
  })
  test('that is missing tells how to get it', async () => {
    const client = await connectWith('https://127.0.0.1:1', { command: 'no-such-plugin', installHint: 'get it' })
    await expect(client.get(ref)).rejects.toMatchObject({ fix: 'get it' })
  })
  test.each([
    ['another kind', { kind: 'Secret' }, 'did not print an ExecCredential'],
    ['another version', { kind: 'ExecCredential', apiVersion: 'v1' }, 'answered in v1'],
    ['no credential', { kind: 'ExecCredential', apiVersion: v1, status: {} }, 'gave neither a token nor'],
    [
      'half a pair',
      { kind: 'ExecCredential', apiVersion: v1, status: { token: 't', clientKeyData: 'k' } },
      'gave half of',
    ],
    [
      'no time',
      { kind: 'ExecCredential', apiVersion: v1, status: { token: 't', expirationTimestamp: 'soon' } },
      'that is no time',
    ],
    [
      'a token of digits',
      { kind: 'ExecCredential', apiVersion: v1, status: { token: 12 } },
      'a token that is no string',
    ],
    [
      'a token in a list',
      { kind: 'ExecCredential', apiVersion: v1, status: { token: ['t'] } },
      'a token that is no string',
    ],
    [
      'a certificate that is no text',
      { kind: 'ExecCredential', apiVersion: v1, status: { clientCertificateData: {}, clientKeyData: 'k' } },
      'a clientCertificateData that is no string',
    ],
    [
      'a time in seconds',
      { kind: 'ExecCredential', apiVersion: v1, status: { token: 't', expirationTimestamp: 1 } },
      'expirationTimestamp that is no string',
    ],
  ])('whose answer is %s', (_, answer, message) => {
    expect(() => parseExecCredential(JSON.stringify(answer), { apiVersion: v1, command: 'p' })).toThrow(message)
  })
  test.each([
    [v1, 'Never', true, false],
    [v1, 'IfAvailable', true, true],
    [v1, 'IfAvailable', false, false],
    [v1, 'Always', true, true],
    [`${v1}beta1`, undefined, true, true],
    [`${v1}beta1`, undefined, false, false],
  ])('%s, %s, terminal %s: interactive %s', (apiVersion, mode, terminal, expected) => {
    const exec = {
      apiVersion,
      command: 'p',
      args: [],
      env: [],
      provideClusterInfo: false,
      ...(mode && { interactiveMode: mode }),
    }
    expect(isInteractive(exec, terminal)).toBe(expected)
  })
})

describe('the life of a plugin’s credential', () => {
  const exec = { apiVersion: v1, command: 'p', args: [], env: [], provideClusterInfo: false }
  test.each([
    ['an hour: 15 s before its end', 3_600_000, 3_584_999, 3_585_000],
    ['ten seconds: a second before its end', 10_000, 8999, 9000],
  ])('%s', async (_, life, fresh, stale) => {
    let now = 0
    let count = 0
    const run = async (): Promise<ExecResult> => ({ token: `t${++count}`, expiresAt: now + life })
    const source = credentialSource({ name: 'u', exec }, { exec: run, now: () => now })
    const at = async (time: number) => {
      now = time
      return (await source.current()).headers.authorization
    }
    expect([await at(0), await at(fresh), await at(stale)]).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2'])
  })
  test('a failure is not kept', async () => {
    let broken = true
    const run = async (): Promise<ExecResult> => {
      if (broken) throw new ConfigurationError('broken')
      return { token: 't', expiresAt: undefined }
    }
    const source = credentialSource({ name: 'u', exec }, { exec: run, now: () => 0 })
    await expect(source.current()).rejects.toThrow('broken')
    broken = false
    expect((await source.current()).headers).toEqual({ authorization: 'Bearer t' })
  })
})

describe('impersonation', () => {
  test.each([
    ['a user', { as: 'a\nb' }],
    ['a user beyond Latin 1', { as: '\u674e' }],
    ['a uid', { as: 'a', asUid: '\r' }],
    ['a group', { as: 'a', asGroups: ['g', 'h\n'] }],
    ['an extra value', { as: 'a', asUserExtra: { scopes: ['\u0000'] } }],
  ])('of %s that no header can carry', (_, user) => {
    expect(() => impersonationHeaders({ name: 'u', ...user })).toThrow(ConfigurationError)
  })
  test('of names with blanks and umlauts', () => {
    const user = { name: 'u', as: 'J\u00f6rg A.', asGroups: ['system:masters'], asUserExtra: { 'a/b': ['c d'] } }
    expect(impersonationHeaders(user)).toEqual({
      'impersonate-user': 'J\u00f6rg A.',
      'impersonate-group': ['system:masters'],
      'impersonate-extra-a%2fb': ['c d'],
    })
  })
})

describe('fixed credentials', () => {
  const ports = { exec: () => Promise.reject(new Error('none')), now: () => 0 }
  test.each([
    ['a token', { token: 't' }, 'Bearer t'],
    ['a password', { username: 'me', password: 'p:w' }, `Basic ${Buffer.from('me:p:w').toString('base64')}`],
    ['a token before a password', { token: 't', username: 'me', password: 'pw' }, 'Bearer t'],
    ['nobody', {}, undefined],
  ])('%s', async (_, user, authorization) => {
    expect((await credentialSource({ name: 'u', ...user }, ports).current()).headers.authorization).toBe(authorization)
  })
  test('half a certificate', () => {
    expect(() => credentialSource({ name: 'u', clientKeyData: 'a2V5' }, ports)).toThrow('has no client certificate')
  })
})

describe('a legacy auth provider', () => {
  const jwt = (exp: unknown) => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`
  test('an ID token that lives', () => {
    const token = jwt(100)
    expect(idToken({ name: 'oidc', config: { 'id-token': token } }, 99_999)).toEqual({ token, expiresAt: 100_000 })
  })
  test.each([
    ['that has ended', 'oidc', { 'id-token': jwt(100) }, 'has ended'],
    ['that is none', 'oidc', { 'id-token': 'x' }, 'has ended'],
    ['that is missing', 'oidc', {}, 'has ended'],
    ['of a cloud', 'gcp', { 'id-token': jwt(1e9) }, '"gcp" of the kubeconfig is not supported'],
  ])('one %s', (_, name, config, message) => {
    expect(() => idToken({ name, config }, 100_000)).toThrow(message)
  })
})
