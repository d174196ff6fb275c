/**
 * Waits until the API server gets through to the webhooks: a dry-run create passes them, and each served version can be
 * read (which a broken conversion webhook prevents). Pod readiness says nothing about either: it is a bare ping.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { type Look, waitFor } from '../kubernetes/wait.ts'
import type { AwaitAdmissionStep } from '../plan/plan.types.ts'
import type { StepHandler } from './step.types.ts'

const PROBE_NAME = 'kubectl-airunway-admission-probe'
/** Objects of one page, among which the probe's model is looked for. */
const PROBED = 50

export const awaitAdmission: StepHandler<'await-admission'> = async (step, { client, signal, report }) => {
  const started = performance.now()
  const answer = await waitFor(
    async () => {
      const unreadable = await firstUnreadable(client, step, signal)
      return unreadable === undefined
        ? probe(client, await probeOf(client, step, signal), signal)
        : { done: false, seen: unreadable }
    },
    {
      what: 'An answer of the admission and conversion webhooks',
      timeoutSeconds: step.timeoutSeconds,
      signal,
      onChange: report,
    },
  )
  return { answer, readable: step.readableVersions, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

const firstUnreadable = async (
  client: KubernetesClient,
  step: AwaitAdmissionStep,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const group = step.workloads.apiVersion.split('/')[0] ?? ''
  for (const version of step.readableVersions)
    try {
      // An object stored in another version is converted on the way out, so one object is a proof.
      for await (const _page of client.pages(
        { apiVersion: `${group}/${version}`, kind: step.workloads.kind },
        { limit: 1, signal },
      ))
        break
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return `${version} cannot be read: ${error.message}`
    }
  return undefined
}

/** An object that exists already is the most likely to be valid; without one an empty spec still reaches the webhooks. */
const probeOf = async (client: KubernetesClient, step: AwaitAdmissionStep, signal: AbortSignal): Promise<AnyObject> => {
  const { apiVersion, kind } = step.workloads
  for await (const page of client.pages({ apiVersion, kind }, { limit: PROBED, signal })) {
    // Nothing can be created in a namespace that is being deleted, and its objects are deleted first.
    const model = page.items.find(({ metadata }) => metadata.deletionTimestamp === undefined)
    if (model !== undefined)
      return {
        apiVersion,
        kind,
        metadata: { name: PROBE_NAME, namespace: model.metadata.namespace ?? 'default' },
        spec: model['spec'],
      }
  }
  return { apiVersion, kind, metadata: { name: PROBE_NAME, namespace: 'default' }, spec: {} }
}

/** A webhook that says no has answered as well as one that says yes; only one that cannot be called has not. */
const probe = async (client: KubernetesClient, object: AnyObject, signal: AbortSignal): Promise<Look<string>> => {
  try {
    await client.create(object, { dryRun: true, signal })
    return { done: true, value: 'admitted' }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code >= 500 || /failed calling webhook|conversion webhook/.test(error.message))
      return { done: false, seen: error.message }
    if (/admission webhook .* denied the request/.test(error.message))
      return { done: true, value: 'refused by the webhook itself' }
    // Refused before the webhooks were called: another one is taken, once this namespace's objects are marked.
    if (error.causes.some(({ reason }) => reason === 'NamespaceTerminating'))
      return { done: false, seen: error.message }
    if (error.code === 422 || error.code === 400)
      return { done: true, value: 'refused by the schema, behind the webhooks' }
    throw error
  }
}
