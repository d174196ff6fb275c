/** The kubeconfig as kubectl reads it; kinder only to words that YAML 1.1 takes for something else, and to --token beside a token file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionFlags } from '../../../src/kubernetes/client.types.ts'
import { ConfigurationError } from '../../../src/kubernetes/errors.ts'
import { kubeconfigFiles, loadKubeconfig, select } from '../../../src/kubernetes/kubeconfig.ts'
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig-parse.ts'

const parse = (text: string) => parseKubeconfig(text, '/dir/config')
const base = `
current-context: one
clusters:
- {name: c1, cluster: {server: "https://c1", certificate-authority: ca.crt, tls-server-name: t1}}
- {name: c2, cluster: {server: "https://c2", insecure-skip-tls-verify: true}}
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: n1}}
- {name: two, context: {cluster: c2, user: u2}}
- {name: dangling, context: {cluster: gone, user: gone}}
users:
- {name: u1, user: {token: t1, tokenFile: t.txt, client-certificate-data: Y2VydA==, client-key-data: a2V5}}
- {name: u2, user: {username: me, password: pw, as: root, as-uid: "7", as-groups: [a, b], as-user-extra: {k: [v]}}}
`

describe('what flags and contexts come to', () => {
  const cases: [name: string, flags: ConnectionFlags, expected: object][] = [
    ['the current context', {}, { context: 'one', namespace: 'n1', cluster: { name: 'c1' }, user: { name: 'u1' } }],
    ['--context', { context: 'two' }, { context: 'two', namespace: 'default', cluster: { server: 'https://c2' } }],
    [
      '--cluster and --user',
      { cluster: 'c2', user: 'u2' },
      { namespace: 'n1', cluster: { name: 'c2' }, user: { name: 'u2' } },
    ],
    ['--namespace', { namespace: 'n9' }, { namespace: 'n9' }],
    [
      'impersonation of the file',
      { context: 'two' },
      { user: { as: 'root', asUid: '7', asGroups: ['a', 'b'], asUserExtra: { k: ['v'] } } },
    ],
    ['--as-group instead of the file’s', { context: 'two', asGroup: ['z'] }, { user: { as: 'root', asGroups: ['z'] } }],
    [
      'the server’s flags are enough for a dangling context',
      { context: 'dangling', server: 'https://s', token: 't' },
      { cluster: { server: 'https://s' }, user: { token: 't' } },
    ],
  ]
  test.each(cases)('%s', (_, flags, expected) => {
    expect(select(parse(base), flags)).toMatchObject(expected)
  })
  test('--token is stronger than the token file', () => {
    expect(select(parse(base), { token: 'mine' }).user).toEqual({
      name: 'u1',
      token: 'mine',
      clientCertificateData: 'Y2VydA==',
      clientKeyData: 'a2V5',
    })
  })
  test('--client-certificate and --client-key replace the file’s data', () => {
    const { user } = select(parse(base), { clientCertificate: 'a.crt', clientKey: 'a.key' })
    expect(user).toMatchObject({ clientCertificate: 'a.crt', clientKey: 'a.key' })
    expect(user).not.toHaveProperty('clientCertificateData')
    expect(user).not.toHaveProperty('clientKeyData')
  })
  test.each<[string, ConnectionFlags, object]>([
    [
      '--server drops the server name',
      { server: 'https://s' },
      { name: 'c1', server: 'https://s', certificateAuthority: '/dir/ca.crt' },
    ],
    [
      '--insecure-skip-tls-verify drops the authority',
      { insecureSkipTlsVerify: true },
      { name: 'c1', server: 'https://c1', tlsServerName: 't1', insecureSkipTlsVerify: true },
    ],
    [
      '--certificate-authority ends the skipping',
      { cluster: 'c2', certificateAuthority: 'x' },
      { name: 'c2', server: 'https://c2', insecureSkipTlsVerify: false, certificateAuthority: 'x' },
    ],
  ])('%s', (_, flags, cluster) => {
    expect(select(parse(base), flags).cluster).toEqual(cluster)
  })
  test.each<[string, string, ConnectionFlags, string]>([
    ['an unknown context', base, { context: 'x' }, 'the context "x" does not exist'],
    ['an unknown cluster', base, { cluster: 'x' }, 'the cluster "x" does not exist in the kubeconfig'],
    ['an unknown user', base, { user: 'x' }, 'the user "x" does not exist in the kubeconfig'],
    [
      'a dangling context',
      base,
      { context: 'dangling' },
      'the cluster "gone" of the context "dangling" does not exist',
    ],
    ['nothing at all', '', {}, 'no cluster is configured'],
    ['groups without a user', base, { asGroup: ['g'] }, 'impersonated without a user'],
    [
      'an authority that is not to be checked',
      'clusters: [{name: c, cluster: {server: "https://s", certificate-authority: a, insecure-skip-tls-verify: true}}]',
      { cluster: 'c' },
      'skips its check',
    ],
  ])('%s is refused', (_, text, flags, message) => {
    expect(() => select(parse(text), flags)).toThrow(ConfigurationError)
    expect(() => select(parse(text), flags)).toThrow(message)
  })
})

describe('one file', () => {
  test('words and numbers that YAML 1.1 would change are what was written', () => {
    const { contexts, users } = parse(
      'contexts: [{name: x, context: {namespace: n, user: yes}}]\nusers: [{name: yes, user: {token: 0123e4, password: null}}]',
    )
    expect(contexts).toEqual([{ name: 'x', namespace: 'n', user: 'yes' }])
    expect(users).toEqual([{ name: 'yes', token: '0123e4' }])
  })
  test('paths and commands are relative to the file, bare commands are not', () => {
    const { users } = parse(`users:
- {name: a, user: {tokenFile: ../t, client-certificate: /abs/c, client-key: k, exec: {apiVersion: v, command: ./bin/login, args: null, env: null}}}
- {name: b, user: {exec: {apiVersion: v, command: login, args: [a], env: [{name: A, value: b}], provideClusterInfo: true, interactiveMode: Never, installHint: get it}}}`)
    const exec = { apiVersion: 'v', args: [], env: [], provideClusterInfo: false }
    expect(users).toEqual([
      {
        name: 'a',
        tokenFile: '/t',
        clientCertificate: '/abs/c',
        clientKey: '/dir/k',
        exec: { ...exec, command: '/dir/bin/login' },
      },
      {
        name: 'b',
        exec: {
          apiVersion: 'v',
          command: 'login',
          args: ['a'],
          env: [{ name: 'A', value: 'b' }],
          provideClusterInfo: true,
          interactiveMode: 'Never',
          installHint: 'get it',
        },
      },
    ])
  })
  test('anchors, and JSON', () => {
    const anchored = 'x: &s {server: "https://s"}\nclusters: [{name: c, cluster: {<<: *s, proxy-url: "http://p"}}]'
    const json = '{"clusters":[{"name":"c","cluster":{"server":"https://s","proxy-url":"http://p"}}]}'
    const clusters = [{ name: 'c', server: 'https://s', proxyUrl: 'http://p' }]
    expect([parse(anchored).clusters, parse(json).clusters]).toEqual([clusters, clusters])
  })
  test.each([
    ['a name twice', 'users: [{name: a, user: {}}, {name: a, user: {}}]', 'defines the user "a" twice'],
    ['no YAML', 'users: [{name: a, user: {token: hush', 'is not valid YAML'],
    ['a list', '[1]', 'holds no mapping'],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message)
    expect(() => parse(text)).not.toThrow(/hush/)
  })
})

describe('many files', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'airunway-kubeconfig-'))
    const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
    write(
      'a',
      'current-context: a\nclusters: [{name: c, cluster: {server: "https://a"}}]\nusers: [{name: u, user: {token: a}}]',
    )
    write(
      'b',
      'current-context: b\nclusters: [{name: c, cluster: {tls-server-name: b}}, {name: d, cluster: {server: "https://b"}}]',
    )
    mkdirSync(join(directory, '.kube'))
    write('.kube/config', 'current-context: home')
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const at = (...names: string[]) => names.map((name) => join(directory, name))

  test('the first wins, entries of one name are never mixed, what is missing is left out', () => {
    const KUBECONFIG = ['', ...at('missing', 'a', 'b', 'a')].join(delimiter)
    const files = kubeconfigFiles(undefined, { KUBECONFIG })
    expect(files).toEqual(at('a', 'b'))
    expect(loadKubeconfig(files)).toMatchObject({
      currentContext: 'a',
      clusters: [
        { name: 'c', server: 'https://a' },
        { name: 'd', server: 'https://b' },
      ],
      users: [{ name: 'u', token: 'a' }],
    })
    expect(loadKubeconfig(files).clusters[0]).not.toHaveProperty('tlsServerName')
  })
  test.each<[string, string | undefined, Record<string, string>, string[]]>([
    ['--kubeconfig alone', 'b', { KUBECONFIG: 'a' }, ['b']],
    ['the home directory', undefined, {}, ['.kube/config']],
    ['nothing where KUBECONFIG leads nowhere', undefined, { KUBECONFIG: 'missing' }, []],
  ])('%s', (_, explicit, env, expected) => {
    const absolute = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, join(directory, value)]))
    const file = explicit && join(directory, explicit)
    expect(kubeconfigFiles(file, { HOME: directory, ...absolute })).toEqual(at(...expected))
  })
  test('--kubeconfig must exist', () => {
    expect(() => kubeconfigFiles(join(directory, 'missing'), {})).toThrow('does not exist')
  })
})
