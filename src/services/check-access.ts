/** Asks the API server beforehand whether the current user may do all that a plan needs. */
import type { AccessRequest, KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import { type RequiredAccess, requiredAccess } from '../plan/access.ts'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'

/** What keeping the records needs, in their namespace. */
const recordAccess = (namespace: string): RequiredAccess[] => [
  { apiVersion: 'v1', kind: 'Namespace', name: namespace, verbs: ['get', 'create'] },
  { apiVersion: 'v1', kind: 'Secret', namespace, verbs: ['get', 'list', 'create', 'update', 'delete'] },
  { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, verbs: ['get', 'create', 'update'] },
]

const EVERYTHING: AccessRequest = { verb: '*', group: '*', resource: '*' }
const SHOWN = 12

/**
 * Throws a `blocked` Refusal that names every missing right. Kinds that the cluster does not serve yet are left out: the
 * plan's own CRDs bring them, and the rights on them are those of the CRD's group.
 */
export const refuseWithoutAccess = async (
  client: KubernetesClient,
  plan: Plan,
  recordNamespace: string,
  signal: AbortSignal,
): Promise<void> => {
  const [administrator] = await client.canI([EVERYTHING], signal)
  if (administrator === true) return
  const requests = (
    await Promise.all(
      [...requiredAccess(plan), ...recordAccess(recordNamespace)].map(async (access) => requestsOf(client, access)),
    )
  ).flat()
  const allowed = await client.canI(requests, signal)
  const missing = requests.filter((_request, index) => allowed[index] !== true).map(textOf)
  if (missing.length === 0) return
  const shown = missing.slice(0, SHOWN).join('; ')
  throw new Refusal('blocked', `This user lacks ${missing.length} of the rights that the ${plan.kind} needs.`, {
    why: `Missing: ${shown}${missing.length > SHOWN ? `; and ${missing.length - SHOWN} more` : ''}. Nothing was written.`,
    next: 'ask for these rights, or use another user with --context or --as',
    details: { missing },
  })
}

const requestsOf = async (client: KubernetesClient, access: RequiredAccess): Promise<AccessRequest[]> => {
  const resource = await client.findResource(access.apiVersion, access.kind)
  if (resource === undefined) return []
  const verbs =
    access.verbs.includes('create') && (await exists(client, access))
      ? access.verbs.filter((verb) => verb !== 'create')
      : access.verbs
  return verbs.map((verb) => ({
    verb,
    group: resource.group,
    resource: resource.plural,
    ...(access.subresource === undefined ? {} : { subresource: access.subresource }),
    ...(access.namespace === undefined || !resource.namespaced ? {} : { namespace: access.namespace }),
    // The name of an object that is being created is in its body, where authorization does not look.
    ...(access.name === undefined || verb === 'create' ? {} : { name: access.name }),
  }))
}

/** An object that is there is not created. Whoever may not look is asked for everything. */
const exists = async (
  client: KubernetesClient,
  { apiVersion, kind, namespace, name }: RequiredAccess,
): Promise<boolean> => {
  if (name === undefined) return false
  try {
    return (await client.find({ apiVersion, kind, name, ...(namespace !== undefined && { namespace }) })) !== undefined
  } catch (error) {
    if (isForbidden(error)) return false
    throw error
  }
}

const textOf = (request: AccessRequest): string => {
  const group = request.group === '' ? '' : `.${request.group}`
  const subresource = request.subresource === undefined ? '' : `/${request.subresource}`
  const where = request.namespace === undefined ? '' : ` in ${request.namespace}`
  return `${request.verb} ${request.resource}${group}${subresource}${request.name === undefined ? '' : ` ${request.name}`}${where}`
}
