/** What the API server makes of an object under the schema of a version. Pure data. */
import type { PathElement } from '../comparison/comparison.types.ts'

/** A step to a node of an object: unlike in a schema, items have their number and values of maps their key. */
export type NodeStep = string | number

/** A node of an object that the API server refuses. */
export interface Invalid {
  path: NodeStep[]
  /** as the API server writes it: `spec.list[0].name` */
  field: string
  /** the API server's cause: FieldValueRequired, FieldValueInvalid, FieldValueTypeInvalid, ... */
  reason: string
  message: string
  /** The API server's own cause names no field, but `<nil>`, because the place is only in its message. */
  unplaced?: true
}

/** What the schema does not say. */
export interface DecodeContext {
  /** Is status a subresource? Then a create drops it. */
  statusSubresource?: boolean
  /** of the API server: 36 for 1.36, the newest unless told otherwise */
  minor?: number
}

/** What becomes of an object that is created, or read from the store. */
export interface Decoded<Some> {
  object: Some
  /** of fields that are no longer there */
  pruned: NodeStep[][]
  /** of values that were not there */
  defaulted: NodeStep[][]
  invalid: Invalid[]
  /** Places that have x-kubernetes-validations: only the API server itself can say. */
  unknown: PathElement[][]
}

/** What of an object is lost or refused, where another schema takes the place of the one that it was written under. */
export interface Loss {
  pruned: { path: NodeStep[]; value: unknown }[]
  /** what the new schema refuses and the old one did not */
  invalid: Invalid[]
}
