/** What the machine does meanwhile: processor time of processes and of everybody, memory, requests to the API server. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Wire } from './wire.ts'

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended, or there is no /proc here.
    return undefined
  }
}

/** Milliseconds of processor time that a process has used; undefined where nothing tells. */
export function cpuTime(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it, in hundredths (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The most memory that a process has held so far, in MiB. */
export function peakMemory(pid: number): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

/** The processes that a process has started and not yet awaited. */
export const childrenOf = (pid: number): number[] =>
  (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** Milliseconds that all cores together have been busy. */
export const busyTime = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0)

export interface Requests {
  all: number
  writes: number
  /** writes that were answered with 429 */
  throttled: number
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION'])

/** How many requests for resources of these API groups the server has answered since it started, by its own count. */
export async function requestsSoFar(wire: Wire, isCounted: (group: string) => boolean): Promise<Requests> {
  const { text } = await wire.send('GET', '/metrics', { accept: 'text/plain' })
  const counts: Requests = { all: 0, writes: 0, throttled: 0 }
  for (const [, labels = '', value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (!isCounted(label('group'))) continue
    counts.all += Number(value)
    if (!writing.has(label('verb'))) continue
    counts.writes += Number(value)
    if (label('code') === '429') counts.throttled += Number(value)
  }
  return counts
}
