/** The states a playground can be brought into: one table, and what carries a row of it out. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { Progress } from '../report/progress.ts'
import { installRelease, releaseFolder } from './scenarios/install.ts'
import { installOperators } from './scenarios/operators.ts'
import { awaitWorkloads, createWorkloads, pauseWorkload } from './scenarios/workloads.ts'

/** One scenario, as data. */
interface ScenarioRow {
  name: string
  description: string
  /** operator versions; the first four of every row are what a cluster of that time has */
  operators: Record<string, string>
  /** releases installed one after the other; ModelDeployments are created after the first */
  installs: string[]
  /** releases whose release.yaml is left away */
  withoutReleaseData: string[]
  /** phases the ModelDeployments of a provider end in, where it is not Running */
  phases: Record<string, string>
  /** minors that the kubelet of a second node is behind the API server */
  kubeletMinorsBehind: number
}

const healthyOperators = { kaito: '0.4.6', kuberay: '1.3.0', dynamo: '1.1.1', 'gpu-operator': '25.10.1' }

const healthy: ScenarioRow = {
  name: 'healthy',
  description:
    'KubeAIRunway v0.1.0 with two shims and seven ModelDeployments on supported operators; v0.2.0 can follow',
  operators: healthyOperators,
  installs: ['v0.1.0'],
  withoutReleaseData: [],
  phases: {},
  kubeletMinorsBehind: 0,
}

const rows: ScenarioRow[] = [
  healthy,
  {
    ...healthy,
    name: 'policy-matrix',
    description: "healthy, but v0.1.0 and v0.2.0 say nothing of their own: the policy document's matrix applies",
    withoutReleaseData: ['v0.1.0', 'v0.2.0'],
  },
  {
    ...healthy,
    name: 'old-provider',
    description: 'KAITO 0.4.4, which serves Workspaces as v1alpha1 only: its ModelDeployments have failed',
    operators: { ...healthyOperators, kaito: '0.4.4' },
    phases: { kaito: 'Failed' },
  },
  {
    ...healthy,
    name: 'stored-v1alpha1',
    description: 'v0.3.0 came over v0.1.0: an object is still stored as v1alpha1, which v0.4.0 no longer has',
    installs: ['v0.1.0', 'v0.3.0'],
  },
  {
    ...healthy,
    name: 'before-v1',
    description:
      'v0.4.0, everything stored as v1beta1; v0.5.0 can follow, which adds v1 and replaces the pods of KubeRay',
    installs: ['v0.2.0', 'v0.4.0'],
  },
  {
    ...healthy,
    name: 'skewed-nodes',
    description: 'healthy, but the kubelet of one node is four minors behind the API server',
    kubeletMinorsBehind: 4,
  },
]

/** Names and one-line descriptions, for help and choice. */
export const scenarios: { name: string; description: string }[] = rows.map(({ name, description }) => ({
  name,
  description,
}))

/** What a test may change in a scenario, to be just on one or the other side of a limit. */
export interface ScenarioOverrides {
  /** by operator name: kaito, kuberay, dynamo, gpu-operator; without leading `v` */
  operatorVersions?: Record<string, string>
  kubeletMinorsBehind?: number
}

export interface ScenarioOptions extends ScenarioOverrides {
  /** folder examples/releases; the operators and workloads lie beside it */
  releases: string
  /** folder in which a scenario may write a releases folder of its own */
  work: string
  progress: Progress
}

/** A node the playground has to register. */
export interface ScenarioNode {
  name: string
  /** `v1.36.3` */
  kubeletVersion: string
  gpu: boolean
}

// the patch releases the playground has servers of; a kubelet's patch does not matter
const patches: Record<number, number> = { 36: 3, 30: 14 }

const kubeletVersion = (minor: number): string => `v1.${minor}.${patches[minor] ?? 0}`

/** The nodes of a scenario for an API server of Kubernetes 1.`kubernetesMinor`. Throws an Error for an unknown name. */
export function scenarioNodes(name: string, kubernetesMinor = 36, overrides: ScenarioOverrides = {}): ScenarioNode[] {
  const behind = overrides.kubeletMinorsBehind ?? row(name).kubeletMinorsBehind
  const current = { name: 'playground-node', kubeletVersion: kubeletVersion(kubernetesMinor), gpu: true }
  if (behind === 0) return [current]
  return [
    current,
    { name: 'playground-node-old', kubeletVersion: kubeletVersion(kubernetesMinor - behind), gpu: false },
  ]
}

/**
 * Brings an empty cluster into a scenario's state and waits until it is there: operators, release, shims and
 * ModelDeployments with their providers' objects and pods. Gives the folder that AIRUNWAY_RELEASES should name.
 * Throws an Error for an unknown name and for what does not happen in time, ApiError for what the API server refuses.
 */
export async function applyScenario(
  client: KubernetesClient,
  name: string,
  options: ScenarioOptions,
): Promise<{ releases: string }> {
  const scenario = row(name)
  const { progress } = options
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const task = progress.task(title)
    try {
      const result = await work()
      task.done()
      return result
    } catch (error) {
      task.fail(error instanceof Error ? error.message : String(error))
      throw error
    }
  }
  const releases = await releaseFolder(options.releases, options.work, scenario.withoutReleaseData)
  const operators = { ...scenario.operators, ...options.operatorVersions }
  await step('installing the provider operators', () => installOperators(client, options.releases, operators))
  for (const [index, version] of scenario.installs.entries()) {
    await step(`installing KubeAIRunway ${version}`, () => installRelease(client, options.releases, version))
    if (index > 0) continue
    await step('creating ModelDeployments', () => createWorkloads(client, options.releases))
    await step('waiting for the models', () => awaitWorkloads(client, scenario.phases))
    // before the next release, whose controllers write every other object and so store it anew
    await pauseWorkload(client, { namespace: 'team-c', name: 'frozen' })
  }
  if (scenario.installs.length > 1) await step('waiting for the models', () => awaitWorkloads(client, scenario.phases))
  return { releases }
}

function row(name: string): ScenarioRow {
  const found = rows.find((one) => one.name === name)
  if (!found) throw new Error(`there is no scenario "${name}"; there are ${rows.map((one) => one.name).join(', ')}`)
  return found
}
