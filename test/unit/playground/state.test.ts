import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commandLine, namesDirectory, runsFor, startOf } from '../../../src/playground/process-table.ts'
import {
  claimDirectory,
  clear,
  isAttended,
  type PlaygroundState,
  playgroundDirectory,
  readState,
  writeScenario,
  writeState,
} from '../../../src/playground/state.ts'
import { down, playgroundStatus, shellEnvironment } from '../../../src/playground/status.ts'
import { waitFor } from '../../../src/playground/waiting.ts'

let folder: string
let children: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airunway-state-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const directory = () => join(folder, 'playground')
const env = () => ({ AIRUNWAY_PLAYGROUND_DIR: directory() })
const me = () => ({ pid: process.pid, start: startOf(process.pid) ?? '' })
const gone = { pid: 999_999, start: '1' }

/** A process that lives until killed, with this argument. */
async function living(argument: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)', '--', argument], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  children.push(child)
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

const state = (change: Partial<PlaygroundState> = {}): PlaygroundState => ({
  phase: 'ready',
  starter: me(),
  supervisor: 0,
  processes: [],
  kubernetes: '1.36.3',
  servers: { folder: '/servers', source: 'cache' },
  directory: directory(),
  dataDirectory: join(folder, 'data'),
  kubeconfig: join(directory(), 'kubeconfig'),
  auditLog: join(directory(), 'audit.log'),
  server: 'https://127.0.0.1:6443',
  etcdUrl: 'http://127.0.0.1:2379',
  ...change,
})
const written = (change: Partial<PlaygroundState> = {}): PlaygroundState => {
  mkdirSync(directory(), { recursive: true })
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeState(state(change))
  return state(change)
}

test.each([
  [{ AIRUNWAY_PLAYGROUND_DIR: '/p', XDG_STATE_HOME: '/s', HOME: '/h' }, '/p'],
  [{ XDG_STATE_HOME: '/s', HOME: '/h' }, '/s/airunway/playground'],
  [{ HOME: '/h' }, '/h/.local/state/airunway/playground'],
])('%o is %s', (given, expected) => {
  expect(playgroundDirectory(given)).toBe(expected)
})

test.each([
  [['etcd', '--data-dir=/tmp/a/etcd'], true],
  [['node', 'main.ts', '/tmp/a'], true],
  [['node main.ts /tmp/a'], true],
  [['etcd', '--data-dir=/tmp/ab/etcd'], false],
  [['vim', 'notes'], false],
])('%j belongs to /tmp/a: %s', (args, expected) => {
  expect(namesDirectory(args, '/tmp/a')).toBe(expected)
})

describe('what is left of a dead playground', () => {
  test('its own processes are killed, those that got their ids since are not', async () => {
    const server = await living(`--data-dir=${directory()}/etcd`)
    const stranger = await living('/somewhere/else')
    const ids = [server, stranger].map(({ pid }) => ({ name: 'x', pid: pid ?? 0 }))
    const left = written({ supervisor: gone.pid, processes: [...ids, { name: 'gone', pid: gone.pid }] })
    expect(isAttended(left)).toBe(false)
    clear(left)
    await waitFor('the server is gone', () => server.signalCode === 'SIGKILL', { timeoutMs: 5000 })
    expect(commandLine(stranger.pid ?? 0)).toBeDefined()
    expect([existsSync(directory()), existsSync(left.dataDirectory)]).toEqual([false, false])
  })

  test('the unrecorded of its process group are killed too', async () => {
    // A shell that leads a group, starts an unrecorded and a recorded child, and is killed alone.
    const leader = spawn(
      'sh',
      ['-c', `sleep 1000 & echo $!; sh -c 'sleep 1000; true' ${directory()}/x & echo $!; wait`],
      { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    children.push(leader)
    const lines: string[] = []
    leader.stdout.on('data', (data: Buffer) => lines.push(...data.toString().trim().split('\n')))
    await waitFor('both children', () => lines.length === 2, { timeoutMs: 5000 })
    const [unrecorded = 0, recorded = 0] = lines.map(Number)
    await waitFor('its arguments', () => runsFor(recorded, directory()), { timeoutMs: 5000 })
    leader.kill('SIGKILL')
    await once(leader, 'exit')
    clear(written({ supervisor: leader.pid ?? 0, processes: [{ name: 'etcd', pid: recorded }] }))
    // Orphans are reaped by whoever adopts them; without arguments they are dead.
    await waitFor('both are gone', () => !commandLine(unrecorded) && !commandLine(recorded), { timeoutMs: 5000 })
    expect(existsSync(directory())).toBe(false)
  })
})

describe('claiming a directory', () => {
  test('makes it', () => {
    claimDirectory(state())
    expect(readState(directory())).toEqual(state())
  })
  test('takes an empty one and one of a dead playground', () => {
    mkdirSync(directory())
    claimDirectory(state({ starter: gone }))
    writeFileSync(join(directory(), 'old'), '')
    claimDirectory(state())
    expect(existsSync(join(directory(), 'old'))).toBe(false)
  })
  test("refuses somebody else's files and removes none", () => {
    mkdirSync(directory())
    writeFileSync(join(directory(), 'thesis.tex'), '')
    expect(() => claimDirectory(state())).toThrow(expect.objectContaining({ kind: 'usage' }))
    expect(existsSync(join(directory(), 'thesis.tex'))).toBe(true)
  })
  test('refuses one that is being started', () => {
    written({ phase: 'starting' })
    expect(() => claimDirectory(state())).toThrow(expect.objectContaining({ kind: 'locked' }))
  })
  test('refuses one that is up', async () => {
    const supervisor = await living(directory())
    written({ supervisor: supervisor.pid ?? 0 })
    expect(() => claimDirectory(state())).toThrow(expect.objectContaining({ kind: 'locked' }))
  })
})

describe('what the commands tell', () => {
  test.each<[string, Partial<PlaygroundState>, boolean, string]>([
    ['its supervisor runs', {}, true, 'Running'],
    ['there is no scenario in it yet', {}, false, 'Starting'],
    ['its servers start', { phase: 'starting' }, false, 'Starting'],
    ['a server ended', { phase: 'failed', failure: 'etcd ended' }, true, 'Failed'],
    ['its supervisor was killed', { supervisor: gone.pid }, true, 'Dead'],
  ])('where %s with %j and a scenario %s: %s', async (_, change, filled, phase) => {
    const supervisor = await living(directory())
    written({ supervisor: supervisor.pid ?? 0, ...change })
    if (filled) writeScenario(directory(), { scenario: 'healthy', releases: "/it's here" })
    expect(playgroundStatus(env()).phase).toBe(phase)
  })

  test('nothing is down, and has no environment', () => {
    expect(playgroundStatus(env())).toMatchObject({ phase: 'Down', directory: directory() })
    expect(() => shellEnvironment(env())).toThrow(expect.objectContaining({ kind: 'failed' }))
  })

  test('the environment is quoted for a shell', async () => {
    const supervisor = await living(directory())
    written({ supervisor: supervisor.pid ?? 0 })
    writeScenario(directory(), { scenario: 'healthy', releases: "/it's here" })
    expect(shellEnvironment(env())).toBe(
      `export KUBECONFIG='${directory()}/kubeconfig'\nexport AIRUNWAY_RELEASES='/it'\\''s here'\n`,
    )
  })

  test('down ends the supervisor and removes what is there; a second time there is nothing', async () => {
    const supervisor = await living(directory())
    written({ supervisor: supervisor.pid ?? 0 })
    expect(await down(env())).toBe(true)
    await waitFor('its end by SIGTERM', () => supervisor.signalCode === 'SIGTERM', { timeoutMs: 5000 })
    expect(existsSync(directory())).toBe(false)
    expect(await down(env())).toBe(false)
  })
})
