/** The nodes that a process kubelet stands for. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict } from '../kubernetes/errors.ts'
import type { AnyObject, Node } from '../kubernetes/objects.ts'
import { goPlatform } from './servers.ts'

export interface PlaygroundNode {
  name: string
  /** `v1.36.3` */
  kubeletVersion: string
  /** whether it has GPUs; true unless said otherwise */
  gpu?: boolean
}

/** The object as the kubelet creates it. Pure. */
export function nodeObject(node: PlaygroundNode): Node {
  const [os = '', cpu = ''] = goPlatform().split('-')
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': os,
        'kubernetes.io/arch': cpu,
        ...(node.gpu === false ? {} : { 'nvidia.com/gpu.present': 'true' }),
      },
    },
    spec: {},
  }
}

/** Its status. Capacity is large: amounts are what a playground does not simulate. Pure. */
export function nodeStatus(node: PlaygroundNode, now: string, readySince: string): Record<string, unknown> {
  const [os = '', cpu = ''] = goPlatform().split('-')
  const capacity = {
    cpu: '64',
    memory: '512Gi',
    pods: '2000',
    'ephemeral-storage': '1Ti',
    ...(node.gpu === false ? {} : { 'nvidia.com/gpu': '8' }),
  }
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    message: '',
    lastHeartbeatTime: now,
    lastTransitionTime: readySince,
  })
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: node.name },
    ],
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
      condition('Ready', 'True', 'KubeletReady'),
    ],
    nodeInfo: {
      architecture: cpu,
      bootID: '',
      containerRuntimeVersion: 'process://1',
      kernelVersion: '',
      kubeProxyVersion: '',
      kubeletVersion: node.kubeletVersion,
      machineID: node.name,
      operatingSystem: os,
      osImage: 'playground',
      systemUUID: node.name,
    },
  }
}

const second = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`

/**
 * Registers a node, or renews its heartbeat: status and lease, as the node lifecycle controller wants to see within 40 s.
 * @throws ApiError, ConnectionError
 */
export async function heartbeat(node: PlaygroundNode, client: KubernetesClient, readySince: Date): Promise<void> {
  const now = new Date()
  const ref = { apiVersion: 'v1', kind: 'Node', name: node.name }
  if (!(await client.find(ref))) {
    await client.create(nodeObject(node)).catch((error: unknown) => {
      if (!isConflict(error)) throw error
    })
  }
  const status = nodeStatus(node, second(now), second(readySince))
  await client.patch(ref, { status }, { type: 'merge', subresource: 'status' })
  await renewLease(node.name, client, now)
}

async function renewLease(name: string, client: KubernetesClient, now: Date): Promise<void> {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease', name }
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now.toISOString().replace('Z', '000Z') }
  if (await client.find(ref)) await client.patch(ref, { spec }, { type: 'merge' })
  else {
    const { apiVersion, kind, ...metadata } = ref
    await client.create<AnyObject>({ apiVersion, kind, metadata, spec })
  }
}
