/** The processes of one playground: started here, recorded, killed together. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { RecordedProcess } from './state.ts'

export interface StartOptions {
  /** gets what it writes to stdout and stderr, at its end */
  log: string
  cwd: string
  env: NodeJS.ProcessEnv
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface RunningProcess {
  name: string
  pid: number
  /** resolves when it ended, for whatever reason; never rejects */
  ended: Promise<Exit>
  kill(signal: NodeJS.Signals): void
}

/** Starts and remembers processes; `changed` is told whenever the set of running ones changes. */
export class ChildProcesses {
  readonly #running = new Map<number, { name: string; child: ChildProcess; ended: Promise<Exit> }>()
  readonly #changed: () => void
  #closed = false

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get running(): RecordedProcess[] {
    return [...this.#running].map(([pid, { name }]) => ({ name, pid }))
  }

  /** @throws Error where the command cannot be started at all, or after `close` */
  async start(name: string, command: string, args: string[], options: StartOptions): Promise<RunningProcess> {
    if (this.#closed) throw new Error('no process is started any more')
    const log = openSync(options.log, 'a')
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', log, log] })
    closeSync(log)
    const pid = child.pid
    if (pid === undefined) {
      throw await new Promise((resolve) => child.once('error', resolve))
    }
    child.on('error', () => {})
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running.delete(pid)
        this.#changed()
        resolve({ code, signal })
      })
    })
    this.#running.set(pid, { name, child, ended })
    this.#changed()
    return { name, pid, ended, kill: (signal) => void child.kill(signal) }
  }

  /** Kills all at once and waits until they are gone. Nothing is asked to end well: their data goes with them. */
  async killAll(): Promise<void> {
    const all = [...this.#running.values()]
    for (const { child } of all) child.kill('SIGKILL')
    await Promise.all(all.map(({ ended }) => ended))
  }

  /** The end: kills all and starts none any more, so that what restarts its process cannot leave one behind. */
  async close(): Promise<void> {
    this.#closed = true
    await this.killAll()
  }
}
