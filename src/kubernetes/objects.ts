/**
 * The Kubernetes objects as they travel: plain JSON, lossless, with types for just the parts that this tool reads.
 * Everything else in an object passes through untouched, so that what is read can be written back.
 */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
  generateName?: string
}

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object of any kind, its fields unknown until looked at. */
export interface AnyObject extends KubernetesObject {
  [field: string]: unknown
}

/** Names one object; the resource (plural) is found by discovery. */
export interface ObjectReference {
  apiVersion: string
  kind: string
  namespace?: string
  name: string
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
  observedGeneration?: number
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: Record<string, unknown>
}

export interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  env?: EnvVar[]
  ports?: { name?: string; containerPort: number; protocol?: string }[]
  [field: string]: unknown
}

export interface PodSpec {
  containers: Container[]
  serviceAccountName?: string
  nodeName?: string
  terminationGracePeriodSeconds?: number
  [field: string]: unknown
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

export interface Deployment extends KubernetesObject {
  spec: {
    replicas?: number
    selector: { matchLabels?: Record<string, string> }
    template: PodTemplate
    strategy?: Record<string, unknown>
    [field: string]: unknown
  }
  status?: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    conditions?: Condition[]
  }
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  ready: boolean
  restartCount: number
  [field: string]: unknown
}

export interface Pod extends KubernetesObject {
  spec: PodSpec
  status?: {
    phase?: string
    podIP?: string
    conditions?: Condition[]
    containerStatuses?: ContainerStatus[]
    [field: string]: unknown
  }
}

export interface Node extends KubernetesObject {
  spec?: Record<string, unknown>
  status?: {
    nodeInfo?: { kubeletVersion: string; kubeProxyVersion?: string }
    capacity?: Record<string, string>
    conditions?: Condition[]
  }
}

export interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string | null
    leaseDurationSeconds?: number
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

export interface Secret extends KubernetesObject {
  type?: string
  data?: Record<string, string>
}

export interface WebhookClientConfig {
  caBundle?: string
  url?: string
  service?: { namespace: string; name: string; path?: string; port?: number }
}

export interface WebhookConfiguration extends KubernetesObject {
  webhooks?: { name: string; clientConfig: WebhookClientConfig; [field: string]: unknown }[]
}

export interface CustomResourceDefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: Record<string, unknown> }
  subresources?: { status?: Record<string, unknown>; scale?: Record<string, unknown> }
  [field: string]: unknown
}

export interface CustomResourceConversion {
  strategy: 'None' | 'Webhook'
  webhook?: { clientConfig?: WebhookClientConfig; conversionReviewVersions: string[] } | null
}

export interface CustomResourceDefinition extends KubernetesObject {
  spec: {
    group: string
    scope: 'Namespaced' | 'Cluster'
    names: {
      plural: string
      kind: string
      singular?: string
      listKind?: string
      shortNames?: string[]
      categories?: string[]
    }
    versions: CustomResourceDefinitionVersion[]
    conversion?: CustomResourceConversion
    [field: string]: unknown
  }
  status?: {
    storedVersions?: string[]
    acceptedNames?: Record<string, unknown>
    conditions?: Condition[]
  }
}
