/** What the shims render for a ModelDeployment, and when that is up. Pure; differences between versions are real ones. */
import { gte } from 'semver'
import type { AnyObject, OwnerReference } from '../../kubernetes/objects.ts'
import { gpuCount, type ModelDeployment } from './model-deployment.ts'

/** Finds out whether a rendered object is up, from the status its operator writes. */
export interface ProviderProgress {
  ready: boolean
  message: string
}

type Fields = Record<string, unknown>

export interface RenderInput {
  object: ModelDeployment
  /** version of the shim, without `v` */
  version: string
  group: string
  resource: { apiVersion: string; kind: string }
}

const maxLengthOf = ({ spec }: ModelDeployment): number | undefined =>
  spec.engine?.contextLength ?? spec.engine?.maxModelLength

function engineArguments(object: ModelDeployment): string[] {
  const length = maxLengthOf(object)
  return [`--model=${object.spec.model?.id ?? ''}`, ...(length === undefined ? [] : [`--max-model-len=${length}`])]
}

const imageOf = ({ spec }: ModelDeployment): string | undefined => spec.image ?? spec.engine?.image

const replicasOf = ({ spec }: ModelDeployment): number => spec.scaling?.replicas ?? 1

function gpuLimits(object: ModelDeployment): Fields {
  const gpus = gpuCount(object.spec)
  return gpus > 0 ? { resources: { limits: { 'nvidia.com/gpu': String(gpus) } } } : {}
}

function workspace({ object, version, group }: RenderInput): Fields {
  const gpu = gpuCount(object.spec) > 0
  const present = gpu && group === 'airunway.ai' && gte(version, '0.6.0')
  const container = {
    name: 'model',
    image: imageOf(object) ?? 'docker.io/vllm/vllm-openai:v0.9.1',
    args: engineArguments(object),
    ...gpuLimits(object),
  }
  const matchLabels = { 'kubernetes.io/os': 'linux', ...(present ? { 'nvidia.com/gpu.present': 'true' } : {}) }
  return {
    resource: { count: replicasOf(object), labelSelector: { matchLabels } },
    inference: { template: { spec: { containers: [container] } } },
  }
}

/** Where it changes, every pod of the shim's ModelDeployments is replaced. */
function rayImage(group: string, version: string): string {
  if (group === 'kubeairunway.ai') return `rayproject/ray-ml:${gte(version, '0.5.0') ? '2.46.0' : '2.44.0'}`
  return gte(version, '0.6.0') ? 'rayproject/ray-llm:2.55.0-py311-cu128' : 'rayproject/ray-ml:2.44.0'
}

function rayService({ object, version, group }: RenderInput): Fields {
  const image = imageOf(object) ?? rayImage(group, version)
  const pod = (name: string): Fields => ({ spec: { containers: [{ name, image, ...gpuLimits(object) }] } })
  return {
    spec: {
      serveConfigV2: `applications:\n- name: ${object.metadata.name}\n  args: ${JSON.stringify(engineArguments(object))}\n`,
      rayClusterConfig: {
        headGroupSpec: { rayStartParams: {}, template: pod('ray-head') },
        workerGroupSpecs: [{ groupName: 'workers', replicas: replicasOf(object), template: pod('ray-worker') }],
      },
    },
  }
}

function dynamoGraph({ object, version, group }: RenderInput): Fields {
  const runtime = group !== 'airunway.ai' || gte(version, '0.6.0') ? '1.1.1' : gte(version, '0.5.0') ? '1.0.1' : '0.7.1'
  const image = imageOf(object) ?? `nvcr.io/nvidia/ai-dynamo/vllm-runtime:${runtime}`
  const service = (replicas: number, args: string[]): Fields => ({
    replicas,
    extraPodSpec: { mainContainer: { image, args } },
  })
  return {
    spec: {
      services: { Frontend: service(1, []), VllmWorker: service(replicasOf(object), engineArguments(object)) },
    },
  }
}

function deployment({ object, version, group }: RenderInput): Fields {
  const caching = group === 'airunway.ai' && gte(version, '0.7.0')
  const labels = { [`${group}/deployment`]: object.metadata.name }
  const container = {
    name: 'vllm',
    image: imageOf(object) ?? 'docker.io/vllm/vllm-openai:v0.9.1',
    args: [...engineArguments(object), ...(caching ? ['--enable-prefix-caching'] : [])],
    ...gpuLimits(object),
  }
  return {
    spec: {
      replicas: replicasOf(object),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

const renderers: Record<string, (input: RenderInput) => Fields> = {
  Workspace: workspace,
  RayService: rayService,
  DynamoGraphDeployment: dynamoGraph,
  Deployment: deployment,
}

/**
 * The provider's object for a ModelDeployment: named like it, owned by it, with `spec.provider.overrides` merged in.
 * Throws an Error for a kind no shim writes.
 */
export function renderProviderObject(input: RenderInput): AnyObject {
  const { object, group, resource } = input
  const render = renderers[resource.kind]
  if (!render) throw new Error(`nothing renders a ${resource.kind}`)
  const rendered = render(input)
  const overrides = object.spec.provider?.overrides
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name: object.metadata.name,
      ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
      labels: { [`${group}/managed-by`]: 'airunway', [`${group}/model-deployment`]: object.metadata.name },
      ownerReferences: [ownerReference(object)],
    },
    ...(overrides ? merged(rendered, resource.kind === 'Workspace' ? overrides : { spec: overrides }) : rendered),
  }
}

/** The Service beside a Deployment that a shim renders itself. */
export function modelService(rendered: AnyObject): AnyObject {
  const { selector } = rendered['spec'] as { selector: { matchLabels: Record<string, string> } }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: rendered.metadata,
    spec: { selector: selector.matchLabels, ports: [{ name: 'http', port: 8000, targetPort: 8000 }] },
  }
}

const ownerReference = (object: ModelDeployment): OwnerReference => ({
  apiVersion: object.apiVersion,
  kind: 'ModelDeployment',
  name: object.metadata.name,
  uid: object.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

function merged(base: Fields, over: Fields): Fields {
  const result = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = result[key]
    result[key] = isFields(below) && isFields(value) ? merged(below, value) : value
  }
  return result
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Does `actual` hold everything that `wanted` says? Fields that others added or the API server defaulted do not count. */
export function holds(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((one, index) => holds(actual[index], one))
    )
  }
  if (!isFields(wanted)) return actual === wanted
  return isFields(actual) && Object.entries(wanted).every(([key, value]) => holds(actual[key], value))
}

const statusOf = (object: AnyObject): Fields => (isFields(object['status']) ? object['status'] : {})

const progressReaders: Record<string, (status: Fields, object: AnyObject) => boolean> = {
  Workspace: ({ conditions }) =>
    Array.isArray(conditions) &&
    conditions.some((one) => isFields(one) && one['type'] === 'WorkspaceSucceeded' && one['status'] === 'True'),
  RayService: ({ serviceStatus }) => serviceStatus === 'Running',
  DynamoGraphDeployment: ({ state }) => state === 'successful',
  Deployment: ({ readyReplicas }, object) => {
    const spec = isFields(object['spec']) ? object['spec'] : {}
    return Number(readyReplicas ?? 0) >= Number(spec['replicas'] ?? 1)
  },
}

/** Reads from a provider object's status whether it is up. */
export function providerProgress(object: AnyObject): ProviderProgress {
  const ready = progressReaders[object.kind]?.(statusOf(object), object) ?? false
  return { ready, message: ready ? `${object.kind} is ready` : `waiting for ${object.kind} to become ready` }
}
