/** The parts of pods and nodes that the process kubelet reads, with the decisions about them. Pure. */
import type { Container, Node, Pod } from '../kubernetes/objects.ts'

export interface Probe {
  httpGet?: { path?: string; port: number | string; scheme?: string }
  tcpSocket?: { port: number | string }
  initialDelaySeconds?: number
  periodSeconds?: number
  timeoutSeconds?: number
  failureThreshold?: number
}

export interface Volume {
  name: string
  emptyDir?: unknown
  secret?: { secretName: string; optional?: boolean }
  configMap?: { name: string; optional?: boolean }
}

export interface VolumeMount {
  name: string
  mountPath: string
  subPath?: string
}

export const probesOf = (container: Container): { readiness?: Probe; liveness?: Probe } => {
  const readiness = container['readinessProbe'] as Probe | undefined
  const liveness = container['livenessProbe'] as Probe | undefined
  return { ...(readiness && { readiness }), ...(liveness && { liveness }) }
}

export const volumesOf = (pod: Pod): Volume[] => (pod.spec['volumes'] as Volume[] | undefined) ?? []
export const mountsOf = (container: Container): VolumeMount[] =>
  (container['volumeMounts'] as VolumeMount[] | undefined) ?? []

/** A probe's port as a number; a name is looked up in the container's ports, as the kubelet does. */
export function portNumber(port: number | string, container: Container): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)?.containerPort
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined)
}

// Webhooks, health probes and metrics of controllers that name no such port in their pod.
const usualPorts = [9443, 8081, 8443]

/** Every port of a pod that something may listen on. */
export function portsOf(pod: Pod): number[] {
  const ports = new Set(usualPorts)
  for (const container of pod.spec.containers) {
    for (const { containerPort } of container.ports ?? []) ports.add(containerPort)
    for (const probe of Object.values(probesOf(container))) {
      const port = probe.httpGet?.port ?? probe.tcpSocket?.port
      const number = port === undefined ? undefined : portNumber(port, container)
      if (number !== undefined) ports.add(number)
    }
  }
  return [...ports]
}

/**
 * How long to wait before the restart after a container ended for the nth time (counted from 1): at once, then 10 s, 20 s,
 * 40 s, at most 300 s, as the kubelet's crash loop back-off.
 */
export function restartDelayMs(ended: number): number {
  return ended <= 1 ? 0 : Math.min(300, 10 * 2 ** (ended - 2)) * 1000
}

/** The kubelet forgets a container's back-off once it has run for ten minutes. */
export const backOffForgottenAfterMs = 600_000

/** Seconds that a terminating pod has: what the deletion asked for, else what its spec says. */
export function gracePeriodSeconds(pod: Pod): number {
  const asked = (pod.metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds
  return asked ?? pod.spec.terminationGracePeriodSeconds ?? 30
}

export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined
export const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Whether a scheduler would look at this pod at all. */
export const wantsNode = (pod: Pod): boolean =>
  !pod.spec.nodeName &&
  !isTerminating(pod) &&
  !isOver(pod) &&
  !(pod.spec['schedulingGates'] as unknown[] | undefined)?.length

/** The node that a DaemonSet's pod is made for: the only value of the required node affinity on `metadata.name`. */
function requiredNode(pod: Pod): string | undefined {
  interface Terms {
    nodeSelectorTerms?: { matchFields?: { key: string; values?: string[] }[] }[]
  }
  const affinity = pod.spec['affinity'] as
    | { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: Terms } }
    | undefined
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.flatMap((term) => term.matchFields ?? []).find(({ key }) => key === 'metadata.name')?.values?.[0]
}

const gpu = 'nvidia.com/gpu'

function wantsGpu(pod: Pod): boolean {
  return pod.spec.containers.some((container) => {
    const resources = container['resources'] as { limits?: Record<string, unknown> } | undefined
    return resources?.limits?.[gpu] !== undefined
  })
}

/**
 * The node that a pod goes to: one that its node selector, its node affinity by name and its wish for a GPU allow, and of
 * these the one with the fewest pods. Amounts are not counted: a playground's nodes are never full.
 * @param podsOn how many pods each node has
 */
export function chooseNode(pod: Pod, nodes: Node[], podsOn: ReadonlyMap<string, number>): string | undefined {
  const selector = Object.entries((pod.spec['nodeSelector'] as Record<string, string> | undefined) ?? {})
  const required = requiredNode(pod)
  const fitting = nodes.filter(
    (node) =>
      node.spec?.['unschedulable'] !== true &&
      selector.every(([key, value]) => node.metadata.labels?.[key] === value) &&
      (required === undefined || node.metadata.name === required) &&
      (!wantsGpu(pod) || node.status?.capacity?.[gpu] !== undefined),
  )
  const count = (node: Node) => podsOn.get(node.metadata.name) ?? 0
  return fitting.toSorted((a, b) => count(a) - count(b))[0]?.metadata.name
}
