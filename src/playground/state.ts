/** What a playground leaves on disk about itself, and what can be concluded from it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Refusal } from '../report/refusal.ts'
import { commandLine, namesDirectory, runsFor, signalProcess, startOf } from './process-table.ts'

export interface RecordedProcess {
  name: string
  pid: number
}

export interface PlaygroundState {
  phase: 'starting' | 'ready' | 'failed'
  /** the process that started it, until there is a supervisor */
  starter: { pid: number; start: string }
  /** leader of the process group that all servers and pods belong to; 0 until it runs */
  supervisor: number
  processes: RecordedProcess[]
  /** `1.36.3` */
  kubernetes: string
  servers: { folder: string; source: string }
  directory: string
  /** etcd's, best on tmpfs */
  dataDirectory: string
  kubeconfig: string
  auditLog: string
  /** https://127.0.0.1:PORT, empty until the API server has its port */
  server: string
  etcdUrl: string
  /** why it failed, with the end of the log that tells */
  failure?: string
}

/** What was put into a playground, written once that is done. */
export interface ScenarioState {
  scenario: string
  /** the folder for AIRUNWAY_RELEASES */
  releases: string
}

const stateFile = 'state.json'
const scenarioFile = 'scenario.json'

/** `AIRUNWAY_PLAYGROUND_DIR`, else `airunway/playground` in the user's state folder (XDG base directory specification). Always absolute. */
export function playgroundDirectory(env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME'] || join(env['HOME'] || homedir(), '.local', 'state')
  return resolve(env['AIRUNWAY_PLAYGROUND_DIR'] || join(state, 'airunway', 'playground'))
}

function writeAtomically(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`)
  renameSync(`${file}.new`, file)
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Refusal('failed', `${file} cannot be read, so nothing is known about the playground there`, {
      why: error instanceof Error ? error.message : String(error),
      next: 'name another directory with AIRUNWAY_PLAYGROUND_DIR, or look at this one and remove it yourself',
      cause: error,
    })
  }
}

export const writeState = (state: PlaygroundState): void => writeAtomically(join(state.directory, stateFile), state)
/** @throws Refusal (failed) where the file is no state of a playground, or that of one elsewhere: a copy must not end its original. */
export function readState(directory: string): PlaygroundState | undefined {
  const file = join(directory, stateFile)
  const state = readJson<PlaygroundState | null>(file)
  if (state === undefined) return undefined
  if (state?.directory === directory) return state
  throw new Refusal('failed', `${file} is not of a playground in ${directory}`, {
    why: state?.directory === undefined ? undefined : `It is a copy: it says ${state.directory}.`,
    next: 'name another directory with AIRUNWAY_PLAYGROUND_DIR, or look at this one and remove it yourself',
  })
}
export const writeScenario = (directory: string, scenario: ScenarioState): void =>
  writeAtomically(join(directory, scenarioFile), scenario)
export const readScenario = (directory: string): ScenarioState | undefined => readJson(join(directory, scenarioFile))

/** Whether somebody looks after this playground: its supervisor, or whoever is about to start one. */
export function isAttended(state: PlaygroundState): boolean {
  if (state.supervisor > 0) return runsFor(state.supervisor, state.directory)
  return startOf(state.starter.pid) === state.starter.start
}

/**
 * Kills what a dead supervisor left and removes the playground's directories.
 * A recorded process is killed only while its arguments name the directory. Where that one is still in the supervisor's
 * process group, the whole group is ours (a group's id cannot be used again while it has a member), the unrecorded included.
 */
export function clear(state: PlaygroundState): void {
  const supervisorRuns = state.supervisor > 0 && runsFor(state.supervisor, state.directory)
  const left = state.processes.filter(({ pid }) => isOurs(pid, state))
  if (supervisorRuns || left.some(({ pid }) => groupOf(pid) === state.supervisor)) signalGroup(state.supervisor)
  for (const { pid } of left) signalProcess(pid, 'SIGKILL')
  rmSync(state.dataDirectory, { recursive: true, force: true, maxRetries: 10 })
  rmSync(state.directory, { recursive: true, force: true, maxRetries: 10 })
}

function isOurs(pid: number, state: PlaygroundState): boolean {
  const args = commandLine(pid)
  return args !== undefined && (namesDirectory(args, state.directory) || namesDirectory(args, state.dataDirectory))
}

function signalGroup(leader: number): void {
  if (leader > 1) signalProcess(-leader, 'SIGKILL')
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name in parentheses: state, parent, process group (proc(5)).
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  } catch {
    // No /proc: then only the recorded processes are killed, each by its own id.
    return undefined
  }
}

/**
 * Takes a directory for a new playground: makes it, or clears what a dead one left in it.
 * @throws Refusal (usage) where it is not empty and not a playground's (nothing of a user is ever removed),
 * Refusal (locked) where a playground runs in it
 */
export function claimDirectory(state: PlaygroundState): void {
  const { directory } = state
  const before = readState(directory)
  if (before && isAttended(before)) {
    throw new Refusal('locked', `a playground is ${before.phase === 'ready' ? 'up' : 'starting'} in ${directory}`, {
      next: 'kubectl airunway playground down',
    })
  }
  if (before) clear({ ...before, directory })
  else if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new Refusal('usage', `${directory} is not empty and not a playground`, {
      next: 'name another directory with AIRUNWAY_PLAYGROUND_DIR',
    })
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeState(state)
}
