/** What a run that did not end well leaves behind: looked for by what runs put on objects, never by guessing. */
import type { Install, Inventory } from '../installation/inventory.types.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { AnyObject, Deployment, KubernetesObject } from '../kubernetes/objects.ts'
import { nameOf } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.types.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import type { Leftover } from './status.types.ts'

interface Place {
  apiVersion: string
  kind: string
  namespace?: string
}

/** Where the objects of the newest run are, and in any case Deployments beside the installs. Pure. */
export const placesOf = (inventory: Inventory, plan: Plan | undefined): Place[] => {
  const written = (plan?.steps ?? []).flatMap((step) =>
    step.kind === 'apply' ? step.objects : step.kind === 'stand-by' ? [step.object] : [],
  )
  const places = [
    ...inventory.installs.map(({ namespace }) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace })),
    ...written.map(({ apiVersion, kind, metadata: { namespace } }) => ({
      apiVersion,
      kind,
      ...(namespace !== undefined && { namespace }),
    })),
  ]
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()]
}

/** Reads what tells leftovers: labelled objects, and where webhook requests go. Refusals are told in `unreadable`. */
export const readLeftovers = async (
  client: KubernetesClient,
  inventory: Inventory,
  plan: Plan | undefined,
  signal: AbortSignal,
): Promise<{ leftovers: Leftover[]; unreadable: Inventory['unreadable'] }> => {
  const unreadable: Inventory['unreadable'] = []
  const attempt = async <T>(what: string, read: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ApiError) || error.code === 401) throw error
      unreadable.push({ what, why: error.message })
      return otherwise
    }
  }
  const [labelled, routed] = await Promise.all([
    Promise.all(
      placesOf(inventory, plan).map(async (place) =>
        attempt(`labelled ${place.kind} objects`, async () => labelledIn(client, place, signal), []),
      ),
    ),
    Promise.all(
      inventory.installs.map(async (install) =>
        attempt(`Service of ${install.deployment.name}`, async () => routeOf(client, install, signal), []),
      ),
    ),
  ])
  return { leftovers: [...labelled.flat(), ...routed.flat(), ...stopped(inventory)], unreadable }
}

const labelledIn = async (client: KubernetesClient, place: Place, signal: AbortSignal): Promise<Leftover[]> => {
  if ((await client.findResource(place.apiVersion, place.kind)) === undefined) return []
  const found: KubernetesObject[] = []
  for await (const page of client.metadataPages({ ...place, labelSelector: RUN_LABEL }, { signal }))
    found.push(...page.items)
  return found.map(({ metadata }) => ({
    object: nameOf({ kind: place.kind, metadata }),
    what: `created by run ${metadata.labels?.[RUN_LABEL] ?? ''}, and not yet what a release has`,
  }))
}

type Labels = Record<string, string>

const routeOf = async (client: KubernetesClient, install: Install, signal: AbortSignal): Promise<Leftover[]> => {
  const reference = {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: install.namespace,
    name: install.product.controller.webhookService,
  }
  const [service, deployment] = await Promise.all([
    client.find<AnyObject>(reference, signal),
    client.find<Deployment>(install.deployment, signal),
  ])
  if (service === undefined || deployment === undefined) return []
  const selector = (service['spec'] as { selector?: Labels } | undefined)?.selector
  const strange = whereElse(selector, deployment.spec.template.metadata?.labels)
  return strange === undefined ? [] : [{ object: nameOf(reference), what: `sends webhook requests to ${strange}` }]
}

/** What a selector picks instead of pods with these labels; undefined where it picks those. Pure. */
export const whereElse = (selector: Labels = {}, labels: Labels = {}): string | undefined => {
  if (Object.keys(selector).length === 0) return 'no pods: it has no selector'
  const other = Object.entries(selector).filter(([key, value]) => labels[key] !== value)
  return other.length === 0
    ? undefined
    : `pods with ${other.map(([key, value]) => `${key}=${value}`).join(', ')}, not those of the usual Deployment`
}

/** A Deployment that nobody asks for pods. Pure. */
const stopped = ({ installs, shims }: Inventory): Leftover[] =>
  [...installs, ...shims]
    .filter(({ replicas }) => replicas === 0)
    .map(({ deployment }) => ({ object: nameOf(deployment), what: 'has no replicas: nothing of it runs' }))
