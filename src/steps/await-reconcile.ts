/** Nudges every ModelDeployment and waits until its owners have restored it: proof that each one was really reconciled. */

import { expects, nudgeOf, providerOf, stillMissing, whyNotNudged } from '../fence/nudge.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { WaitTimeout, waitFor } from '../kubernetes/wait.ts'
import { referenceOf } from '../plan/reference.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const IN_FLIGHT = 8
/** A nudge that lands while the owner is not yet listening is answered at its next back-off step: so it is repeated. */
const REPEAT_AFTER_SECONDS = 10
const LISTED = 20
/** Times that an object is read again because somebody wrote it between our read and our nudge. */
const ATTEMPTS = 20

interface Proving {
  pausedAnnotation: string
  /** providers that nobody answers for */
  unattended: ReadonlySet<string>
  /** by performance.now() */
  deadline: number
}

type Verdict = 'reconciled' | 'paused' | 'terminating' | 'gone'

export const awaitReconcile: StepHandler<'await-reconcile'> = async (step, context) => {
  const started = performance.now()
  const deadline = started + step.timeoutSeconds * 1000
  const counts: Record<Verdict, number> = { reconciled: 0, paused: 0, terminating: 0, gone: 0 }
  const missing: string[] = []
  const { pausedAnnotation, unattended = [] } = step.workloads
  const proving: Proving = { pausedAnnotation, unattended: new Set(unattended), deadline }
  const slowest = { name: '', seconds: 0 }
  const prove = async (workload: AnyObject): Promise<void> => {
    const begun = performance.now()
    try {
      counts[await proveOne(workload, proving, context)]++
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error
      missing.push(`${workload.metadata.namespace}/${workload.metadata.name} (${error.seen})`)
    }
    const seconds = Math.round((performance.now() - begun) / 100) / 10
    if (seconds > slowest.seconds)
      Object.assign(slowest, { name: `${workload.metadata.namespace}/${workload.metadata.name}`, seconds })
    context.report(`${counts.reconciled} reconciled`)
  }
  const { apiVersion, kind } = step.workloads
  await forEachWorkload(context, { apiVersion, kind }, async (workload) => {
    if (step.provider === undefined || providerOf(workload) === step.provider) await prove(workload)
  })
  if (missing.length > 0)
    throw new StepFailed(
      `${missing.length} of ${step.workloads.kind} objects were not reconciled within ${step.timeoutSeconds} s: ${missing.slice(0, LISTED).join(', ')}.`,
    )
  return { ...counts, slowest, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

/** Goes through a collection page by page with a few objects in flight, so that memory does not grow with the cluster. */
const forEachWorkload = async (
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
  collection: { apiVersion: string; kind: string },
  work: (workload: AnyObject) => Promise<void>,
): Promise<void> => {
  for await (const page of client.pages(collection, { signal })) {
    const queue = [...page.items]
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
    }
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, queue.length) }, worker))
  }
}

const isAttended = (workload: AnyObject, { unattended }: Proving): boolean =>
  !unattended.has(providerOf(workload) ?? '')

const proveOne = async (
  workload: AnyObject,
  proving: Proving,
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
): Promise<Verdict> => {
  const { pausedAnnotation, deadline } = proving
  const skipped = whyNotNudged(workload, pausedAnnotation)
  if (skipped !== undefined) return skipped
  const awaited = expects(workload, isAttended(workload, proving))
  const reference = referenceOf(workload)
  for (;;) {
    const unreachable = await nudge(client, workload, proving, signal)
    if (unreachable !== undefined) return unreachable
    const left = (deadline - performance.now()) / 1000
    try {
      return await waitFor<Verdict>(
        async () => {
          const live = await client.find(reference, signal)
          if (live === undefined || live.metadata.uid !== workload.metadata.uid) return { done: true, value: 'gone' }
          const changed = whyNotNudged(live, pausedAnnotation)
          if (changed !== undefined) return { done: true, value: changed }
          const lacks = stillMissing(live, awaited)
          return lacks === undefined
            ? { done: true, value: 'reconciled' }
            : { done: false, seen: `the ${lacks} has not answered` }
        },
        {
          what: 'A reconcile',
          timeoutSeconds: Math.max(1, Math.min(REPEAT_AFTER_SECONDS, left)),
          intervalMs: 100,
          signal,
        },
      )
    } catch (error) {
      if (!(error instanceof WaitTimeout) || performance.now() > deadline) throw error
    }
  }
}

/** Nudges the object on the version that it has now; says why where nobody would restore it. */
const nudge = async (
  client: KubernetesClient,
  workload: AnyObject,
  proving: Proving,
  signal: AbortSignal,
): Promise<Exclude<Verdict, 'reconciled'> | undefined> => {
  const reference = referenceOf(workload)
  for (let attempt = 1; ; attempt++) {
    const live = attempt === 1 ? workload : await client.find(reference, signal)
    if (live === undefined || live.metadata.uid !== workload.metadata.uid) return 'gone'
    const skipped = whyNotNudged(live, proving.pausedAnnotation)
    if (skipped !== undefined) return skipped
    try {
      // What is awaited was read before the first nudge; of what is there now only the version counts.
      const body = nudgeOf({ ...workload, metadata: live.metadata }, isAttended(workload, proving))
      await client.patch(reference, body, { type: 'merge', subresource: 'status', signal })
      return undefined
    } catch (error) {
      if (isNotFound(error)) return 'gone'
      // Its controllers write it all the time.
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}
