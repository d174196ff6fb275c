/** The slow reconciles that the playground's pods have begun and ended, by their logs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Reconcile {
  pod: string
  object: string
  begun: number
  /** undefined where its process ended first */
  ended: number | undefined
}

interface LogLine {
  ts: string
  msg: string
  object?: string
}

/** Reconciles of one component's pods that took their time since `since`, in the order they began. */
export const slowReconciles = (directory: string, component: string, since: number): Reconcile[] => {
  const pods = join(directory, 'pods')
  const names = readdirSync(pods).filter((name) => name.endsWith('.log') && name.includes(`_${component}-`))
  return names
    .flatMap((name) => reconcilesOf(name.replace(/^[^_]*_|\.log$/g, ''), readFileSync(join(pods, name), 'utf8')))
    .filter(({ begun, ended }) => (ended ?? begun) >= since)
    .toSorted((a, b) => a.begun - b.begun)
}

/** Those in one pod's log. Pure. */
export const reconcilesOf = (pod: string, log: string): Reconcile[] => {
  const found: Reconcile[] = []
  for (const text of log.split('\n')) {
    const line = parsed(text)
    if (line?.object === undefined) continue
    const at = Date.parse(line.ts)
    if (line.msg === 'reconcile begins') found.push({ pod, object: line.object, begun: at, ended: undefined })
    // An error ends it as well.
    if (line.msg !== 'reconcile ends' && line.msg !== 'Reconciler error') continue
    const open = found.findLast(({ object, ended }) => object === line.object && ended === undefined)
    if (open !== undefined) open.ended = at
  }
  return found
}

const parsed = (text: string): LogLine | undefined => {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    // What Node itself writes, and a last line that is half written.
    return undefined
  }
}

/** Pairs of different pods that worked on an object at the same time. Pure. */
export const overlapping = (reconciles: readonly Reconcile[]): [Reconcile, Reconcile][] =>
  reconciles.flatMap((one, index) =>
    reconciles
      .slice(index + 1)
      .filter(
        (other) =>
          other.pod !== one.pod && other.object === one.object && other.begun < (one.ended ?? Number.POSITIVE_INFINITY),
      )
      .map((other): [Reconcile, Reconcile] => [one, other]),
  )
