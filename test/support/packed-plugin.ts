/** The plugin as users run it: the packed bundle on PATH, started by kubectl. */
import { type ChildProcess, spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

const dist = join(import.meta.dirname, '..', '..', 'dist')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  process: ChildProcess
  ended: Promise<Ended>
  /** what came on stderr so far */
  stderr(): string
}

/** Starts `kubectl airunway …` with the bundle first on PATH. */
export const startPlugin = (args: string[], env: NodeJS.ProcessEnv): Running => {
  const child = spawn('kubectl', ['airunway', ...args], {
    env: { ...env, PATH: `${dist}${delimiter}${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { process: child, ended, stderr: () => stderr }
}

/** Runs it to its end. */
export const plugin = async (args: string[], env: NodeJS.ProcessEnv): Promise<Ended> => startPlugin(args, env).ended
