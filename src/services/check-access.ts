/** Asks the API server beforehand whether the current user may do all that a run needs. */
import type { Inventory } from '../installation/inventory.types.ts'
import { inventoryAccess } from '../installation/inventory-access.ts'
import type { AccessRequest, KubernetesClient, Resource } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { type Grant, type RequiredAccess, recordAccess, requiredAccess } from '../plan/access.ts'
import type { Plan } from '../plan/plan.types.ts'
import { askForRights, Refusal } from '../report/refusal.ts'
import { eventAccess } from '../run/events.ts'
import { isGranting, mayGrant } from './grants.ts'
import { supersedeAccess } from './supersede-access.ts'

/** What a run is about, as far as its rights go. */
export interface RunNeeds {
  plan: Plan
  recordNamespace: string
  /** what was looked at before there was a plan, where that was more than the records */
  inventory?: Inventory | undefined
  /** number of the run that is gone on with */
  run?: number | undefined
}

/** One right, and for `escalate` and `bind` the writes that it is needed for. */
export interface NeededRight {
  request: AccessRequest
  grants: Grant[]
  /** the run does without; it says what for */
  optional?: string
}

const EVERYTHING: AccessRequest = { verb: '*', group: '*', resource: '*' }
const SHOWN = 12

/**
 * Every right that the run needs on the cluster as it is now: `create` only for what is not there yet. Kinds that neither
 * the cluster nor the plan's own CRDs serve are left out, as the steps leave them out.
 */
export const neededRights = async (client: KubernetesClient, needs: RunNeeds): Promise<NeededRight[]> => {
  const { plan, recordNamespace, inventory } = needs
  const accesses = [
    ...(inventory === undefined ? [] : readingAccess(plan, inventory)),
    ...requiredAccess(plan),
    ...recordAccess(recordNamespace),
    ...eventAccess(plan),
    ...(await supersedeAccess(client, recordNamespace, needs)),
  ]
  const known = new Map<string, Promise<boolean>>()
  const needed = await Promise.all(accesses.map(async (access) => rightsOf(client, plan, access, known)))
  const once = new Map<string, NeededRight>()
  for (const right of needed.flat()) {
    const key = JSON.stringify(right.request)
    const earlier = once.get(key)
    if (earlier === undefined) once.set(key, right)
    else {
      earlier.grants.push(...right.grants)
      if (right.optional === undefined) delete earlier.optional
    }
  }
  return [...once.values()]
}

/** Nodes may be left unread where somebody has accepted that. */
const readingAccess = ({ accepted = [] }: Plan, inventory: Inventory): RequiredAccess[] => {
  const unread = accepted.some(({ id }) => id === 'unreadable')
    ? new Set(inventory.unreadable.map(({ what }) => what))
    : new Set<string>()
  return inventoryAccess(inventory).filter((access) => !('kind' in access && unread.has(`${access.kind}s`)))
}

/** Throws a `blocked` Refusal that names every missing right. */
export const refuseWithoutAccess = async (
  client: KubernetesClient,
  needs: RunNeeds,
  signal: AbortSignal,
): Promise<void> => {
  const [administrator] = await client.canI([EVERYTHING], signal)
  if (administrator === true) return
  const rights = (await neededRights(client, needs)).filter(({ optional }) => optional === undefined)
  const allowed = await client.canI(
    rights.map(({ request }) => request),
    signal,
  )
  const denied = rights.filter((_right, index) => allowed[index] !== true)
  const lacked = await Promise.all(denied.map(async (right) => !(await heldOtherwise(client, right, signal))))
  const missing = denied.filter((_right, index) => lacked[index] === true).map(({ request }) => textOf(request))
  if (missing.length === 0) return
  const shown = missing.slice(0, SHOWN).join('; ')
  throw new Refusal('blocked', `This user lacks ${missing.length} of the rights that the ${needs.plan.kind} needs.`, {
    why: `Missing: ${shown}${missing.length > SHOWN ? `; and ${missing.length - SHOWN} more` : ''}. Nothing was written.`,
    next: askForRights,
    details: { missing },
  })
}

const heldOtherwise = async (
  client: KubernetesClient,
  { grants }: NeededRight,
  signal: AbortSignal,
): Promise<boolean> =>
  grants.length > 0 && (await Promise.all(grants.map(async (each) => mayGrant(client, each, signal)))).every(Boolean)

const rightsOf = async (
  client: KubernetesClient,
  plan: Plan,
  access: RequiredAccess,
  known: Map<string, Promise<boolean>>,
): Promise<NeededRight[]> => {
  const resource = await resourceOf(client, plan, access)
  const { namespace, name, subresource, grant, optional } = access
  if (resource === undefined || (grant !== undefined && !(await isGranting(client, grant)))) return []
  const named = access.verbs.includes('create') || access.verbs.includes('escalate')
  const there = named && (await exists(client, access, known))
  return access.verbs
    .filter((verb) => verb !== 'create' || !there)
    .map((verb) => ({
      request: {
        verb,
        group: resource.group,
        resource: resource.plural,
        ...(subresource === undefined ? {} : { subresource }),
        ...(namespace === undefined || !resource.namespaced ? {} : { namespace }),
        // The name of an object that is being created is in its body, where authorization does not look.
        ...(name === undefined || verb === 'create' || (verb === 'escalate' && !there) ? {} : { name }),
      },
      grants: grant === undefined ? [] : [grant],
      ...(optional !== undefined && { optional }),
    }))
}

/** How the target is asked for: by the server's own word, or by that of a CRD which the plan brings. */
const resourceOf = async (
  client: KubernetesClient,
  plan: Plan,
  access: RequiredAccess,
): Promise<Pick<Resource, 'group' | 'plural' | 'namespaced'> | undefined> => {
  if ('resource' in access) return { group: access.group, plural: access.resource, namespaced: true }
  const { apiVersion, kind } = access
  const served = await client.findResource(apiVersion, kind)
  if (served !== undefined) return served
  const group = apiVersion.split('/')[0]
  const brought = plan.steps
    .flatMap((step) => (step.kind === 'apply' ? step.objects : []))
    .filter((object) => object.kind === 'CustomResourceDefinition')
    .map((object) => (object as unknown as CustomResourceDefinition).spec)
    .find((spec) => spec.group === group && spec.names.kind === kind)
  return brought && { group: brought.group, plural: brought.names.plural, namespaced: brought.scope === 'Namespaced' }
}

/** An object that is there is not created. Whoever may not look is asked for everything. */
const exists = async (
  client: KubernetesClient,
  access: RequiredAccess,
  known: Map<string, Promise<boolean>>,
): Promise<boolean> => {
  const { name, namespace } = access
  if (name === undefined || !('kind' in access)) return false
  const { apiVersion, kind } = access
  const key = `${apiVersion} ${kind} ${namespace ?? ''}/${name}`
  const asked =
    known.get(key) ?? look(client, { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) })
  known.set(key, asked)
  return asked
}

const look = async (
  client: KubernetesClient,
  reference: { apiVersion: string; kind: string; name: string; namespace?: string },
): Promise<boolean> => {
  try {
    return (await client.find(reference)) !== undefined
  } catch (error) {
    if (isForbidden(error)) return false
    throw error
  }
}

/** `patch deployments.apps/scale kaito in team-a` */
const textOf = (request: AccessRequest): string => {
  const group = request.group === '' ? '' : `.${request.group}`
  const subresource = request.subresource === undefined ? '' : `/${request.subresource}`
  const where = request.namespace === undefined ? '' : ` in ${request.namespace}`
  return `${request.verb} ${request.resource}${group}${subresource}${request.name === undefined ? '' : ` ${request.name}`}${where}`
}
