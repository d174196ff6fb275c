import { join } from 'node:path'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import type { AnyObject } from '../../kubernetes/objects.ts'
import { waitFor } from '../waiting.ts'
import { kubectlApply, readManifest } from './kubectl-apply.ts'

const group = 'kubeairunway.ai'
const kind = 'ModelDeployment'
const timeoutMs = 120_000

interface Workload extends AnyObject {
  spec: { provider?: { name?: string } }
  status?: { phase?: string; provider?: { name?: string; resourceName?: string } }
}

/** Creates the sample ModelDeployments and their namespaces. */
export async function createWorkloads(client: KubernetesClient, releases: string): Promise<void> {
  const path = join(releases, '..', 'workloads', 'model-deployments.yaml')
  for (const object of await readManifest(path)) await kubectlApply(client, object)
}

/** Waits until every ModelDeployment is Running with an object of its provider, or in the phase named for its provider. */
export async function awaitWorkloads(client: KubernetesClient, phases: Record<string, string>): Promise<void> {
  await waitFor(
    'ModelDeployments settled',
    async () => {
      const apiVersion = await servedVersion(client)
      // while a conversion webhook is not there yet, nothing can be read: asked again
      const found = apiVersion && (await client.list<Workload>({ apiVersion, kind }).catch(() => undefined))
      return found && found.length > 0 && found.every((object) => isSettled(object, phases))
    },
    { timeoutMs, intervalMs: 250 },
  )
}

function isSettled({ spec, status }: Workload, phases: Record<string, string>): boolean {
  const provider = status?.provider?.name ?? spec.provider?.name ?? ''
  const wanted = phases[provider] ?? 'Running'
  return status?.phase === wanted && (wanted !== 'Running' || !!status.provider?.resourceName)
}

async function servedVersion(client: KubernetesClient): Promise<string | undefined> {
  for (const version of ['v1beta1', 'v1alpha1']) {
    if (await client.findResource(`${group}/${version}`, kind)) return `${group}/${version}`
  }
  return undefined
}

/** Pauses the reconciliation of one ModelDeployment by its annotation, as `kubectl annotate` does. */
export async function pauseWorkload(client: KubernetesClient, at: { namespace: string; name: string }): Promise<void> {
  const apiVersion = (await servedVersion(client)) ?? `${group}/v1alpha1`
  const body = { metadata: { annotations: { [`${group}/reconcile-paused`]: 'true' } } }
  await client.patch({ apiVersion, kind, ...at }, body, { type: 'merge', fieldManager: 'kubectl-annotate' })
}
