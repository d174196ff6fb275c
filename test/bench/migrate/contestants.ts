/** Who is measured, and the command line of each. */
import { join } from 'node:path'
import { certificates, definitionName, type Kind, widgets } from './kinds.ts'
import type { CommandLine, ProcessFigures } from './measured-process.ts'
import { ownCommand, type Passes, passesOfBareLoop, passesOfOwn } from './passes.ts'
import { cmctlCommand, ensurePeer, fluxCommand } from './peers.ts'

/** One migration: the storage version of the kind is `version` already, the objects are still stored in the other one. */
export interface Task {
  kubeconfig: string
  kind: Kind
  version: string
}

export interface Contestant {
  name: string
  kind: Kind
  /** the only version that it moves to; either where there is none */
  onlyTo?: string
  command(task: Task): CommandLine
  /** as somebody whom priority and fairness does not exempt */
  isOrdinary?: boolean
  /** what it says of its passes itself; the last object of the first one is where its rewrite ends */
  passes?(figures: ProcessFigures): Passes
  /** managedFields name the versions of before, when it is done */
  leavesManagers?: boolean
  /** it is run once more, over objects that are current: how fast writes go that change nothing */
  isRunAgain?: boolean
}

/** The yardstick's command line. */
export const bareLoop = (
  { kubeconfig, kind: { group, plural }, version }: Task,
  concurrency: number,
  ...more: string[]
): CommandLine => ({
  program: process.execPath,
  args: [
    join(import.meta.dirname, 'bare-loop.ts'),
    '--kubeconfig',
    kubeconfig,
    '--path',
    `/apis/${group}/${version}/${plural}`,
    '--concurrency',
    String(concurrency),
    ...more,
  ],
})

type Maker = (say: (text: string) => void) => Promise<Contestant>

const bare = (name: string, concurrency: number, ...more: string[]): Contestant => ({
  name,
  kind: widgets,
  command: (task) => bareLoop(task, concurrency, ...more),
  passes: passesOfBareLoop,
  isRunAgain: true,
  leavesManagers: !more.includes('--rename'),
})

const own = (name: string): Contestant => ({
  name,
  kind: widgets,
  command: ({ kubeconfig, kind }) => ownCommand(kubeconfig, definitionName(kind)),
  passes: passesOfOwn,
})

const makers: Record<string, Maker> = {
  airunway: async () => own('airunway'),
  ordinary: async () => ({ ...own('ordinary'), isOrdinary: true }),
  bare: async () => bare('bare', 4),
  'bare-8': async () => bare('bare-8', 8),
  // What our own writes say: where nothing converts, they rename the managers of an object that is old.
  'bare-same': async () => bare('bare-same', 4, '--rename'),
  cmctl: async (say) => {
    const binary = await ensurePeer('cmctl', say)
    const command = ({ kubeconfig }: Task) => cmctlCommand(binary, kubeconfig)
    return { name: 'cmctl', kind: certificates, onlyTo: 'v1', command }
  },
  flux: async (say) => {
    const binary = await ensurePeer('flux', say)
    const command = ({ kubeconfig, kind }: Task) => fluxCommand(binary, kubeconfig, definitionName(kind))
    return { name: 'flux', kind: widgets, command }
  },
}

/** Those with these names, in this order. Builds what has to be built. */
export async function contestants(names: readonly string[], say: (text: string) => void): Promise<Contestant[]> {
  const found: Contestant[] = []
  for (const name of names) {
    const maker = makers[name]
    if (maker === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(makers).join(', ')}`)
    found.push(await maker(say))
  }
  return found
}
