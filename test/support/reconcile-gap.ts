/**
 * How long nobody reconciles while components change hands. ModelDeployments are nudged again and again: their controller has
 * to restore observedGeneration, their shim resourceKind. The audit log then tells how long each nudge waited for its
 * component's write, and which pod wrote: tokens that are bound to a pod carry its name into the audit event.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { stillMissing } from '../../src/fence/nudge.ts'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject, ObjectReference } from '../../src/kubernetes/objects.ts'
import type { AuditEvent } from './control-plane.ts'

const MANAGER = 'reconcile-gap'
const POD_NAME = 'authentication.kubernetes.io/pod-name'
const EVERY_MS = 100

/** Nudges of one kind of object; an error of the server is as good as a nudge that was not sent. */
export interface Nudging {
  stop(): Promise<void>
}

/**
 * Nudges each object every 100 ms, but lets it be for that long once its owners have restored it: who waits for a whole
 * object, as the steps of a run do, gets to see one.
 */
export const startNudging = (client: KubernetesClient, objects: readonly ObjectReference[]): Nudging => {
  const over = new AbortController()
  const nudging = objects.map(async (object) => {
    while (!over.signal.aborted) {
      await nudgeWhole(client, object).catch(() => undefined)
      await delay(EVERY_MS)
    }
  })
  return {
    stop: async () => {
      over.abort()
      await Promise.all(nudging)
    },
  }
}

/** A nudge as the steps send it, but on whatever version the object has: this one is no matter of safety. */
const nudgeWhole = async (client: KubernetesClient, object: ObjectReference): Promise<void> => {
  const live = await client.get(object)
  if (stillMissing(live, { generation: live.metadata.generation ?? 1, resourceKind: 'any' }) !== undefined) return
  await delay(EVERY_MS)
  await client.patch<AnyObject>(
    object,
    { status: { observedGeneration: 0, provider: { resourceKind: null } } },
    { type: 'merge', subresource: 'status', fieldManager: MANAGER },
  )
}

/** One time that a pod wrote on behalf of a component: from its first to its last write, in milliseconds of the epoch. */
export interface Tenure {
  pod: string
  first: number
  last: number
  writes: number
}

export interface ComponentGap {
  /** from a nudge to the component's next write of the same object */
  longestMs: number
  /** the object it was, and the pod that ended it; none where nothing ended it */
  object: string
  endedBy: string | undefined
  /** in the order of their first writes */
  tenures: Tenure[]
}

/**
 * The longest gap of the component that writes as `username`, and who wrote when.
 * @param objects `namespace/name` of what was nudged and belongs to the component
 */
export const reconcileGap = (
  events: readonly AuditEvent[],
  username: string,
  objects: readonly string[],
): ComponentGap => {
  const gap: ComponentGap = { longestMs: 0, object: '', endedBy: undefined, tenures: [] }
  const waiting = new Map<string, number>()
  const longer = (object: string, milliseconds: number, endedBy: string | undefined): void => {
    if (milliseconds > gap.longestMs) Object.assign(gap, { longestMs: milliseconds, object, endedBy })
  }
  const writes = events
    .filter(isStatusWrite)
    .map((event) => ({ event, at: Date.parse(event.stageTimestamp), object: objectOf(event) }))
    .toSorted((a, b) => a.at - b.at)
  for (const { event, at, object } of writes) {
    if (event.user.username === username) {
      noteTenure(gap.tenures, podOf(event), at)
      const since = waiting.get(object)
      if (since !== undefined) longer(object, at - since, podOf(event))
      waiting.delete(object)
    } else if (isNudge(event) && objects.includes(object) && !waiting.has(object)) waiting.set(object, at)
  }
  const end = writes.findLast(({ event }) => isNudge(event))?.at ?? 0
  for (const [object, since] of waiting) longer(object, end - since, undefined)
  return gap
}

/** Whether each pod's writes were over before the next one's began. */
export const oneAtATime = ({ tenures }: ComponentGap): boolean =>
  tenures.every(({ last }, index) => last <= (tenures[index + 1]?.first ?? Number.POSITIVE_INFINITY))

const isStatusWrite = ({ objectRef, responseStatus, verb }: AuditEvent): boolean =>
  objectRef?.resource === 'modeldeployments' &&
  objectRef.subresource === 'status' &&
  ['patch', 'update'].includes(verb) &&
  (responseStatus?.code ?? 500) < 300

const isNudge = ({ requestURI }: AuditEvent): boolean => requestURI.includes(`fieldManager=${MANAGER}`)

const objectOf = ({ objectRef }: AuditEvent): string => `${objectRef?.namespace}/${objectRef?.name}`

const podOf = ({ user }: AuditEvent): string => user.extra?.[POD_NAME]?.[0] ?? 'unknown'

const noteTenure = (tenures: Tenure[], pod: string, at: number): void => {
  const known = tenures.find((tenure) => tenure.pod === pod)
  if (known === undefined) tenures.push({ pod, first: at, last: at, writes: 1 })
  else Object.assign(known, { last: at, writes: known.writes + 1 })
}
