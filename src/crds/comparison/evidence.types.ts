/** What the objects and clients of a cluster say about a comparison. Pure data, gathered elsewhere. */
import type { Level } from './comparison.types.ts'

/** An object that a change would hurt. */
export interface Offender {
  namespace?: string
  name: string
  /** as the API server writes it: `spec.list[0].name` */
  field: string
  message: string
}

/** How many of the stored objects a finding is about. */
export interface StoredEvidence {
  checked: number
  affected: number
  /** at most 20, in the order of the list */
  offenders: Offender[]
  /** Unchanged values go on being accepted in updates: Kubernetes 1.30 and later, where the validation is one that it ratchets. */
  ratchets: boolean
  /** the level before the evidence */
  levelBefore: Level
}

/** Who wrote objects in a version that goes. */
export interface VersionUsers {
  version: string
  /** by field manager or `kubectl.kubernetes.io/last-applied-configuration` */
  users: { manager: string; via: 'managedFields' | 'last-applied'; objects: number; example: string }[]
  /** since the start of the API server that answered, where its metrics can be read */
  requests?: number
}

/** What the API server says of the new definition when it is sent as a dry run. */
export type DryRunEvidence =
  | { outcome: 'accepted' }
  | { outcome: 'refused'; message: string; causes: { field: string; message: string }[] }
  | { outcome: 'unknown'; why: string }

export interface LiveEvidence {
  /** the server's version: `1.36` */
  kubernetes: string
  objects: number
  /** The direction that begins at the definition on the cluster: its objects say nothing about the other one. */
  direction?: 'upgrade' | 'rollback'
  dryRun: DryRunEvidence
  users: VersionUsers[]
  /** What could not be read, and why: findings about it have no evidence. */
  unread?: { what: string; why: string }[]
}
