/** Objects by name. Pure. */
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'

/** What names the object. */
export const referenceOf = (object: AnyObject): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  name: object.metadata.name,
})

/** Equal for the same object, whatever version it is read in. */
export const keyOf = (ref: { kind: string; namespace?: string; name: string }): string =>
  `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`
