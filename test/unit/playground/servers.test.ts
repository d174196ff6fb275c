import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { arch, platform, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serverNames, serverVersions } from '../../../src/playground/server-versions.ts'
import {
  assetsObjection,
  ensureServers,
  goPlatform,
  type ServersContext,
  serversCache,
} from '../../../src/playground/servers.ts'
import { checksumOf } from '../../../src/playground/servers-download.ts'
import { waitFor } from '../../../src/playground/waiting.ts'
import type { Progress } from '../../../src/report/progress.ts'
import { tarOf } from './tar-archive.ts'

let folder: string
let said: string[]
const progress: Progress = {
  task: (title) => {
    said.push(title)
    return { update: (text) => said.push(text), done: (text) => said.push(text ?? ''), fail: (text) => said.push(text) }
  },
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airunway-servers-'))
  said = []
  mkdirSync(join(folder, 'modules', '1.36'), { recursive: true })
  writeFileSync(
    join(folder, 'modules', '1.36', 'go.mod'),
    'module m\n\nrequire (\n\tgo.etcd.io/etcd/server/v3 v3.6.8 // indirect\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n',
  )
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const script = (file: string, text: string): void => {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

/** A `go` that writes what `-o` names; it notes each call in go.log. */
const fakeGo = (then = 'echo "k8s.io/api/core/v1" >&2; printf "built" > "$out"; chmod +x "$out"'): string => {
  script(
    join(folder, 'go', 'go'),
    `echo "$CGO_ENABLED $GOFLAGS $@" >> ${join(folder, 'go.log')}; while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done; ${then}`,
  )
  return `${join(folder, 'go')}${delimiter}/usr/bin${delimiter}/bin`
}

const context = (env: NodeJS.ProcessEnv, downloads: ServersContext['downloads'] = false): ServersContext => ({
  env: { AIRUNWAY_SERVERS_CACHE: join(folder, 'cache'), PATH: join(folder, 'empty'), ...env },
  progress,
  serversFolder: join(folder, 'modules'),
  downloads,
})
const cached = () => join(folder, 'cache', '1.36.3', goPlatform())
/** What is in the version's folder of the cache, besides the servers themselves. */
const leftovers = () => readdirSync(join(cached(), '..')).filter((name) => name !== goPlatform())

const assets = (version: string, names: readonly string[] = serverNames): string => {
  for (const name of names) script(join(folder, 'assets', name), `echo "Kubernetes v${version}"`)
  return join(folder, 'assets')
}

describe('where servers are found', () => {
  test.each([
    [{}, '.cache/airunway/servers'],
    [{ XDG_CACHE_HOME: '/c' }, '/c/airunway/servers'],
    [{ XDG_CACHE_HOME: '/c', AIRUNWAY_SERVERS_CACHE: '/mine' }, '/mine'],
  ])('the cache with %o ends in %s', (env, end) => {
    expect(serversCache(env).endsWith(end)).toBe(true)
  })

  test.each([
    ['linux', 'x64', 'linux-amd64'],
    ['darwin', 'arm64', 'darwin-arm64'],
  ])('%s on %s is %s', (os, cpu, expected) => {
    expect(goPlatform(os, cpu)).toBe(expected)
  })

  test('versions are those of the Go module, also of the real ones', () => {
    expect(serverVersions(join(folder, 'modules'), '1.36')).toEqual({
      minor: '1.36',
      kubernetes: '1.36.3',
      etcd: '3.6.8',
    })
    const real = join(import.meta.dirname, '../../../src/playground/servers')
    for (const minor of ['1.36', '1.30'])
      expect(serverVersions(real, minor).kubernetes).toMatch(new RegExp(`^${minor}\\.\\d+$`))
  })

  test.each(['1.29', '../1.36', '1'])('no module for %s is bad usage', (minor) => {
    expect(() => serverVersions(join(folder, 'modules'), minor)).toThrow(expect.objectContaining({ kind: 'usage' }))
  })

  test('KUBEBUILDER_ASSETS of the right minor goes first', async () => {
    const env = { KUBEBUILDER_ASSETS: assets('1.36.9') }
    expect(await ensureServers('1.36', context(env))).toMatchObject({
      folder: env.KUBEBUILDER_ASSETS,
      source: 'KUBEBUILDER_ASSETS',
    })
  })

  test.each([
    ['1.35.1', serverNames, 'its kube-apiserver is v1.35.1, not v1.36'],
    ['1.36.1', ['etcd', 'kube-apiserver'], 'it has no kube-controller-manager'],
  ])('KUBEBUILDER_ASSETS with %s and %j: %s', async (version, names, objection) => {
    expect(await assetsObjection(assets(version, names), '1.36')).toBe(objection)
  })

  test('KUBEBUILDER_ASSETS of another minor is said to be of no use, and the search goes on', async () => {
    for (const name of serverNames) script(join(cached(), name), 'true')
    const found = await ensureServers('1.36', context({ KUBEBUILDER_ASSETS: assets('1.30.14') }))
    expect(found).toMatchObject({ folder: cached(), source: 'cache' })
    expect(said.join('\n')).toContain('is not used: its kube-apiserver is v1.30.14, not v1.36')
  })
})

describe('building', () => {
  test('builds all three without cgo and with the checked-in versions, and then finds them in the cache', async () => {
    const env = { PATH: fakeGo() }
    expect(await ensureServers('1.36', context(env))).toMatchObject({ folder: cached(), source: 'build' })
    expect(serverNames.map((name) => readFileSync(join(cached(), name), 'utf8'))).toEqual(['built', 'built', 'built'])
    const calls = readFileSync(join(folder, 'go.log'), 'utf8')
    expect(calls.split('\n').filter((line) => line.startsWith('0 -mod=readonly build '))).toHaveLength(3)
    expect(calls).toContain('gitVersion=v1.36.3')
    expect(said).toContain('compiling kube-apiserver 1.36.3')
    expect(await ensureServers('1.36', context({}))).toMatchObject({ source: 'cache' })
    expect(leftovers()).toEqual([])
  })

  test('two at once build once', async () => {
    const env = { PATH: fakeGo() }
    const both = await Promise.all([ensureServers('1.36', context(env)), ensureServers('1.36', context(env))])
    expect(both.map(({ source }) => source).toSorted()).toEqual(['build', 'cache'])
    expect(readFileSync(join(folder, 'go.log'), 'utf8').trim().split('\n')).toHaveLength(3)
  })

  test('a build that is interrupted ends Go and keeps nothing', async () => {
    const abort = new AbortController()
    const env = { PATH: fakeGo('exec sleep 1000') }
    const building = ensureServers('1.36', { ...context(env), signal: abort.signal })
    await waitFor('go runs', () => existsSync(join(folder, 'go.log')), { timeoutMs: 5000 })
    abort.abort(new Error('Ctrl-C'))
    await expect(building).rejects.toThrow('Ctrl-C')
    expect(leftovers()).toEqual([])
  })

  test('the lock and the half-made folder of a dead builder are no obstacle', async () => {
    mkdirSync(join(cached(), '..', `.${goPlatform()}.dead`), { recursive: true })
    writeFileSync(`${cached()}.lock`, '999999\n1\n')
    expect(await ensureServers('1.36', context({ PATH: fakeGo() }))).toMatchObject({ source: 'build' })
    expect(leftovers()).toEqual([])
  })

  test('without Go it says what is missing and what to do', async () => {
    await expect(ensureServers('1.36', context({}))).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('no `go` on PATH') as string,
      next: expect.stringContaining('KUBEBUILDER_ASSETS') as string,
    })
    expect(leftovers()).toEqual([])
  })

  test('a failing build tells what Go said and keeps nothing', async () => {
    const env = { PATH: fakeGo('echo "k8s.io/api/core/v1" >&2; echo "x.go:1:2: undefined: y" >&2; exit 1') }
    await expect(ensureServers('1.36', context(env))).rejects.toMatchObject({
      kind: 'failed',
      why: 'x.go:1:2: undefined: y',
    })
    expect(existsSync(cached())).toBe(false)
    expect(leftovers()).toEqual([])
  })
})

describe.skipIf(platform() !== 'linux')('downloading', () => {
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
  let server: Server
  let files: Map<string, string | Uint8Array>
  let asked: string[]

  beforeEach(async () => {
    files = new Map()
    asked = []
    const bin = `/k/v1.36.3/bin/linux/${cpu}`
    for (const name of ['kube-apiserver', 'kube-controller-manager']) {
      files.set(`${bin}/${name}`, `the ${name}`)
      files.set(`${bin}/${name}.sha256`, sha256(`the ${name}`))
    }
    const archive = gzipSync(
      tarOf([
        [`etcd-v3.6.8-linux-${cpu}/README.md`, 'read'],
        [`etcd-v3.6.8-linux-${cpu}/etcd`, 'the etcd'],
      ]),
    )
    files.set(`/e/v3.6.8/etcd-v3.6.8-linux-${cpu}.tar.gz`, archive)
    files.set(
      '/e/v3.6.8/SHA256SUMS',
      `${'0'.repeat(64)}  other.tar.gz\n${sha256(archive)}  etcd-v3.6.8-linux-${cpu}.tar.gz\n`,
    )
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      const file = files.get(request.url ?? '')
      response.writeHead(file === undefined ? 404 : 200).end(file)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const downloads = () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { kubernetes: `${url}/k`, etcd: `${url}/e`, answerTimeoutMs: 3000 }
  }

  test('takes the binaries whose published checksum they have', async () => {
    expect(await ensureServers('1.36', context({}, downloads()))).toMatchObject({
      folder: cached(),
      source: 'download',
    })
    expect(serverNames.map((name) => readFileSync(join(cached(), name), 'utf8'))).toEqual([
      'the etcd',
      'the kube-apiserver',
      'the kube-controller-manager',
    ])
  })

  test.each([`/k/v1.36.3/bin/linux/${cpu}/kube-controller-manager`, `/e/v3.6.8/etcd-v3.6.8-linux-${cpu}.tar.gz`])(
    'a wrong checksum of %s is an error, and nothing is kept or built',
    async (url) => {
      files.set(url, 'something else')
      await expect(ensureServers('1.36', context({ PATH: fakeGo() }, downloads()))).rejects.toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('wrong checksum') as string,
      })
      expect(existsSync(cached())).toBe(false)
      expect(leftovers()).toEqual([])
      expect(existsSync(join(folder, 'go.log'))).toBe(false)
    },
  )

  test('what is not there is built', async () => {
    files.delete('/e/v3.6.8/SHA256SUMS')
    expect(await ensureServers('1.36', context({ PATH: fakeGo() }, downloads()))).toMatchObject({ source: 'build' })
    expect(readFileSync(join(cached(), 'kube-apiserver'), 'utf8')).toBe('built')
  })

  test('without a network it falls through after one try', async () => {
    const nowhere = downloads()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    expect(await ensureServers('1.36', context({ PATH: fakeGo() }, nowhere))).toMatchObject({ source: 'build' })
    expect(said.join('\n')).toContain('cannot be reached')
  })

  test('a server that does not answer costs the short timeout, not more', async () => {
    server.removeAllListeners('request')
    const started = performance.now()
    const hanging = { ...downloads(), answerTimeoutMs: 100 }
    expect(await ensureServers('1.36', context({ PATH: fakeGo() }, hanging))).toMatchObject({ source: 'build' })
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('AIRUNWAY_SERVERS_DOWNLOAD=off asks nobody', async () => {
    const env = { PATH: fakeGo(), AIRUNWAY_SERVERS_DOWNLOAD: 'off' }
    expect(await ensureServers('1.36', context(env, downloads()))).toMatchObject({ source: 'build' })
    expect(asked).toEqual([])
  })

  test.each([
    [`${'a'.repeat(64)}\n`, 'etcd', 'a'.repeat(64)],
    [`${'a'.repeat(64)}  other\n${'b'.repeat(64)} *etcd\n`, 'etcd', 'b'.repeat(64)],
    [`${'a'.repeat(64)}  other\n`, 'etcd', undefined],
    ['<html>not found</html>', 'etcd', undefined],
  ])('the checksum in %j of %s', (text, file, expected) => {
    expect(checksumOf(text, file)).toBe(expected)
  })
})
