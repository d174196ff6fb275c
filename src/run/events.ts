/**
 * Tells the cluster what a run does: Kubernetes Events on the controller's Deployment, or on a definition, for whoever looks there with
 * `kubectl describe` or `kubectl events`. Best effort: an Event that cannot be written changes nothing about the run.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { RunSummary } from '../journal/journal.types.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import type { RequiredAccess } from '../plan/access.ts'
import type { AwaitLeaseStep, Plan } from '../plan/plan.types.ts'

/** What happened to a run. */
export type RunPhase = 'Started' | 'Resumed' | 'HandedOver' | 'Finished' | 'Failed' | 'Interrupted'

const GROUP_VERSION = 'events.k8s.io/v1'
/** A run is never held up longer than this for telling about it. */
const PATIENCE_MS = 2000
/** The API server refuses notes of 1 kB and more, and reporting instances of more than 128 characters. */
const NOTE_BYTES = 1000
const INSTANCE_LENGTH = 128

/**
 * The controller's Deployment: the first of what has to run at the end, never a standby. Of a migration its first definition.
 * Undefined where a plan is about none.
 */
const subjectOf = ({ steps }: Plan): ObjectReference | undefined =>
  steps.flatMap((step): ObjectReference[] => {
    if (step.kind === 'compare-baseline') return step.images.map(({ deployment }) => deployment)
    if (step.kind !== 'migrate') return []
    return [{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: step.definition }]
  })[0]

/** Events about what lies in no namespace lie in this one: the API server takes no others. */
const CLUSTER_SCOPED = 'default'

/** The right to write these Events. Pure. */
export const eventAccess = (plan: Plan): RequiredAccess[] => {
  const subject = subjectOf(plan)
  if (subject === undefined) return []
  return [
    { apiVersion: GROUP_VERSION, kind: 'Event', namespace: subject.namespace ?? CLUSTER_SCOPED, verbs: ['create'] },
  ]
}

const TITLES = { upgrade: 'Upgrade', rollback: 'Rollback', abort: 'Abort', migration: 'Migration' } as const

const shortened = (text: string): string => {
  const bytes = Buffer.from(text)
  return bytes.length <= NOTE_BYTES
    ? text
    : `${bytes
        .subarray(0, NOTE_BYTES)
        .toString('utf8')
        .replace(/\uFFFD$/, '')}...`
}

/** One Event as the API server takes it. `suffix` makes its name unique. Pure. */
export const eventOf = (
  run: RunSummary,
  regarding: ObjectReference & { uid?: string },
  told: { phase: RunPhase; note?: string; at: Date; suffix: string; instance: string },
): AnyObject => ({
  apiVersion: GROUP_VERSION,
  kind: 'Event',
  metadata: {
    name: `${regarding.name.slice(0, 200)}.run-${run.number}.${told.suffix}`,
    namespace: regarding.namespace ?? CLUSTER_SCOPED,
  },
  // MicroTime: six digits.
  eventTime: told.at.toISOString().replace('Z', '000Z'),
  reportingController: 'kubectl-airunway',
  reportingInstance: told.instance.slice(0, INSTANCE_LENGTH),
  action: TITLES[run.kind],
  reason: `${TITLES[run.kind]}${told.phase}`,
  type: told.phase === 'Failed' || told.phase === 'Interrupted' ? 'Warning' : 'Normal',
  regarding,
  note: shortened(
    `Run ${run.number} (${run.kind} ${run.product} ${run.from} to ${run.to}${run.undoes === undefined ? '' : `, undoes run ${run.undoes}`}) ${PHRASES[told.phase]}${told.note === undefined ? '' : `: ${told.note}`}`,
  ),
})

const PHRASES: Readonly<Record<RunPhase, string>> = {
  Started: 'has started',
  Resumed: 'goes on',
  HandedOver: 'has handed over',
  Finished: 'has finished',
  Failed: 'has failed',
  Interrupted: 'was interrupted',
}

/** Tells of one phase; never throws, and never waits long. */
export type TellPhase = (phase: RunPhase, note?: string) => Promise<void>

/** What a hand-over is about. Pure. */
export const handedOver = ({ leases }: AwaitLeaseStep): string =>
  leases.map(({ lease, deployment }) => `the Lease ${lease.name} to ${deployment.name}`).join(', ')

/** The teller for one run. */
export const runTeller = (
  plan: Plan,
  { client, summary, now }: { client: KubernetesClient; summary: () => RunSummary; now(): Date },
): TellPhase => {
  const subject = subjectOf(plan)
  let uid: Promise<string | undefined> | undefined
  return async (phase, note) => {
    if (subject === undefined) return
    const signal = AbortSignal.timeout(PATIENCE_MS)
    try {
      uid ??= client.find(subject, signal).then((live) => live?.metadata.uid)
      const known = await uid
      const regarding = { ...subject, ...(known === undefined ? {} : { uid: known }) }
      const told = {
        phase,
        at: now(),
        suffix: randomBytes(5).toString('hex'),
        instance: `${hostname()}/${process.pid}`,
      }
      await client.create(eventOf(summary(), regarding, { ...told, ...(note !== undefined && { note }) }), { signal })
    } catch {
      // Whoever may not write Events, or has lost the lock or the server, still gets the result and the records.
    }
  }
}
