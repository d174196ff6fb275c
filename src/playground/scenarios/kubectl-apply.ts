/** Objects as `kubectl apply` leaves them: client-side apply, with its annotation and its field manager. */
import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import { ApiError, isConflict } from '../../kubernetes/errors.ts'
import type { AnyObject, KubernetesObject, WebhookConfiguration } from '../../kubernetes/objects.ts'
import { waitFor } from '../waiting.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const fieldManager = 'kubectl-client-side-apply'
const timeoutMs = 90_000

/** Reads all objects of a manifest; `edit` may change its text first. Throws an Error for what is no YAML. */
export async function readManifest(
  path: string,
  edit: (text: string) => string = (text) => text,
): Promise<AnyObject[]> {
  return parseAllDocuments(edit(await readFile(path, 'utf8'))).flatMap((document) => {
    const [error] = 'errors' in document ? document.errors : []
    if (error) throw error
    const object = document.toJS() as AnyObject | null
    return object ? [object] : []
  })
}

/** The object with kubectl's annotation, whose value is the object as it was given, and a line break. Pure. */
export function withLastApplied(object: AnyObject): AnyObject {
  const annotations = { ...object.metadata.annotations, [lastApplied]: `${JSON.stringify(object)}\n` }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/**
 * Creates an object or patches the one that is there. Waits while the API server does not serve its kind yet, or while a
 * webhook does not answer yet; throws ApiError for every other refusal, Error after a minute and a half.
 */
export async function kubectlApply(client: KubernetesClient, object: AnyObject): Promise<void> {
  const { namespace, name } = object.metadata
  const ref = { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace ? { namespace } : {}) }
  const annotated = withLastApplied(object)
  let last: unknown
  const attempts = waitFor(
    `${object.kind} ${name}`,
    async () => {
      try {
        await client.create(annotated, { fieldManager }).catch(async (error: unknown) => {
          if (!isConflict(error)) throw error
          const existing = await client.get<AnyObject>(ref)
          await client.patch(ref, keepingAuthorities(annotated, existing), { type: 'merge', fieldManager })
        })
        return true
      } catch (error) {
        if (!isNotYet(error)) throw error
        last = error
        return false
      }
    },
    { timeoutMs, intervalMs: 200 },
  )
  await attempts.catch((error: unknown) => {
    throw last instanceof Error && error !== last ? new Error(`${(error as Error).message}: ${last.message}`) : error
  })
}

/**
 * Webhooks with the caBundle that the webhook of the same name has on the cluster: kubectl's three-way patch touches only
 * what the manifest says or said, and no manifest says this. Pure.
 */
export function keepingAuthorities(object: AnyObject, existing: AnyObject): AnyObject {
  if (!Array.isArray(object['webhooks'])) return object
  const known = (existing as KubernetesObject as WebhookConfiguration).webhooks ?? []
  const webhooks = (object as KubernetesObject as WebhookConfiguration).webhooks?.map((webhook) => {
    const caBundle = known.find(({ name }) => name === webhook.name)?.clientConfig.caBundle
    return caBundle ? { ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } } : webhook
  })
  return { ...object, webhooks }
}

const isNotYet = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 404 || (error.code >= 500 && /webhook/.test(error.message)))
