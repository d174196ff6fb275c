/** Installs and shims out of the objects that were read. Pure. */
import { fingerprint, holdStorage } from '../crds/versions.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, Lease, Pod } from '../kubernetes/objects.ts'
import type { KnownRelease } from '../releases/data.types.ts'
import type { Product } from '../releases/release.types.ts'
import type { IdentifiedDeployment } from './identify-deployments.ts'
import { type KnownDigest, versionOfImage } from './identify-version.ts'
import type { Install, InstalledShim, WorkloadPod } from './inventory.types.ts'

type IdentifiedController = Extract<IdentifiedDeployment, { kind: 'controller' }>
type IdentifiedShim = Extract<IdentifiedDeployment, { kind: 'shim' }>

/** A lease says nothing beyond its duration; the rest is for clocks of workstation and cluster that differ. */
const clockSlackSeconds = 15

/** A controller as the inventory shows it. */
export function install(
  found: IdentifiedController,
  context: {
    pods: Pod[]
    lease: Lease | undefined
    crds: CustomResourceDefinition[]
    releases: KnownRelease[]
    now: Date
  },
): Install {
  const { product, deployment, image } = found
  const pods = context.pods.map((pod) => workloadPod(pod, image))
  return {
    product,
    namespace: deployment.metadata.namespace ?? '',
    deployment: referenceTo(deployment),
    image,
    version: versionOfImage(image, {
      imageIDs: pods.map((pod) => pod.imageID),
      digests: knownDigests(context.releases, product, 'controller'),
      known: whatFingerprintsTell(product, context.crds),
    }),
    ...replicasOf(deployment),
    pods,
    lease: leaseState(context.lease, context.now),
  }
}

/** A shim as the inventory shows it, with the provider configuration that it keeps. */
export function installedShim(
  found: IdentifiedShim,
  context: { installs: Install[]; providerConfigs: AnyObject[]; releases: KnownRelease[] },
): InstalledShim {
  const { name, deployment, image } = found
  const namespace = deployment.metadata.namespace ?? ''
  // Two periods of a product can share the names of their shims; the controller beside it tells which one this is.
  const beside = context.installs.find(
    (candidate) => candidate.namespace === namespace && candidate.product.name === found.product.name,
  )
  const product = beside?.product ?? found.product
  const digests = knownDigests(context.releases, product, name)
  return {
    product,
    name,
    namespace,
    deployment: referenceTo(deployment),
    image,
    version: versionOfImage(image, { digests }),
    ...replicasOf(deployment),
    providerConfig: providerConfigOf(product, name, context.providerConfigs),
  }
}

/**
 * What the CRDs on the cluster tell about a product's version; undefined where its data know no fingerprints.
 * They tell which manifest was applied last: an image that moves may run another version.
 */
export function whatFingerprintsTell(product: Product, crds: CustomResourceDefinition[]): string | undefined {
  const prints = (name: string) => crds.filter((crd) => crd.metadata.name === name).flatMap(fingerprintsOfAnyStorage)
  const deployments = prints(product.crds.modelDeployments)
  const configs = prints(product.crds.inferenceProviderConfigs)
  if (product.fingerprints.length === 0 || deployments.length + configs.length === 0) return undefined
  const match = product.fingerprints.find(
    (row) => deployments.includes(row.modelDeployments) && configs.includes(row.inferenceProviderConfigs),
  )
  if (match === undefined) return 'the CRDs are those of no known release'
  return `the CRDs are those of ${match.version}, so its manifest was applied last; which version runs, they do not tell`
}

/** An upgrade holds the storage version at the old one for a while, so the flag may stand elsewhere than in the manifest. */
function fingerprintsOfAnyStorage(crd: CustomResourceDefinition): string[] {
  return crd.spec.versions.flatMap(({ name }) => {
    const result = holdStorage(crd, name)
    return result.held ? [fingerprint(result.crd)] : []
  })
}

function knownDigests(releases: KnownRelease[], product: Product, component: string): KnownDigest[] {
  return releases
    .filter((release) => release.product === product.name)
    .flatMap(({ version, digests }) => {
      const digest = digests?.[component]
      return digest === undefined ? [] : [{ digest, version }]
    })
}

function providerConfigOf(product: Product, shim: string, configs: AnyObject[]): InstalledShim['providerConfig'] {
  const name = product.shims.find((row) => row.name === shim)?.providerConfig
  const config = configs.find(
    (candidate) => candidate.metadata.name === name && candidate.apiVersion.startsWith(`${product.group}/`),
  )
  if (config === undefined || name === undefined) return undefined
  const status: Record<string, unknown> =
    typeof config['status'] === 'object' && config['status'] !== null ? { ...config['status'] } : {}
  const { version, lastHeartbeat } = status
  return {
    name,
    ready: status['ready'] === true,
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof lastHeartbeat === 'string' ? { lastHeartbeat } : {}),
  }
}

function workloadPod(pod: Pod, image: string): WorkloadPod {
  const index = pod.spec.containers.findIndex((container) => container.image === image)
  const name = pod.spec.containers[Math.max(index, 0)]?.name
  const status = pod.status?.containerStatuses?.find((candidate) => candidate.name === name)
  const ready = pod.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid ?? '',
    ready,
    // The spec holds the image as asked for; the status shows it as the runtime resolved it.
    image: pod.spec.containers[Math.max(index, 0)]?.image ?? '',
    imageID: status?.imageID ?? '',
    restarts: status?.restartCount ?? 0,
  }
}

function leaseState(lease: Lease | undefined, now: Date): Install['lease'] {
  if (lease === undefined) return undefined
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = lease.spec ?? {}
  const age = renewTime === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - Date.parse(renewTime)) / 1000
  const held = typeof holderIdentity === 'string' && holderIdentity !== ''
  return {
    name: lease.metadata.name,
    ...(held ? { holder: holderIdentity } : {}),
    ...(renewTime === undefined ? {} : { renewTime }),
    fresh: held && age <= leaseDurationSeconds + clockSlackSeconds,
  }
}

/** How many pods a Deployment asks for, and how many are ready. */
export function replicasOf(deployment: Deployment): { replicas: number; readyReplicas: number } {
  // The API server fills in 1 where a manifest names none.
  return { replicas: deployment.spec.replicas ?? 1, readyReplicas: deployment.status?.readyReplicas ?? 0 }
}

function referenceTo({ metadata }: Deployment): Install['deployment'] {
  const { name, namespace, uid = '' } = metadata
  return { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, ...(namespace === undefined ? {} : { namespace }) }
}
