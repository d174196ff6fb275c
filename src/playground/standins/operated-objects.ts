/** What the operators make of their objects. Pure. */
import type { AnyObject, Deployment } from '../../kubernetes/objects.ts'
import type { OperatorName } from '../programs.ts'

interface Operated {
  /** newest first */
  apiVersions: string[]
  kind: string
  /** label of the pods, its value is the object's name */
  label: string
  image: string
}

export const operators: Record<OperatorName, Operated> = {
  kaito: {
    apiVersions: ['kaito.sh/v1beta1', 'kaito.sh/v1alpha1'],
    kind: 'Workspace',
    label: 'kaito.sh/workspace',
    image: 'docker.io/vllm/vllm-openai:v0.9.1',
  },
  kuberay: {
    apiVersions: ['ray.io/v1', 'ray.io/v1alpha1'],
    kind: 'RayService',
    label: 'ray.io/cluster',
    image: 'docker.io/rayproject/ray-ml:2.44.0',
  },
  dynamo: {
    apiVersions: ['nvidia.com/v1alpha1'],
    kind: 'DynamoGraphDeployment',
    label: 'nvidia.com/dynamo-graph-deployment-name',
    image: 'nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.1.1',
  },
}

/** The Deployment that runs an object's pods. */
export function operatedDeployment(operator: OperatorName, object: AnyObject): Deployment {
  const { label, image } = operators[operator]
  const { name, namespace, uid = '' } = object.metadata
  const { apiVersion, kind } = object
  const labels = { [label]: name }
  const args = firstStrings(object, 'args')
  // the API server drops empty lists: with one, the Deployment would look changed for ever
  const command = args.length > 0 ? { args } : {}
  const container = { name: 'model', image: firstString(object, 'image') ?? image, ...command }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      labels,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: replicasOf(object),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

function replicasOf(object: AnyObject): number {
  const counts = [find(object['resource'], 'count'), find(object['spec'], 'replicas')]
  return counts.find((count): count is number => typeof count === 'number') ?? 1
}

const firstString = (object: AnyObject, key: string): string | undefined => {
  const value = find(object['inference'] ?? object['spec'], key)
  return typeof value === 'string' ? value : undefined
}

const firstStrings = (object: AnyObject, key: string): string[] => {
  const value = find(object['inference'] ?? object['spec'], key)
  return Array.isArray(value) ? value.map(String) : []
}

/** The last value of a key anywhere below: of several pod groups the workers come last. */
function find(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  let found: unknown
  for (const [name, inner] of Object.entries(value)) found = (name === key ? inner : find(inner, key)) ?? found
  return found
}

/** The status an operator writes; the part that says ready is what its shim reads. */
export function readyStatus(
  operator: OperatorName,
  ready: boolean,
  before: unknown,
  now: Date,
): Record<string, unknown> {
  if (operator === 'kuberay') return { serviceStatus: ready ? 'Running' : 'WaitForServeDeploymentReady' }
  if (operator === 'dynamo') return { state: ready ? 'successful' : 'pending' }
  const known = (before as { conditions?: { type: string; status: string; lastTransitionTime: string }[] } | undefined)
    ?.conditions
  const lastTransitionTime = now.toISOString().replace(/\.\d+Z$/, 'Z')
  const conditions = ['ResourceReady', 'InferenceReady', 'WorkspaceSucceeded'].map((type) => {
    const status = ready ? 'True' : 'False'
    const same = known?.find((one) => one.type === type && one.status === status)
    return {
      type,
      status,
      reason: ready ? 'Succeeded' : 'Pending',
      message: ready ? 'succeeded' : 'pending',
      lastTransitionTime: same?.lastTransitionTime ?? lastTransitionTime,
    }
  })
  return { conditions }
}
