/** The rules of the admission webhooks. Pure: objects in, a patch or a refusal out. */
import { gpuCount, type ModelDeployment, type ModelDeploymentSpec } from './model-deployment.ts'

export interface JsonPatchOperation {
  op: 'add' | 'replace'
  path: string
  value: unknown
}

/**
 * What the mutating webhook sets where it is empty: `spec.serving.mode`, and `spec.engine.type` by whether GPUs are
 * asked for. The CRDs have no defaults for these two, so they show that the webhook was called.
 */
export function defaultingPatch(object: ModelDeployment): JsonPatchOperation[] {
  const patch: JsonPatchOperation[] = []
  const { serving, engine } = object.spec
  if (!serving) patch.push({ op: 'add', path: '/spec/serving', value: { mode: 'aggregated' } })
  else if (!serving.mode) patch.push({ op: 'add', path: '/spec/serving/mode', value: 'aggregated' })
  const type = gpuCount(object.spec) > 0 ? 'vllm' : 'llamacpp'
  if (!engine) patch.push({ op: 'add', path: '/spec/engine', value: { type } })
  else if (!engine.type) patch.push({ op: 'add', path: '/spec/engine/type', value: type })
  return patch
}

const largest = { gpus: 64, replicas: 32 }
const identity: { path: string; of: (spec: ModelDeploymentSpec) => unknown }[] = [
  { path: 'spec.model.id', of: (spec) => spec.model?.id },
  { path: 'spec.model.source', of: (spec) => spec.model?.source },
  { path: 'spec.engine.type', of: (spec) => spec.engine?.type },
  { path: 'spec.provider.name', of: (spec) => spec.provider?.name },
  { path: 'spec.serving.mode', of: (spec) => spec.serving?.mode },
]
const forbiddenOverrides = new Set([
  'securityContext',
  'serviceAccountName',
  'serviceAccount',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'automountServiceAccountToken',
  'nodeName',
  'priorityClassName',
  'runtimeClassName',
  'replicas',
  'resources',
])

/**
 * What the validating webhook holds against an object, one line for each violation: names with dots, a changed
 * identity, and with `strict` (AI Runway v0.6.0 and later) forbidden override keys and very large demands. As in every
 * release, an object that is being deleted is not let off.
 */
export function violations(
  object: ModelDeployment,
  old: ModelDeployment | undefined,
  options: { strict: boolean },
): string[] {
  const found: string[] = []
  const { spec } = object
  if (!old && object.metadata.name?.includes('.')) found.push('metadata.name: must not contain dots')
  if (!spec.model?.id) found.push('spec.model.id: is required')
  if (old) {
    for (const field of identity) {
      const before = field.of(old.spec)
      if (before !== undefined && before !== field.of(spec))
        found.push(`${field.path}: is immutable, delete and create anew`)
    }
  }
  if (spec.engine?.type === 'llamacpp' && spec.serving?.mode === 'disaggregated') {
    found.push('spec.serving.mode: llamacpp cannot be served disaggregated')
  }
  if (options.strict) found.push(...strictViolations(spec))
  return found
}

function strictViolations(spec: ModelDeploymentSpec): string[] {
  const found = forbiddenKeys(spec.provider?.overrides, 'spec.provider.overrides').map(
    ({ path, key }) => `${path}: overriding "${key}" is not allowed`,
  )
  if (gpuCount(spec) > largest.gpus) found.push(`spec.resources.gpu.count: must be at most ${largest.gpus}`)
  if ((spec.scaling?.replicas ?? 0) > largest.replicas) {
    found.push(`spec.scaling.replicas: must be at most ${largest.replicas}`)
  }
  return found
}

function forbiddenKeys(value: unknown, path: string): { path: string; key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(forbiddenOverrides.has(key) ? [{ path, key }] : []),
    ...forbiddenKeys(inner, `${path}.${key}`),
  ])
}
