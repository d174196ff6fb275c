/** The smallest cluster that has every step of a run: two teams, four ModelDeployments, two operators with their shims. */
import { join } from 'node:path'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { entries } from '../../src/playground/entries.ts'
import { installRelease } from '../../src/playground/scenarios/install.ts'
import { kubectlApply } from '../../src/playground/scenarios/kubectl-apply.ts'
import { installOperators } from '../../src/playground/scenarios/operators.ts'
import { awaitWorkloads } from '../../src/playground/scenarios/workloads.ts'

const OPERATORS = { kaito: '0.4.6', kuberay: '1.3.0' }

const MODELS: { team: string; name: string; provider: string }[] = [
  { team: 'team-a', name: 'llama', provider: 'kaito' },
  { team: 'team-a', name: 'qwen', provider: 'kuberay' },
  { team: 'team-b', name: 'phi', provider: 'kaito' },
  { team: 'team-b', name: 'mixtral', provider: 'kuberay' },
]

/** The sample releases. */
export const releasesFolder = (): string => join(entries().examples, 'releases')

/** Fills an empty cluster and waits until its models run. */
export async function fillSmallCluster(client: KubernetesClient, version: string): Promise<void> {
  await installOperators(client, releasesFolder(), OPERATORS)
  await installRelease(client, releasesFolder(), version)
  for (const team of new Set(MODELS.map((model) => model.team)))
    await kubectlApply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: team } })
  for (const model of MODELS) await kubectlApply(client, modelDeployment(model))
  await awaitWorkloads(client, {})
}

const modelDeployment = ({ team, name, provider }: (typeof MODELS)[number]): AnyObject => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: team },
  spec: {
    model: { id: `example/${name}` },
    provider: { name: provider },
    engine: { type: 'vllm', contextLength: 8192 },
    resources: { gpu: { count: 1 } },
  },
})
