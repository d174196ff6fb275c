/** Whether everybody in a cluster has finished, so that nothing changes any more without a reason. */
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, Lease, Pod } from '../../src/kubernetes/objects.ts'
import { eventually } from './control-plane.ts'

const SYSTEM = 'kubeairunway-system'
const GROUP = 'kubeairunway.ai'

/** Waits until Deployments, pods, providers and ModelDeployments are as they shall be, and each Lease has a living holder. */
export async function settled(client: KubernetesClient, timeout = 60_000): Promise<void> {
  await eventually(
    async () => {
      const why = await unsettled(client)
      if (why !== undefined) throw new Error(why)
      return true
    },
    { timeout, interval: 100 },
  )
}

/** The first thing that is not finished; undefined where all is. */
const unsettled = async (client: KubernetesClient): Promise<string | undefined> => {
  const [deployments, pods, leases] = await Promise.all([
    client.list<Deployment & AnyObject>({ apiVersion: 'apps/v1', kind: 'Deployment' }),
    client.list<Pod & AnyObject>({ apiVersion: 'v1', kind: 'Pod' }),
    client.list<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: SYSTEM }),
  ])
  return (
    deployments.map(unfinishedDeployment).find((why) => why !== undefined) ??
    pods.map(unfinishedPod).find((why) => why !== undefined) ??
    leases.map((lease) => withoutHolder(lease, pods)).find((why) => why !== undefined) ??
    (await unfinishedObject(client))
  )
}

const unfinishedDeployment = ({ metadata, spec, status }: Deployment): string | undefined => {
  const wanted = spec.replicas ?? 1
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0, observedGeneration } = status ?? {}
  const done =
    observedGeneration === metadata.generation && [replicas, readyReplicas, updatedReplicas].every((n) => n === wanted)
  return done ? undefined : `the Deployment ${metadata.name} is not rolled out`
}

const unfinishedPod = ({ metadata, status }: Pod): string | undefined => {
  if (metadata.deletionTimestamp !== undefined) return `the pod ${metadata.name} is terminating`
  const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return ready ? undefined : `the pod ${metadata.name} is not ready`
}

const withoutHolder = ({ metadata, spec }: Lease, pods: Pod[]): string | undefined =>
  pods.some((pod) => spec?.holderIdentity?.startsWith(`${pod.metadata.name}_`))
    ? undefined
    : `nobody that lives holds the Lease ${metadata.name}`

const unfinishedObject = async (client: KubernetesClient): Promise<string | undefined> => {
  const [providers, models] = await Promise.all(
    ['InferenceProviderConfig', 'ModelDeployment'].map(async (kind) => client.list(await served(client, kind))),
  )
  if (providers === undefined || models === undefined) throw new Error('two lists were asked for')
  const provider = providers.find(({ status }) => (status as { ready?: boolean } | undefined)?.ready !== true)
  if (provider !== undefined) return `the provider ${provider.metadata.name} is not ready`
  const model = models.find((object) => !isRunning(object))
  return model === undefined ? undefined : `the ModelDeployment ${model.metadata.name} is not running`
}

/** As the definition says now: what a client has learned of a version may be over. */
const served = async (client: KubernetesClient, kind: string): Promise<{ apiVersion: string; kind: string }> => {
  const definition = await client.get<CustomResourceDefinition>({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    name: `${kind.toLowerCase()}s.${GROUP}`,
  })
  const version = definition.spec.versions.find((one) => one.served)?.name
  return { apiVersion: `${GROUP}/${version}`, kind }
}

const isRunning = ({ metadata, status }: AnyObject): boolean => {
  const { phase, observedGeneration, provider } = (status ?? {}) as {
    phase?: string
    observedGeneration?: number
    provider?: { resourceName?: string; resourceKind?: string | null }
  }
  return (
    phase === 'Running' &&
    observedGeneration === metadata.generation &&
    Boolean(provider?.resourceName && provider.resourceKind)
  )
}
