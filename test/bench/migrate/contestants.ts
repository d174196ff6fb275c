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
  /** what it says of its passes itself; the last object of the first one is where its rewrite ends */
  passes?(figures: ProcessFigures): Passes
  /** it is run once more, over objects that are current: how fast writes go that change nothing */
  isRunAgain?: boolean
}

/** The yardstick's command line. */
export const bareLoop = ({ kubeconfig, kind: { group, plural }, version }: Task, concurrency: number): CommandLine => ({
  program: process.execPath,
  args: [
    join(import.meta.dirname, 'bare-loop.ts'),
    '--kubeconfig',
    kubeconfig,
    '--path',
    `/apis/${group}/${version}/${plural}`,
    '--concurrency',
    String(concurrency),
  ],
})

type Maker = (say: (text: string) => void) => Promise<Contestant>

const bare = (name: string, concurrency: number): Contestant => ({
  name,
  kind: widgets,
  command: (task) => bareLoop(task, concurrency),
  passes: passesOfBareLoop,
  isRunAgain: true,
})

const makers: Record<string, Maker> = {
  airunway: async () => ({
    name: 'airunway',
    kind: widgets,
    command: ({ kubeconfig, kind }) => ownCommand(kubeconfig, definitionName(kind)),
    passes: passesOfOwn,
  }),
  bare: async () => bare('bare', 4),
  'bare-8': async () => bare('bare-8', 8),
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

export const contestantNames: readonly string[] = Object.keys(makers)

/** Those with these names, in this order. Builds what has to be built. */
export async function contestants(names: readonly string[], say: (text: string) => void): Promise<Contestant[]> {
  const found: Contestant[] = []
  for (const name of names) {
    const maker = makers[name]
    if (maker === undefined) throw new Error(`there is no ${name}; there are ${contestantNames.join(', ')}`)
    found.push(await maker(say))
  }
  return found
}
