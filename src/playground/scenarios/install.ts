import { cp, mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, Lease, Pod } from '../../kubernetes/objects.ts'
import { waitFor } from '../waiting.ts'
import { kubectlApply, readManifest } from './kubectl-apply.ts'

const timeoutMs = 120_000
const namespace = 'kubeairunway-system'
const manifests = ['manifests/install.yaml', 'manifests/kaito.yaml', 'manifests/kuberay.yaml']

/**
 * The releases folder of a scenario: the given one, or a copy of it in `work` in which some versions say nothing about
 * themselves.
 */
export async function releaseFolder(releases: string, work: string, withoutReleaseData: string[]): Promise<string> {
  if (withoutReleaseData.length === 0) return releases
  const copy = join(work, basename(releases))
  await rm(copy, { recursive: true, force: true })
  await mkdir(copy, { recursive: true })
  await cp(releases, copy, { recursive: true })
  for (const version of withoutReleaseData) await rm(join(copy, version, 'release.yaml'), { force: true })
  return copy
}

/**
 * Installs a release with its shims as `kubectl apply` would, its images pinned, and waits until its pods are the only ones
 * and hold their leases.
 */
export async function installRelease(client: KubernetesClient, releases: string, version: string): Promise<void> {
  const pin = (text: string): string => text.replaceAll(':latest', `:${version.replace(/^v/, '')}`)
  for (const manifest of manifests) {
    const objects = await readManifest(join(releases, version, manifest), pin)
    for (const object of objects) {
      await kubectlApply(client, object)
      if (object.kind === 'CustomResourceDefinition') await established(client, object.metadata.name)
    }
    for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
      await rolledOut(client, object)
      await lead(client, object.metadata.name)
    }
  }
}

/** Waits until the API server serves a CRD. */
export async function established(client: KubernetesClient, name: string): Promise<void> {
  const ref = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
  await waitFor(
    `CustomResourceDefinition ${name} established`,
    async () => {
      const crd = await client.get<CustomResourceDefinition>(ref)
      return crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
    },
    { timeoutMs },
  )
}

/** Waits until a Deployment's pods are all of its newest template and ready, and no other is left. */
export async function rolledOut(client: KubernetesClient, object: AnyObject): Promise<void> {
  const { name, namespace: own = namespace } = object.metadata
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: own, name }
  const image = (object as unknown as Deployment).spec.template.spec.containers.at(-1)?.image
  await waitFor(
    `Deployment ${name} rolled out`,
    async () => {
      const { metadata, spec, status } = await client.get<Deployment>(ref)
      const labels = Object.entries(spec.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
      if (status?.observedGeneration !== metadata.generation || (status?.readyReplicas ?? 0) < (spec.replicas ?? 1))
        return false
      const collection = { apiVersion: 'v1', kind: 'Pod', namespace: own, labelSelector: labels.join(',') }
      const pods = await client.list<Pod & AnyObject>(collection)
      return pods.length === (spec.replicas ?? 1) && pods.every((pod) => pod.spec.containers.at(-1)?.image === image)
    },
    { timeoutMs, intervalMs: 200 },
  )
}

/** Waits until a living pod of a Deployment holds the lease, which has the Deployment's name in this product. */
async function lead(client: KubernetesClient, name: string): Promise<void> {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
  await waitFor(
    `Lease ${name} held`,
    async () => {
      const pods = await client.list<Pod & AnyObject>({ apiVersion: 'v1', kind: 'Pod', namespace })
      const lease = await client.find<Lease>(ref)
      const holder = lease?.spec?.holderIdentity
      if (!holder) return false
      if (pods.some((pod) => holder.startsWith(`${pod.metadata.name}_`))) return true
      // its holder is gone: nobody is waited out, because nothing runs yet that the wait would protect
      await client.delete(ref).catch(() => undefined)
      return false
    },
    { timeoutMs, intervalMs: 200 },
  )
}
