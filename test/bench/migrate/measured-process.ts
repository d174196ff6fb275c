/** Runs a command to its end and says what it took. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { childrenOf, peakMemory } from './machine.ts'

export interface CommandLine {
  program: string
  args: readonly string[]
  env?: Record<string, string>
}

export interface ProcessFigures {
  code: number | string
  /** start-up included */
  seconds: number
  /** the command and all that it awaited */
  cpuMs: number
  /** of the command's own process, not of its children */
  peakMib?: number
  /** when it was started, in milliseconds since 1970 */
  startedAt: number
  /** all that it wrote to stdout */
  output: string
  /** the end of what it wrote to stderr */
  complaint: string
}

// `times` is the one way to a child's whole processor time that every system has. Its second line is about the children.
const script = '"$@"; code=$?; times >&3; exit $code'

/** Runs it to its end, without input. Throws Error where it cannot be started. */
export async function measureProcess({ program, args, env }: CommandLine): Promise<ProcessFigures> {
  const startedAt = Date.now()
  const begin = performance.now()
  const shell = spawn('sh', ['-c', script, 'sh', program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let peakMib: number | undefined
  const look = setInterval(() => {
    const child = childrenOf(shell.pid ?? 0)[0]
    if (child !== undefined) peakMib = peakMemory(child) ?? peakMib
  }, 25)
  const [stdout, stderr, times] = shell.stdio.slice(1) as [Readable, Readable, Readable]
  try {
    const [code, output, complaint, used] = await Promise.all([
      new Promise<number | string>((resolve, reject) => {
        shell.once('error', reject)
        shell.once('close', (status, signal) => resolve(status ?? signal ?? 'an unknown state'))
      }),
      text(stdout),
      text(stderr),
      text(times),
    ])
    const seconds = (performance.now() - begin) / 1000
    const ended = {
      code,
      seconds,
      cpuMs: childTime(used),
      startedAt,
      output,
      complaint: complaint.trim().split('\n').slice(-5).join('\n'),
    }
    return peakMib === undefined ? ended : { ...ended, peakMib }
  } finally {
    clearInterval(look)
  }
}

/** `0m1.23s 0m0.45s` in the second line, in milliseconds. */
function childTime(times: string): number {
  const line = times.split('\n')[1] ?? ''
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000,
    0,
  )
}
