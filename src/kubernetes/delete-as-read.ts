/** Deletes an object as it was looked at, and no other that has its name by then. */
import type { KubernetesClient } from './client.types.ts'
import { isConflict, isNotFound } from './errors.ts'
import type { AnyObject, ObjectReference } from './objects.ts'

/** Times that it is read again because somebody wrote it between our read and our deletion. */
const ATTEMPTS = 5

/**
 * Reads the object and deletes it on the very uid and resourceVersion that were read, where `wanted` says yes to it; a write in
 * between is a conflict (409), and it is read and judged again. Gives whether it was deleted: false where it is not there, or
 * not wanted. Throws ApiError where it is refused.
 */
export const deleteAsRead = async (
  client: KubernetesClient,
  reference: ObjectReference,
  { wanted = () => true, signal }: { wanted?: (live: AnyObject) => boolean; signal?: AbortSignal } = {},
): Promise<boolean> => {
  for (let attempt = 1; ; attempt++) {
    const live = await client.find(reference, signal)
    if (live === undefined || !wanted(live)) return false
    const { uid, resourceVersion } = live.metadata
    try {
      await client.delete(reference, {
        preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
        ...(signal && { signal }),
      })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}
