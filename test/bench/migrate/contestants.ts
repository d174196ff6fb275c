/** Who is measured, and the command line of each. */
import { join } from 'node:path'
import { certificates, definitionName, type Kind, widgets } from './kinds.ts'
import type { CommandLine } from './measured-process.ts'
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

/**
 * THE PLACE FOR OUR OWN: the plugin's command line that moves the objects of `definitionName(kind)`, once there is one.
 * Undefined leaves it out of the comparison.
 */
const ours: ((task: Task) => CommandLine) | undefined = undefined

type Maker = (say: (text: string) => void) => Promise<Contestant | undefined>

const makers: Record<string, Maker> = {
  airunway: async () => ours && { name: 'airunway', kind: widgets, command: ours },
  bare: async () => ({ name: 'bare', kind: widgets, command: (task) => bareLoop(task, 4) }),
  'bare-8': async () => ({ name: 'bare-8', kind: widgets, command: (task) => bareLoop(task, 8) }),
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

/** Those with these names, in this order, without who has no command line yet. Builds what has to be built. */
export async function contestants(names: readonly string[], say: (text: string) => void): Promise<Contestant[]> {
  const found: Contestant[] = []
  for (const name of names) {
    const maker = makers[name]
    if (maker === undefined) throw new Error(`there is no ${name}; there are ${contestantNames.join(', ')}`)
    const contestant = await maker(say)
    if (contestant === undefined) say(`${name} has no command line yet: left out`)
    else found.push(contestant)
  }
  return found
}
