/** What a contestant says itself of its passes over the objects: how long each took, and when it was over. */
import { join } from 'node:path'
import type { RunReport } from '../../../src/services/run-report.types.ts'
import type { CommandLine, ProcessFigures } from './measured-process.ts'

export interface Pass {
  objects: number
  seconds: number
  requests: number
}

export interface Passes {
  rewrite: Pass
  /** the last one; of a yardstick, its second run */
  proof?: Pass
  /** of all passes of the run that is measured */
  requests: number
  /** from the start of the process to the answer about the last object that was rewritten */
  secondsToLastObject: number
  /** that it waited only for writes from before the flip */
  secondsSettling: number
  mostInFlight: number
}

/** The plugin as users have it: built, not from source. */
export const ownCommand = (kubeconfig: string, definition: string): CommandLine => ({
  program: join(import.meta.dirname, '..', '..', '..', 'dist', 'kubectl-airunway'),
  args: ['migrate', definition, '--yes', '--output', 'json', '--kubeconfig', kubeconfig],
})

/** Of the document `Run` on stdout. Throws Error where it is none. */
export function passesOfOwn({ output, startedAt, complaint }: ProcessFigures): Passes {
  if (output === '') throw new Error(`there is no report: ${complaint}`)
  const migrated = (JSON.parse(output) as RunReport).migrated?.[0]
  const [first, ...others] = migrated?.passes ?? []
  if (migrated === undefined || first === undefined) throw new Error(`there is no pass: ${output}`)
  const last = others.at(-1)
  return {
    rewrite: { objects: first.rewritten, seconds: first.seconds, requests: first.requests },
    ...(last !== undefined && { proof: { objects: last.unchanged, seconds: last.seconds, requests: last.requests } }),
    requests: migrated.passes.reduce((sum, { requests }) => sum + requests, 0),
    secondsToLastObject: (Date.parse(first.startedAt) - startedAt) / 1000 + first.seconds,
    secondsSettling: migrated.seconds.settle,
    mostInFlight: Math.max(...migrated.passes.map(({ mostInFlight }) => mostInFlight)),
  }
}

/** Of the line of JSON that the yardstick ends with. */
export function passesOfBareLoop({ output, seconds: all }: ProcessFigures): Passes {
  const { objects, seconds, concurrency } = JSON.parse(output) as {
    objects: number
    seconds: number
    concurrency: number
  }
  const requests = objects + Math.ceil(objects / 500)
  return {
    rewrite: { objects, seconds, requests },
    requests,
    secondsToLastObject: all,
    secondsSettling: 0,
    mostInFlight: concurrency,
  }
}
