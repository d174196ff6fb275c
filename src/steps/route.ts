/**
 * Points a Service at other pods, as a whole, and waits until its endpoints are just those. Then it waits a moment more: what
 * turns endpoints into rules on nodes (kube-proxy) does so within a second or so, and pods that are stopped right after must
 * not be called any more; and a tool that keeps the Service as its own files say (GitOps) shows itself.
 */
import type { AnyObject, Pod } from '../kubernetes/objects.ts'
import { type Look, waitFor } from '../kubernetes/wait.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { applyOne } from './apply.ts'
import { belongsToRelease } from './conflicts.ts'
import { ownerOf } from './field-owner.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FIELD_MANAGER = 'kubectl-airunway'
const SETTLED_MS = 1000

type Labels = Record<string, string>

interface EndpointSlice extends AnyObject {
  endpoints?: { targetRef?: { kind?: string; name?: string }; conditions?: { ready?: boolean } }[] | null
}

export const route: StepHandler<'route'> = async (step, context) => {
  const started = performance.now()
  const applied = await applyOne(
    context,
    step.service,
    'keep',
    (field) => belongsToRelease(field) || field.startsWith('.spec.selector'),
  )
  // What was so before has settled long ago.
  const settledMs = applied.outcome === 'unchanged' ? 0 : SETTLED_MS
  let since: number | undefined
  const pods = await waitFor(
    async () => {
      const look = await routedTo(step, context)
      if (!look.done) {
        since = undefined
        return look
      }
      since ??= performance.now()
      return performance.now() - since >= settledMs ? look : { done: false, seen: 'waiting for the nodes to follow' }
    },
    {
      what: `Sending the requests of ${step.service.metadata.name} to other pods`,
      timeoutSeconds: step.timeoutSeconds,
      signal: context.signal,
      onChange: context.report,
    },
  )
  return {
    service: applied.outcome,
    pods,
    ...(applied.taken.length > 0 && { taken: applied.taken.map(({ field, manager }) => `${field} (${manager})`) }),
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }
}

/** The pods that the Service sends requests to, once these are just the ones it selects. Throws where it selects others again. */
const routedTo = async (step: StepOf<'route'>, { client, signal }: StepContext): Promise<Look<string[]>> => {
  const { name, namespace } = step.service.metadata
  const live = await client.get(referenceOf(step.service), signal)
  const selector = selectorOf(step.service)
  if (!isSame(selectorOf(live), selector))
    throw new StepFailed(
      `The selector of the Service ${name} was changed back by ${ownerOf(live, ['spec', 'selector'], FIELD_MANAGER)}. Stop it from doing so for the time of the run, then resume or go back.`,
    )
  const within = namespace === undefined ? {} : { namespace }
  const slices = await client.list<EndpointSlice>(
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      ...within,
      labelSelector: `kubernetes.io/service-name=${name}`,
    },
    { signal },
  )
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const pods = await client.list<Pod>({ apiVersion: 'v1', kind: 'Pod', ...within, labelSelector }, { signal })
  return judge(
    slices.flatMap(({ endpoints }) => endpoints ?? []),
    new Set(pods.map(({ metadata }) => metadata.name)),
  )
}

/** Endpoints that are not ready get no requests; those of other pods must be gone, or not ready. */
const judge = (endpoints: NonNullable<EndpointSlice['endpoints']>, selected: Set<string>): Look<string[]> => {
  const called = endpoints.flatMap(({ targetRef, conditions }) =>
    conditions?.ready === false ? [] : [targetRef?.name ?? ''],
  )
  const other = called.find((pod) => !selected.has(pod))
  if (other !== undefined) return { done: false, seen: `${other} still gets requests` }
  return called.length > 0 ? { done: true, value: called } : { done: false, seen: 'no pod gets requests yet' }
}

const selectorOf = (service: AnyObject): Labels =>
  ((service['spec'] ?? {}) as { selector?: Labels | null }).selector ?? {}

const isSame = (one: Labels, other: Labels): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([key, value]) => other[key] === value)
