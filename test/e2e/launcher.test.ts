import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commands } from '../../commands/index.ts'
import { describeCommands } from '../../src/cli/command-table.ts'

const dist = join(import.meta.dirname, '..', '..', 'dist')
const launcher = join(dist, 'kubectl-airunway')
const version = /^kubectl-airunway\/\d+\.\d+\.\d+ \S+ node-v26\.\d+\.\d+\n$/

const run = (program: string, argv: string[], options: { cwd?: string; env?: Record<string, string> } = {}) =>
  spawnSync(program, argv, {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: tmpdir(), ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  })

describe('the launcher', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'launcher of many spaces '))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test.each<[string, () => string]>([
    ['by its own name', () => launcher],
    [
      'through a link',
      () => {
        symlinkSync(launcher, join(folder, 'kubectl-airunway'))
        return join(folder, 'kubectl-airunway')
      },
    ],
    [
      'through a relative link to a link to its folder',
      () => {
        mkdirSync(join(folder, 'bin'))
        symlinkSync(dist, join(folder, 'home'))
        symlinkSync('../home/kubectl-airunway', join(folder, 'bin', 'one'))
        symlinkSync('one', join(folder, 'bin', 'two'))
        return join(folder, 'bin', 'two')
      },
    ],
  ])('starts %s', (_, place) => {
    expect(run(place(), ['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(version), stderr: '' })
  })

  test('starts where sh is given its bare name', () => {
    expect(run('sh', ['kubectl-airunway', 'version'], { cwd: dist })).toMatchObject({ status: 0, stderr: '' })
  })

  test.each([
    ['NODE_OPTIONS for other programs', { NODE_OPTIONS: '--require=/nonexistent.js' }],
    ['a cache folder that cannot be written', { XDG_CACHE_HOME: '/dev/null' }],
    ['no home', { HOME: '' }],
    ['CDPATH', { CDPATH: '/usr:/' }],
  ])('does not mind %s', (_, env) => {
    expect(run(launcher, ['--version'], { env })).toMatchObject({ status: 0, stderr: '' })
  })

  test('passes words and exit codes on as they are', () => {
    const ended = run(launcher, ['two words', '*'])
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toContain('error: Unknown command: two words *')
  })
})

describe('the bundle', () => {
  const { outputs } = JSON.parse(readFileSync(join(dist, 'metafile.json'), 'utf8')) as Metafile

  /** The chunks that a start without a command loads: what boot imports, and what that imports statically. */
  const startChunks = (): string[] => {
    const chunks = new Set<string>()
    const visit = (path: string, alsoDynamic: boolean): void => {
      if (chunks.has(path)) return
      chunks.add(path)
      for (const { path: to, kind, external } of outputs[path]?.imports ?? []) {
        if (external !== true && (alsoDynamic || kind !== 'dynamic-import')) visit(to, false)
      }
    }
    visit('dist/lib/boot.mjs', true)
    return [...chunks]
  }

  test('starts without any package, in less than 64 kB', () => {
    const chunks = startChunks()
    expect(chunks.length).toBeGreaterThan(3)
    const packages = chunks
      .flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}))
      .filter((file) => file.includes('node_modules'))
    expect(packages).toEqual([])
    expect(chunks.reduce((total, path) => total + (outputs[path]?.bytes ?? 0), 0)).toBeLessThan(64_000)
  })

  test('has all chunks side by side: files are found relative to them', () => {
    const elsewhere = Object.keys(outputs).filter((path) => !/^dist\/lib\/[^/]+\.mjs$/.test(path))
    expect(elsewhere).toEqual([])
  })

  test('carries the manifest of the commands as they are', async () => {
    const file = Object.entries(outputs).find(([, { inputs }]) => 'src/cli/command-manifest.ts' in inputs)?.[0] ?? ''
    const module = (await import(join(dist, '..', file))) as { commandManifest: () => Promise<unknown> }
    expect(await module.commandManifest()).toEqual(await describeCommands(commands))
  })

  test('starts within its budget', () => {
    const times = Array.from({ length: 5 }, () => {
      const begin = performance.now()
      run(launcher, ['--version'])
      return performance.now() - begin
    })
    // Some 40 ms on an idle machine, beside 25 ms of a bare Node.js; the fastest of five stands for a machine that is busy.
    expect(Math.min(...times)).toBeLessThan(400)
  })
})
