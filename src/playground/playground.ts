/** Starts a playground: a supervisor with its servers, seen from the process that wants it. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { controlPlanePaths } from './control-plane-files.ts'
import { entries } from './entries.ts'
import type { PlaygroundNode } from './nodes.ts'
import type { PlaygroundPace } from './pod-runner.ts'
import { startOf } from './process-table.ts'
import { defaultMinor } from './server-versions.ts'
import { ensureServers, type Servers } from './servers.ts'
import { claimDirectory, clear, type PlaygroundState, readState } from './state.ts'
import { orderFile, type SupervisorEvent, type SupervisorOrder } from './supervisor.ts'

export interface StartOptions {
  /** absolute, made if it is not there */
  directory: string
  /** a minor such as `1.36` */
  kubernetes?: string
  /** default: one node `playground-node` with GPUs and the server's version */
  nodes?: PlaygroundNode[]
  /** image -> program for Node, besides the stand-ins */
  programs?: Record<string, string>
  /** a folder with what another playground of this minor had: etcd's data, keys and tokens; it is copied and starts as that one was */
  saved?: string
  /** for tests that do not want to wait as long as in a cluster */
  pace?: PlaygroundPace
  env: NodeJS.ProcessEnv
  progress: Progress
  signal?: AbortSignal
}

export interface StartedPlayground {
  state: PlaygroundState
  servers: Servers
  /** lets it outlive this process */
  keep(): Promise<void>
  /** ends it and removes all its files */
  stop(): Promise<void>
}

/** Room that etcd may take: it sets aside 64 MB at once and grows to some hundreds. */
const dataBytes = 512 * 1024 * 1024

/** A folder on tmpfs that is writable and has room for etcd; undefined where there is none, such as on macOS or in small containers. */
export function memoryFolder(folder = '/dev/shm'): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize < dataBytes) return undefined
    rmSync(mkdtempSync(join(folder, 'airunway-')), { recursive: true })
    return folder
  } catch {
    return undefined
  }
}

/** Unix socket addresses hold 104 bytes on macOS and 108 on Linux; a longer path needs a place of its own. */
function socketPath(directory: string): string {
  const path = join(directory, 'egress.sock')
  return Buffer.byteLength(path) < 100 ? path : join(mkdtempSync(join(tmpdir(), 'airunway-')), 'egress.sock')
}

/**
 * Brings up servers, nodes and kubelet in a directory. The playground ends with this process unless `keep` is called.
 * @throws Refusal (locked) where a playground is up there, (usage) where the directory is somebody else's or the minor is
 * unknown, (failed) where servers cannot be had or do not start
 */
export async function startPlayground(options: StartOptions): Promise<StartedPlayground> {
  const minor = options.kubernetes ?? defaultMinor
  const here = entries()
  const { env, progress, signal } = options
  const servers = await ensureServers(minor, { env, progress, signal, serversFolder: here.servers })
  const { directory } = options
  const paths = controlPlanePaths(directory)
  const memory = memoryFolder()
  const state: PlaygroundState = {
    phase: 'starting',
    starter: { pid: process.pid, start: startOf(process.pid) ?? '' },
    supervisor: 0,
    processes: [],
    kubernetes: servers.versions.kubernetes,
    servers: { folder: servers.folder, source: servers.source },
    directory,
    dataDirectory:
      memory && !directory.startsWith(`${memory}/`)
        ? mkdtempSync(join(memory, 'airunway-etcd-'))
        : join(directory, 'etcd'),
    kubeconfig: paths.kubeconfig,
    auditLog: paths.auditLog,
    server: '',
    etcdUrl: '',
  }
  try {
    claimDirectory(state)
    if (options.saved !== undefined) copySaved(options.saved, state)
  } catch (error) {
    rmSync(state.dataDirectory, { recursive: true, force: true })
    throw error
  }
  const order: SupervisorOrder = {
    nodes: options.nodes ?? [{ name: 'playground-node', kubeletVersion: `v${servers.versions.kubernetes}`, gpu: true }],
    socket: socketPath(directory),
    programs: options.programs ?? {},
    ...(options.pace && { pace: options.pace }),
  }
  writeFileSync(join(directory, orderFile), JSON.stringify(order))
  const supervisor = spawnSupervisor(here.supervisor, directory)
  return follow(supervisor, state, servers, options)
}

/** etcd's data goes where this playground has it, all else beside its state. */
function copySaved(saved: string, { directory, dataDirectory }: PlaygroundState): void {
  for (const name of readdirSync(saved))
    cpSync(join(saved, name), name === 'etcd' ? dataDirectory : join(directory, name), { recursive: true })
}

function spawnSupervisor(entry: string, directory: string): ChildProcess {
  const log = openSync(join(directory, 'supervisor.log'), 'a')
  // A session of its own: Ctrl-C in the terminal is the starter's matter, and the process group holds exactly its children.
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, directory], {
    detached: true,
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['pipe', log, log, 'pipe'],
  })
  closeSync(log)
  return child
}

async function follow(
  supervisor: ChildProcess,
  state: PlaygroundState,
  servers: Servers,
  options: StartOptions,
): Promise<StartedPlayground> {
  const exited = new Promise<void>((resolve) => {
    supervisor.once('exit', () => resolve())
    supervisor.once('error', () => resolve())
  })
  // The supervisor may be gone already when something is written or closed; `exited` tells.
  supervisor.stdin?.on('error', () => {})
  const stop = () => stopSupervisor(supervisor, exited, state.directory)
  const abort = () => supervisor.stdin?.end()
  options.signal?.addEventListener('abort', abort)
  const task = options.progress.task(`starting Kubernetes ${state.kubernetes}`)
  try {
    await ready(supervisor, exited, (text) => task.update(text))
    task.done(`Kubernetes ${state.kubernetes} is up`)
  } catch (error) {
    task.fail('it did not start')
    const log = readLog(state.directory)
    await stop()
    options.signal?.throwIfAborted()
    throw new Refusal('failed', 'the playground did not start', {
      why: `${(error as Error).message}${log}`,
      cause: error,
    })
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
  // Neither the process nor its pipes keep this one alive: forgetting to stop must not hang a test run.
  supervisor.unref()
  for (const stream of supervisor.stdio) (stream as { unref?: () => void } | null)?.unref?.()
  return { state: readState(state.directory) ?? state, servers, keep: () => keepSupervisor(supervisor), stop }
}

async function stopSupervisor(supervisor: ChildProcess, exited: Promise<void>, directory: string): Promise<void> {
  supervisor.ref()
  supervisor.stdin?.end()
  await exited
  // After a clean end nothing is there; after a crash of the supervisor its children may be.
  const left = readState(directory)
  if (left) clear(left)
}

async function keepSupervisor(supervisor: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => supervisor.stdin?.end('keep\n', () => resolve()))
  ;(supervisor.stdio[3] as Readable).destroy()
}

function readLog(directory: string): string {
  try {
    const text = readFileSync(join(directory, 'supervisor.log'), 'utf8').trim()
    return text === '' ? '' : `\n${text.split('\n').slice(-15).join('\n')}`
  } catch {
    return ''
  }
}

async function ready(supervisor: ChildProcess, exited: Promise<void>, say: (text: string) => void): Promise<void> {
  const lines = createInterface({ input: supervisor.stdio[3] as Readable })
  try {
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        const event = JSON.parse(line) as SupervisorEvent
        if (event.type === 'progress') say(event.text)
        else if (event.type === 'ready') resolve()
        else reject(new Error(event.message))
      })
      void exited.then(() => reject(new Error('its supervisor ended')))
    })
  } finally {
    lines.close()
  }
}
