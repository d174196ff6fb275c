import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type ArchiveEntry, type KrewManifest, manifestObjections, readArchive } from '../support/krew-rules.ts'

const dist = join(import.meta.dirname, '..', '..', 'dist')
const execute = promisify(execFile)

/** What krew does with a manifest and an archive, into a root of our own. Gives the folder that is to be on PATH. */
const install = (manifest: KrewManifest, entries: ArchiveEntry[], root: string): string => {
  const [platform] = manifest.spec.platforms
  const store = join(root, 'store', manifest.metadata.name, manifest.spec.version)
  for (const { name, type, mode, content } of entries) {
    const path = join(store, name)
    mkdirSync(type === 'folder' ? path : dirname(path), { recursive: true })
    if (type === 'file') writeFileSync(path, content, { mode })
  }
  const bin = join(root, 'bin')
  mkdirSync(bin)
  symlinkSync(join(store, platform?.bin ?? ''), join(bin, `kubectl-${manifest.metadata.name.replaceAll('-', '_')}`))
  return bin
}

describe('the packed plugin, installed as krew does it', () => {
  const manifest = parse(readFileSync(join(dist, 'airunway.yaml'), 'utf8')) as KrewManifest
  const archive = readFileSync(join(dist, 'kubectl-airunway-linux-amd64.tar.gz'))
  const entries = readArchive(archive)
  const root = mkdtempSync(join(tmpdir(), 'krew-'))
  let env: Record<string, string | undefined>

  const kubectl = async (...argv: string[]): Promise<{ stdout: string; stderr: string }> =>
    execute('kubectl', argv, { env })

  beforeAll(() => {
    const bin = install(manifest, entries, root)
    // No Node.js of the machine, and options for it that would break ours.
    const system = '/usr/local/bin:/usr/bin:/bin'
    env = { PATH: `${bin}:${system}`, HOME: root, NODE_OPTIONS: '--require=/nonexistent.js' }
  })

  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test('the manifest is one that krew takes, and tells the truth about the archive', () => {
    expect(manifestObjections(manifest, 'airunway.yaml')).toEqual([])
    const { version } = JSON.parse(readFileSync(join(dist, '..', 'package.json'), 'utf8')) as { version: string }
    expect(manifest.spec.version).toBe(`v${version}`)
    expect(manifest.spec.platforms.map(({ sha256 }) => sha256)).toEqual([
      createHash('sha256').update(archive).digest('hex'),
    ])
    expect(manifest.spec.platforms.map(({ uri }) => uri.split('/').at(-1))).toEqual([
      'kubectl-airunway-linux-amd64.tar.gz',
    ])
  })

  test('the archive holds the licence, the launcher, the runtime and what the program reads', () => {
    const modes = new Map(entries.map(({ name, mode }) => [name, mode]))
    expect(modes.get('LICENSE')).toBe(0o644)
    expect(modes.get('kubectl-airunway')).toBe(0o755)
    expect(modes.get('node')).toBe(0o755)
    for (const name of [
      'lib/boot.mjs',
      'lib/data/products.yaml',
      'lib/servers/1.36/go.sum',
      'lib/THIRD-PARTY-LICENSES.txt',
    ]) {
      expect(modes.has(name), name).toBe(true)
    }
  })

  test('system tar reads it too', async () => {
    const { stdout } = await execute('tar', ['-tzf', join(dist, 'kubectl-airunway-linux-amd64.tar.gz')])
    expect(stdout.trim().split('\n')).toEqual(entries.map(({ name }) => name))
  })

  test('kubectl airunway --version', async () => {
    const { stdout, stderr } = await kubectl('airunway', '--version')
    expect(stdout).toBe(`kubectl-airunway/${manifest.spec.version.slice(1)} linux-x64 node-${process.version}\n`)
    expect(stderr).toBe('')
  })

  test('kubectl airunway --help lists the commands', async () => {
    const { stdout } = await kubectl('airunway', '--help')
    expect(stdout).toContain('$ kubectl airunway [COMMAND]')
    expect(stdout).toMatch(/\n {2}preflight {2,}\S/)
    expect(stdout).toContain('EXIT CODES')
  })

  test('kubectl airunway preflight --help shows flags, examples and exit codes', async () => {
    const { stdout } = await kubectl('airunway', 'preflight', '--help')
    for (const text of ['--to', '--context', 'EXAMPLES', 'EXIT CODES']) expect(stdout).toContain(text)
  })

  test('kubectl plugin list names it without a warning', async () => {
    const { stdout, stderr } = await kubectl('plugin', 'list')
    expect(stdout).toContain(join(root, 'bin', 'kubectl-airunway'))
    expect(stderr).not.toMatch(/kubectl-airunway/)
  })

  test('kubectl airunway explain reads a page of its own, offline', async () => {
    const { stdout } = await kubectl('airunway', 'explain', 'kubelet-too-old')
    expect(stdout).toContain('kubelet')
  })

  test('an API server that cannot be reached is told on stderr with exit 1, and no stack', async () => {
    const failure = await kubectl('airunway', 'preflight', '--server', 'https://127.0.0.1:1').catch(
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 1, stdout: '' })
    expect((failure as { stderr: string }).stderr).toMatch(/^(- .*\n|✗ .*\n|FAILED .*\n)*error: /)
    expect((failure as { stderr: string }).stderr).not.toMatch(/\n\s+at /)
  })
})
