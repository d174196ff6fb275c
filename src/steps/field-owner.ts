/** Who wrote a field last, by managedFields. Pure. */
import type { KubernetesObject } from '../kubernetes/objects.ts'

/**
 * The managers, other than `self`, that own a field at the path; `somebody` where none is known. An item of a list is named
 * as managedFields do: `k:{"name":"manager"}`.
 */
export const ownerOf = (object: KubernetesObject, path: string[], self: string): string => {
  const owners = (object.metadata.managedFields ?? []).flatMap(({ manager, fieldsV1 }) => {
    let fields: unknown = fieldsV1
    for (const name of path)
      fields = (fields as Record<string, unknown> | undefined)?.[name.startsWith('k:') ? name : `f:${name}`]
    return fields === undefined || manager === undefined || manager === self ? [] : [manager]
  })
  return owners.length === 0 ? 'somebody' : [...new Set(owners)].join(', ')
}
