/** ModelDeployment and InferenceProviderConfig as the stand-ins see them, in either API version. */
import type { AnyObject, Condition, KubernetesObject } from '../../kubernetes/objects.ts'

export interface Accelerator {
  type?: string
  count?: number
  [field: string]: unknown
}

export interface ModelDeploymentSpec {
  model?: { id?: string; source?: string; [field: string]: unknown }
  provider?: { name?: string; overrides?: Record<string, unknown>; [field: string]: unknown }
  engine?: {
    type?: string
    /** v1alpha1 */
    contextLength?: number
    /** v1beta1, the same under its new name */
    maxModelLength?: number
    enablePrefixCaching?: boolean
    /** v1; spec.image before */
    image?: string
    [field: string]: unknown
  }
  serving?: { mode?: string; [field: string]: unknown }
  scaling?: { replicas?: number; [field: string]: unknown }
  resources?: {
    /** v1alpha1 */
    gpu?: Accelerator
    /** v1beta1 */
    accelerators?: Accelerator[]
    [field: string]: unknown
  }
  /** up to v1beta1 */
  image?: string
  [field: string]: unknown
}

export interface ModelDeploymentStatus {
  phase?: string
  message?: string
  observedGeneration?: number
  provider?: { name?: string; resourceKind?: string; resourceName?: string; selectedReason?: string }
  engine?: { type?: string; selectedReason?: string }
  replicas?: { desired?: number; ready?: number; available?: number }
  endpoint?: { service?: string; port?: number }
  conditions?: Condition[]
  [field: string]: unknown
}

export interface ModelDeployment extends KubernetesObject {
  spec: ModelDeploymentSpec
  status?: ModelDeploymentStatus
}

/** What one engine of a provider can do; one shape for both spellings of the capabilities. */
export interface EngineCapability {
  name: string
  servingModes: string[]
  gpuSupport: boolean
  cpuSupport: boolean
}

export interface InferenceProviderConfig extends KubernetesObject {
  spec?: { capabilities?: { engines?: unknown[]; [field: string]: unknown }; [field: string]: unknown }
  status?: { ready?: boolean; version?: string; lastHeartbeat?: string; upstreamCRDVersion?: string }
}

/** GPUs (accelerators) that one replica asks for, in either API version's spelling. */
export function gpuCount(spec: ModelDeploymentSpec): number {
  const listed = (spec.resources?.accelerators ?? []).reduce((sum, one) => sum + (one.count ?? 0), 0)
  return (spec.resources?.gpu?.count ?? 0) + listed
}

export const isPaused = (object: KubernetesObject, annotation: string): boolean =>
  object.metadata.annotations?.[annotation] === 'true'

/** Sets one condition; its transition time moves only when its status does. */
export function withCondition(
  conditions: readonly Condition[],
  next: { type: string; status: 'True' | 'False'; reason: string; message: string; observedGeneration: number },
  now: Date,
): Condition[] {
  const before = conditions.find((one) => one.type === next.type)
  const lastTransitionTime =
    before?.status === next.status && before.lastTransitionTime
      ? before.lastTransitionTime
      : now.toISOString().replace(/\.\d+Z$/, 'Z')
  const condition: Condition = { ...next, lastTransitionTime }
  return before ? conditions.map((one) => (one.type === next.type ? condition : one)) : [...conditions, condition]
}

/** Reads an object as a ModelDeployment; what a typed client without that type's fields would see is the same. */
export const asModelDeployment = (object: AnyObject): ModelDeployment =>
  ({ ...object, spec: object['spec'] ?? {} }) as unknown as ModelDeployment
