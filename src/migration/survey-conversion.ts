/** Whether the conversion webhook of a definition can answer. Reads only. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition, KubernetesObject, WebhookClientConfig } from '../kubernetes/objects.ts'
import { conversionWebhook } from './blockers.ts'
import type { Blocker } from './survey.types.ts'

interface EndpointSlice extends KubernetesObject {
  endpoints?: { conditions?: { ready?: boolean } }[] | null
}

/** What speaks against the webhook, and what could not be seen. A URL cannot be looked at from here. */
export async function conversionState(
  client: KubernetesClient,
  crd: CustomResourceDefinition,
  signal?: AbortSignal,
): Promise<{ blockers: Blocker[]; notes: string[] }> {
  const { name } = crd.metadata
  const config = crd.spec.conversion?.webhook?.clientConfig ?? {}
  const blockers: Blocker[] = []
  // API servers trust no other authority for a Service's certificate than that of the bundle; installers leave a line break there.
  if (config.service && isEmptyBundle(config)) {
    blockers.push(conversionWebhook(name, 'its caBundle is empty, so the API server trusts no certificate of it'))
  }
  if (!config.service)
    return { blockers, notes: [`the conversion webhook at ${config.url ?? 'no address'} was not looked at`] }
  const { service } = config
  try {
    const why = await unready(client, service, signal)
    if (why !== undefined) blockers.push(conversionWebhook(name, why))
    return { blockers, notes: [] }
  } catch (error) {
    if (!isForbidden(error)) throw error
    return {
      blockers,
      notes: [`the conversion webhook's Service ${service.namespace}/${service.name} may not be read`],
    }
  }
}

const isEmptyBundle = ({ caBundle = '' }: WebhookClientConfig): boolean =>
  Buffer.from(caBundle, 'base64').toString('utf8').trim() === ''

async function unready(
  client: KubernetesClient,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const service = await client.find({ apiVersion: 'v1', kind: 'Service', namespace, name }, signal)
  if (service === undefined) return `there is no Service ${namespace}/${name}`
  const slices = await client.list<EndpointSlice>(
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace,
      labelSelector: `kubernetes.io/service-name=${name}`,
    },
    signal && { signal },
  )
  // No word on readiness means ready.
  const ready = slices.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false))
  return ready ? undefined : `no pod behind the Service ${namespace}/${name} is ready`
}
