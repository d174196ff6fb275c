/** Brings the playground of a user up, with a scenario in it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../kubernetes/connect.ts'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { entries } from './entries.ts'
import { startPlayground } from './playground.ts'
import { applyScenario, scenarioNodes, scenarios } from './scenarios.ts'
import { minorNumber, serverVersions } from './server-versions.ts'
import { type PlaygroundState, playgroundDirectory, writeScenario } from './state.ts'
import { type PlaygroundReport, playgroundStatus } from './status.ts'

export interface UpOptions {
  scenario: string
  /** a minor such as `1.36` */
  kubernetes: string
  env: NodeJS.ProcessEnv
  progress: Progress
  signal: AbortSignal
}

/**
 * Brings a playground up with a scenario in it.
 * @returns its status, and whether it was up already
 * @throws Refusal (usage) for an unknown scenario or minor, and where another scenario or minor is up
 */
export async function up(options: UpOptions): Promise<{ report: PlaygroundReport; already: boolean }> {
  const { scenario, kubernetes, env, progress, signal } = options
  if (!scenarios.some(({ name }) => name === scenario)) {
    throw new Refusal('usage', `there is no scenario ${scenario}`, {
      next: `choose one of ${scenarios.map(({ name }) => name).join(', ')}`,
    })
  }
  const here = entries()
  const wanted = serverVersions(here.servers, kubernetes)
  const before = playgroundStatus(env)
  if (before.phase === 'Running') {
    if (before.scenario === scenario && before.kubernetes === wanted.kubernetes)
      return { report: before, already: true }
    throw new Refusal(
      'usage',
      `a playground with scenario ${before.scenario} and Kubernetes ${before.kubernetes} is up already`,
      {
        next: `kubectl airunway playground down && kubectl airunway playground up --scenario ${scenario} --kubernetes ${kubernetes}`,
      },
    )
  }
  const directory = playgroundDirectory(env)
  const nodes = scenarioNodes(scenario, minorNumber(kubernetes))
  const playground = await startPlayground({ directory, kubernetes, nodes, env, progress, signal })
  try {
    const releases = await fill(directory, scenario, playground.state, options)
    writeScenario(directory, { scenario, releases })
    signal.throwIfAborted()
    await playground.keep()
  } catch (error) {
    await playground.stop()
    throw error
  }
  return { report: playgroundStatus(env), already: false }
}

async function fill(directory: string, scenario: string, state: PlaygroundState, options: UpOptions): Promise<string> {
  const client = await connect({ kubeconfig: state.kubeconfig }, { env: {} })
  const work = join(directory, 'scenario')
  mkdirSync(work)
  try {
    const releases = join(entries().examples, 'releases')
    const applied = await abortable(
      applyScenario(client, scenario, { releases, work, progress: options.progress }),
      options.signal,
    )
    return applied.releases
  } finally {
    await client.close()
  }
}

/** The work itself cannot be interrupted; what it works on is about to be removed. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    // Whichever lost the race must not become an unhandled rejection.
    void work.catch(() => {})
    void aborted.promise.catch(() => {})
  }
}
