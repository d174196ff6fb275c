/** The rights that a run needs, as RBAC objects to be applied by somebody who may. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { optionalAnnotation, rightsAsObjects, type Subject, subjectOf } from '../plan/rights.ts'
import { type NeededRight, neededRights, type RunNeeds } from './check-access.ts'
import { type ClusterName, clusterOf } from './cluster-name.ts'
import type { ChangeContext } from './run-plan.ts'

export interface RightsReport {
  metadata: { time: string; cluster: ClusterName }
  /** the run that they are for */
  plan: { kind: string; product: string; from: string; to: string; tier: string; hash: string }
  subject: Subject
  /** nobody was named with --for: the subject has to be put in */
  placeholder: boolean
  /** in the order in which they can be applied */
  objects: AnyObject[]
}

const absentOf = async (client: KubernetesClient, names: Set<string>): Promise<string[]> => {
  const live = await Promise.all(
    [...names].map(async (name) => ({
      name,
      object: await client.find({ apiVersion: 'v1', kind: 'Namespace', name }),
    })),
  )
  return live.flatMap(({ name, object }) => (object === undefined ? [name] : []))
}

const PLACEHOLDER = 'REPLACE-ME'

/** In a role of their own, so that whoever grants may leave them out. */
const optionalRoles = (rights: readonly NeededRight[], role: string, subject: Subject): AnyObject[] => {
  const optional = rights.filter((right) => right.optional !== undefined)
  const why = [...new Set(optional.map((right) => right.optional))].join('; ')
  return rightsAsObjects(
    optional.map(({ request }) => request),
    `${role}-optional`,
    subject,
    { [optionalAnnotation]: why },
  )
}

/**
 * Exactly the rights of this run on the cluster as it is now. A Role needs its namespace: where it does not exist yet it is
 * among the objects, and the run need not create it.
 */
export const printedRights = async (
  { client, now }: ChangeContext,
  needs: RunNeeds,
  { user }: { user?: string },
): Promise<RightsReport> => {
  const rights = await neededRights(client, needs)
  const requests = rights.flatMap(({ request, optional }) => (optional === undefined ? [request] : []))
  const own = new Set(requests.flatMap(({ namespace }) => namespace ?? []))
  const applied = needs.plan.steps.flatMap((step) => (step.kind === 'apply' ? step.objects : []))
  const others = applied.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name)
  const absent = await absentOf(client, new Set([...own, ...others]))
  const left = absent.some((name) => !own.has(name))
  const wanted = requests.filter(
    ({ verb, group, resource }) => left || !(verb === 'create' && group === '' && resource === 'namespaces'),
  )
  const { kind, product, from, to, tier, hash } = needs.plan
  const subject = subjectOf(user ?? PLACEHOLDER)
  const role = `kubectl-airunway-${kind}-${hash}`
  return {
    metadata: { time: now().toISOString(), cluster: clusterOf(client) },
    plan: { kind, product, from, to, tier, hash },
    subject,
    placeholder: user === undefined,
    objects: [
      ...absent
        .filter((name) => own.has(name))
        .map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...rightsAsObjects(wanted, role, subject),
      ...optionalRoles(rights, role, subject),
    ],
  }
}
