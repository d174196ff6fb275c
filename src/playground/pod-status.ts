/** The status that a kubelet reports for a pod. Pure. */
import { createHash } from 'node:crypto'
import type { Condition, Pod } from '../kubernetes/objects.ts'

export interface Termination {
  exitCode: number
  signal?: number
  reason: 'Completed' | 'Error'
  startedAt: string
  finishedAt: string
}

export interface ContainerState {
  name: string
  image: string
  ready: boolean
  restarts: number
  /** when the present run began; undefined while it does not run */
  runningSince?: string
  /** set while it waits */
  waiting?: { reason: string; message?: string }
  /** how the present state ended, once it runs no more */
  terminated?: Termination
  /** how the run before ended */
  last?: Termination
}

/**
 * An image by digest, as a container runtime reports it. There is no registry to ask, so the digest is the hash of the
 * image's name: equal images have equal IDs, and other images others. An image that names its digest keeps it.
 */
export function imageId(image: string): string {
  const digest = image.indexOf('@')
  const slash = image.lastIndexOf('/')
  const colon = image.lastIndexOf(':', digest < 0 ? undefined : digest - 1)
  const repository = image.slice(0, colon > slash ? colon : digest < 0 ? undefined : digest)
  if (digest >= 0) return `${repository}${image.slice(digest)}`
  return `${repository}@sha256:${createHash('sha256').update(image).digest('hex')}`
}

function containerStatus(state: ContainerState): Record<string, unknown> {
  const now = state.terminated
    ? { terminated: state.terminated }
    : state.runningSince
      ? { running: { startedAt: state.runningSince } }
      : { waiting: state.waiting ?? { reason: 'ContainerCreating' } }
  const created = state.runningSince !== undefined || state.terminated !== undefined || state.last !== undefined
  return {
    name: state.name,
    image: state.image,
    imageID: created ? imageId(state.image) : '',
    ready: state.ready,
    started: state.runningSince !== undefined,
    restartCount: state.restarts,
    state: now,
    lastState: state.last ? { terminated: state.last } : {},
  }
}

/** The phase of a pod from its containers and restart policy (pod lifecycle, Kubernetes documentation). */
export function phaseOf(pod: Pod, containers: ContainerState[]): string {
  const created = (state: ContainerState) => state.runningSince ?? state.terminated ?? state.last
  if (!containers.every(created)) return 'Pending'
  if (!containers.every(({ terminated }) => terminated)) return 'Running'
  if (containers.some(({ terminated }) => terminated?.exitCode !== 0)) return 'Failed'
  return pod.spec['restartPolicy'] === 'Always' ? 'Running' : 'Succeeded'
}

function condition(type: string, holds: boolean, before: Condition[], now: string, reason?: string): Condition {
  const status = holds ? 'True' : 'False'
  const old = before.find((one) => one.type === type)
  const since = old?.status === status ? old.lastTransitionTime : undefined
  return { type, status, lastTransitionTime: since ?? now, ...(reason && !holds ? { reason } : {}) }
}

/**
 * The whole status of a pod, as a body for a merge patch of its status.
 * @param pod as last seen: transition times of conditions that did not change are kept
 */
export function podStatus(
  pod: Pod,
  containers: ContainerState[],
  place: { podIP: string; startTime: string; now: string },
): Record<string, unknown> {
  const phase = phaseOf(pod, containers)
  const ready = phase === 'Running' && containers.every((state) => state.ready)
  const before = pod.status?.conditions ?? []
  const over = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady'
  return {
    phase,
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIP: place.podIP,
    podIPs: [{ ip: place.podIP }],
    startTime: place.startTime,
    conditions: [
      condition('PodReadyToStartContainers', true, before, place.now),
      condition('Initialized', true, before, place.now),
      condition('Ready', ready, before, place.now, over),
      condition('ContainersReady', ready, before, place.now, over),
      condition('PodScheduled', true, before, place.now),
    ],
    containerStatuses: containers.map(containerStatus),
  }
}
