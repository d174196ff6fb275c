/** What is on the cluster now. Plain data: everything that decides works on this. */
import type { ServerVersion } from '../kubernetes/client.types.ts'
import type { CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import type { Product } from '../releases/release.types.ts'

/** How a version was found out, best first. */
export type VersionEvidence = 'image tag' | 'image ID' | 'crd fingerprint' | 'label' | 'argument' | 'chart label'

/** A version, or the reason why it is not known. A mutable tag such as `:latest` is unknown, never guessed. */
export type KnownVersion =
  | { known: true; version: string; evidence: VersionEvidence; detail: string }
  | { known: false; why: string; detail: string }

export interface WorkloadPod {
  name: string
  uid: string
  ready: boolean
  image: string
  imageID: string
  restarts: number
}

/** One controller Deployment of any product name. */
export interface Install {
  product: Product
  namespace: string
  deployment: ObjectReference & { uid: string }
  image: string
  version: KnownVersion
  replicas: number
  readyReplicas: number
  pods: WorkloadPod[]
  lease: { name: string; holder?: string; renewTime?: string; fresh: boolean } | undefined
}

export interface InstalledShim {
  product: Product
  name: string
  namespace: string
  deployment: ObjectReference & { uid: string }
  image: string
  version: KnownVersion
  readyReplicas: number
  replicas: number
  /** its InferenceProviderConfig's status */
  providerConfig: { name: string; ready: boolean; version?: string; lastHeartbeat?: string } | undefined
}

/** A provider operator (KAITO, Dynamo, KubeRay) or the NVIDIA GPU operator. */
export interface InstalledOperator {
  /** kaito, dynamo, kuberay, gpu-operator */
  name: string
  deployment: ObjectReference
  image: string
  version: KnownVersion
  replicas: number
  readyReplicas: number
  /** CRD names that belong to it and are on the cluster */
  crds: string[]
  /** set where the operator cannot be upgraded by the user (AKS add-on) */
  managedBy?: string
}

export interface CrdState {
  name: string
  group: string
  kind: string
  plural: string
  uid: string
  versions: { name: string; served: boolean; storage: boolean; deprecated: boolean }[]
  storedVersions: string[]
  conversion: 'None' | 'Webhook'
  terminating: boolean
  /** the whole object, where it belongs to the product (needed for comparisons and backups) */
  object?: CustomResourceDefinition
}

/** One ModelDeployment, just what plans and checks look at. */
export interface Workload {
  namespace: string
  name: string
  uid: string
  phase: string
  /** from spec.provider.name or status.provider.name */
  provider: string | undefined
  paused: boolean
  terminating: boolean
  /** asks for GPUs */
  gpu: boolean
}

export interface NodeState {
  name: string
  kubeletVersion: string
  kubeProxyVersion?: string
  /** GPU nodes carry nvidia.com/gpu capacity or the gpu.present label */
  gpu: boolean
}

export interface Inventory {
  takenAt: string
  server: ServerVersion
  /** every distinct API server version seen (HA control planes can differ) */
  nodes: NodeState[]
  installs: Install[]
  shims: InstalledShim[]
  operators: InstalledOperator[]
  /** CRDs of the product and of the known operators */
  crds: CrdState[]
  workloads: Workload[]
  /** what could not be read and why (missing rights), so that nothing is silently absent */
  unreadable: { what: string; why: string }[]
}
