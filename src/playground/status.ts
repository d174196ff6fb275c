/** Tells about the playground of a user, and takes it down. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../report/refusal.ts'
import { runsFor, signalProcess } from './process-table.ts'
import { clear, isAttended, type PlaygroundState, playgroundDirectory, readScenario, readState } from './state.ts'

/** One document for `playground up` and `playground status`. */
export interface PlaygroundReport {
  apiVersion: 'cli.airunway.ai/v1alpha1'
  kind: 'Playground'
  metadata: { name: 'playground' }
  phase: 'Running' | 'Starting' | 'Failed' | 'Dead' | 'Down'
  directory: string
  kubernetes?: string
  scenario?: string
  kubeconfig?: string
  server?: string
  releases?: string
  auditLog?: string
  servers?: { folder: string; source: string }
  /** why it failed */
  failure?: string
}

/** Reads what stands in the playground's directory and whether somebody still looks after it. */
export function playgroundStatus(env: NodeJS.ProcessEnv): PlaygroundReport {
  const directory = playgroundDirectory(env)
  const state = readState(directory)
  const report = {
    apiVersion: 'cli.airunway.ai/v1alpha1',
    kind: 'Playground',
    metadata: { name: 'playground' },
    directory,
  } as const
  if (!state) return { ...report, phase: 'Down' }
  const scenario = readScenario(directory)
  return {
    ...report,
    phase: phaseOf(state, scenario !== undefined),
    kubernetes: state.kubernetes,
    kubeconfig: state.kubeconfig,
    auditLog: state.auditLog,
    servers: state.servers,
    ...(state.server && { server: state.server }),
    ...scenario,
    ...(state.failure && { failure: state.failure }),
  }
}

/** Dead: its supervisor was killed. It counts as running only once its scenario is in it. Pure but for the look at processes. */
function phaseOf(state: PlaygroundState, hasScenario: boolean): PlaygroundReport['phase'] {
  if (state.phase === 'failed') return 'Failed'
  if (!isAttended(state)) return 'Dead'
  return state.phase === 'ready' && hasScenario ? 'Running' : 'Starting'
}

/**
 * Ends the playground and removes its files, also those of a dead one.
 * @returns whether there was one
 */
export async function down(env: NodeJS.ProcessEnv): Promise<boolean> {
  const state = readState(playgroundDirectory(env))
  if (!state) return false
  if (runsFor(state.supervisor, state.directory)) {
    signalProcess(state.supervisor, 'SIGTERM')
    for (let i = 0; i < 200 && runsFor(state.supervisor, state.directory); i++) await sleep(50)
  }
  // Nothing is left of one that ended well; a hung or dead one is killed with all that belongs to it.
  clear(readState(state.directory) ?? state)
  return true
}

/**
 * Shell commands that make kubectl and this tool use the playground.
 * @throws Refusal (failed) where none is up
 */
export function shellEnvironment(env: NodeJS.ProcessEnv): string {
  const report = playgroundStatus(env)
  if (report.phase !== 'Running' || !report.kubeconfig || !report.releases) {
    throw new Refusal('failed', 'no playground is up', { next: 'kubectl airunway playground up' })
  }
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  return `export KUBECONFIG=${quoted(report.kubeconfig)}\nexport AIRUNWAY_RELEASES=${quoted(report.releases)}\n`
}
