/**
 * Whether pods answer their webhook paths, asked through the API server's pod proxy: before any request is routed to them,
 * and over the API server's own way to pods. Readiness proves nothing here: it is a bare ping of another port.
 */
import { randomUUID } from 'node:crypto'
import type { Pod } from '../kubernetes/objects.ts'
import { type StepContext, StepFailed } from './step.types.ts'

export interface WebhookPaths {
  /** as in a Service's targetPort: a number, or the name of a container's port */
  port: number | string
  paths: string[]
}

/** How long the API server waits for a webhook that names no timeout: an answer after that is none. */
const ANSWER_SECONDS = 10

export interface Unanswered {
  /** the pod, the path, and what came instead */
  seen: string
  /** the request was taken, and nothing came back */
  silent: boolean
}

/** The first path that a pod does not answer, with what came instead; undefined where every pod answers every path. */
export const unansweredPath = async (
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
  pods: Pod[],
  { port, paths }: WebhookPaths,
): Promise<Unanswered | undefined> => {
  for (const pod of pods) {
    const { name, namespace = 'default' } = pod.metadata
    const number = portOf(pod, port)
    if (number === undefined) throw new StepFailed(`${name} has no port ${port}, which its Service names.`)
    for (const path of paths) {
      const review = reviewFor(path)
      const url = `/api/v1/namespaces/${namespace}/pods/https:${name}:${number}/proxy${path}`
      const answer = await withinLimit(signal, async (limited) =>
        client.raw({ method: 'POST', path: url, body: review.body, signal: limited }),
      )
      if (answer === undefined) return { seen: `${name} ${path}: no answer within ${ANSWER_SECONDS} s`, silent: true }
      const { status, text } = answer
      if (status === 401 || status === 403)
        throw new StepFailed(`The webhooks of ${name} may not be asked through the API server: ${text.slice(0, 200)}`)
      if (status !== 200 || !isAnswer(text, review.uid))
        return { seen: `${name} ${path}: ${status} ${text.slice(0, 120).replaceAll(/\s+/g, ' ')}`, silent: false }
    }
  }
  return undefined
}

/** What the question gives, or undefined where it has no answer in time. */
const withinLimit = async <T>(
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> => {
  const limit = AbortSignal.timeout(ANSWER_SECONDS * 1000)
  try {
    return await ask(AbortSignal.any([signal, limit]))
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error
    return undefined
  }
}

const portOf = ({ spec }: Pod, port: number | string): number | undefined =>
  typeof port === 'number'
    ? port
    : spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port)?.containerPort

/** controller-runtime serves conversion at `/convert`, and admission at `/mutate-…` and `/validate-…`. */
const reviewFor = (path: string): { uid: string; body: unknown } => {
  const uid = randomUUID()
  return { uid, body: /^\/convert\b/.test(path) ? conversionReview(uid) : admissionReview(uid) }
}

/** No objects: that the path is served is all that is asked. */
const conversionReview = (uid: string): unknown => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'ConversionReview',
  request: { uid, desiredAPIVersion: 'v1', objects: [] },
})

/** An object without a kind is decoded as the kind that the path is for; it may be refused, which is an answer too. */
const admissionReview = (uid: string): unknown => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid,
    kind: { group: '', version: 'v1', kind: '' },
    resource: { group: '', version: 'v1', resource: '' },
    name: 'kubectl-airunway-probe',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'kubectl-airunway' },
    object: { metadata: { name: 'kubectl-airunway-probe', namespace: 'default' }, spec: {} },
    oldObject: null,
    dryRun: true,
    options: null,
  },
})

/** A review with a response to our very request, whatever it says. */
const isAnswer = (text: string, uid: string): boolean => {
  try {
    const { response } = JSON.parse(text) as { response?: { uid?: unknown; allowed?: unknown; result?: unknown } }
    return response?.uid === uid && (typeof response.allowed === 'boolean' || typeof response.result === 'object')
  } catch {
    return false
  }
}
