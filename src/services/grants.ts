/**
 * RBAC lets nobody grant more than he holds. The API server asks for `escalate` or `bind` whenever a role or a binding really
 * changes, in whatever field; a write that changes nothing is let pass, and so is whoever holds all the rights in question.
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, isForbidden } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import type { Grant } from '../plan/access.ts'
import { referenceOf } from '../plan/reference.ts'
import { RUN_LABEL } from '../plan/run-label.ts'

/** What kubectl keeps beside an object, and no release has. */
const BOOKKEEPING = 'kubectl.kubernetes.io/last-applied-configuration'
const GRANTING = ['rules', 'aggregationRule', 'roleRef', 'subjects']

const comparable = ({ metadata, ...object }: AnyObject): unknown => {
  const { [BOOKKEEPING]: _text, ...annotations } = metadata.annotations ?? {}
  return {
    labels: metadata.labels ?? {},
    annotations,
    ...Object.fromEntries(GRANTING.map((key) => [key, object[key]])),
  }
}

/** Whether a role or binding is already what it is going to be. Pure; what it cannot tell counts as a change. */
export const isSameGrant = (live: AnyObject, wanted: AnyObject): boolean =>
  isDeepStrictEqual(comparable(live), comparable(wanted))

/** Whether this write is a grant on the cluster as it is now. Whoever may not look is asked for the right. */
export const isGranting = async (client: KubernetesClient, { object, always }: Grant): Promise<boolean> => {
  if (always) return true
  try {
    const live = await client.find(referenceOf(object))
    return live === undefined || !isSameGrant(live, object)
  } catch (error) {
    if (isForbidden(error)) return true
    throw error
  }
}

/** A dry run tells whether the user holds all that is granted; a label makes it a change in any case. */
export const mayGrant = async (client: KubernetesClient, { object }: Grant, signal: AbortSignal): Promise<boolean> => {
  const { labels } = object.metadata
  const changed = { ...object, metadata: { ...object.metadata, labels: { ...labels, [RUN_LABEL]: '0' } } }
  try {
    if ((await client.find(referenceOf(object), signal)) === undefined)
      await client.create(changed, { dryRun: true, signal })
    else await client.apply(changed, { dryRun: true, force: true, signal })
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}
