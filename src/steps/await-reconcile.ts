/** Nudges every ModelDeployment and waits until its owners have restored it: proof that each one was really reconciled. */

import { expects, nudgeOf, providerOf, stillMissing, whyNotNudged } from '../fence/nudge.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import { WaitTimeout, waitFor } from '../kubernetes/wait.ts'
import { referenceOf } from '../plan/reference.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const IN_FLIGHT = 8
/** A nudge that lands while the owner is not yet listening is answered at its next back-off step: so it is repeated. */
const REPEAT_AFTER_SECONDS = 10
const LISTED = 20

type Verdict = 'reconciled' | 'paused' | 'terminating' | 'gone'

export const awaitReconcile: StepHandler<'await-reconcile'> = async (step, context) => {
  const started = performance.now()
  const deadline = started + step.timeoutSeconds * 1000
  const counts: Record<Verdict, number> = { reconciled: 0, paused: 0, terminating: 0, gone: 0 }
  const missing: string[] = []
  const slowest = { name: '', seconds: 0 }
  const prove = async (workload: AnyObject): Promise<void> => {
    const begun = performance.now()
    try {
      counts[await proveOne(workload, step.workloads.pausedAnnotation, deadline, context)]++
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

const proveOne = async (
  workload: AnyObject,
  pausedAnnotation: string,
  deadline: number,
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
): Promise<Verdict> => {
  const skipped = whyNotNudged(workload, pausedAnnotation)
  if (skipped !== undefined) return skipped
  const awaited = expects(workload)
  const reference = referenceOf(workload)
  for (;;) {
    if (!(await nudge(client, reference, workload, signal))) return 'gone'
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

/** False where the object is gone, or is another one of the same name. */
const nudge = async (
  client: KubernetesClient,
  reference: ObjectReference,
  workload: AnyObject,
  signal: AbortSignal,
): Promise<boolean> => {
  try {
    await client.patch(reference, nudgeOf(workload), { type: 'merge', subresource: 'status', signal })
    return true
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false
    throw error
  }
}
