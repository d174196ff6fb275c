/**
 * Moving the stored objects of a custom resource definition to its storage version. Plain data: what it is about, how far it
 * is, what it found. Only a write re-encodes an object, at the storage version that the answering API server knows; a write
 * that changes no byte is left out by the store, and the object keeps its resourceVersion. That is the only proof there is.
 */
import type { StopReason } from './pass.types.ts'

/** A definition as it was when a migration began. What of it changes meanwhile ends the migration. */
export interface MigrationTarget {
  /** name of the CustomResourceDefinition */
  definition: string
  uid: string
  generation: number
  group: string
  kind: string
  plural: string
  namespaced: boolean
  storageVersion: string
  /** as status had them */
  storedVersions: string[]
  /** all versions of the spec, and those that are served */
  versions: string[]
  served: string[]
  /** the version of our requests: the storage version where that is served, else another one; what is stored does not depend on it */
  requestVersion: string
  conversion: 'None' | 'Webhook'
  /** whether the request version has a status subresource, the way round webhooks that are not registered for it */
  statusSubresource: boolean
  /** when the storage version became this one; undefined where nothing tells */
  flippedAt?: string
}

/** One object, by the names that its requests need. */
export interface ObjectName {
  namespace?: string
  name: string
}

/** What a write did to one object. `gone`: deleted meanwhile. */
export type Verdict = 'rewritten' | 'unchanged' | 'gone' | 'failed'

/** Why an object could not be written, in words of its cause; objects with the same cause are told together. */
export interface ObjectFailure extends ObjectName {
  /** `webhook`, `policy`, `schema`, `forbidden`, `conversion`, `too-large`, `throttled`, `server`, `connection`, `conflict` */
  cause: FailureCause
  /** the webhook's or policy's name, the field, the verb: what one has to look at */
  subject?: string
  message: string
}

export type FailureCause =
  | 'webhook'
  | 'policy'
  | 'schema'
  | 'forbidden'
  | 'conversion'
  | 'too-large'
  | 'throttled'
  | 'server'
  | 'connection'
  | 'conflict'
  | 'other'

/** One pass over all objects. */
export interface PassCounts {
  rewritten: number
  unchanged: number
  gone: number
  failed: number
  /** written through /status, because the main endpoint refused */
  throughStatus: number
  /** entries of managedFields in versions that go were renamed in the same write */
  managersMoved: number
}

export interface PassResult extends PassCounts {
  startedAt: string
  seconds: number
  requests: number
  /** the first failures, at most 100; `failed` counts them all */
  failures: ObjectFailure[]
  /** the most requests that were on their way at the same time */
  mostInFlight: number
}

/** Where a pass stands: all objects of the pages before `continue` are done. */
export interface PassPlace {
  continue?: string
  /** when the pass began, in whichever process: what it proves, it proves from then on */
  startedAt?: string
  counts: PassCounts
  failures: ObjectFailure[]
}

/** What is saved of a migration, so that another process can go on with it. Without it, beginning anew is right too. */
export interface MigrationCheckpoint {
  definition: string
  uid: string
  generation: number
  storageVersion: string
  /** as status had them before */
  storedVersions: string[]
  /** of the run that began it: where the time of the flip is not known, writes under the old version end 34 s after it */
  firstLookAt: string
  flippedAt?: string
  /** passes that are over, oldest first */
  passes: PassResult[]
  /** the pass that was on its way */
  place?: PassPlace
  phase: 'settle' | 'rewrite' | 'prove' | 'trim' | 'done'
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  load(definition: string): Promise<MigrationCheckpoint | undefined>
  save(checkpoint: MigrationCheckpoint): Promise<void>
}

/** What paces a pass. */
export interface PaceLimits {
  /** at most that many requests at the same time; it starts with 4 and finds the right number itself */
  maxInFlight: number
  /** at most that many writes a second; undefined for none */
  maxQps?: number
}

/** What the API server needs at most to end a write that it had begun under the old storage version: its limit for writes. */
export const lateWriteSeconds = 34

/** How far a migration is, for people who watch. */
export interface MigrationProgress {
  phase: MigrationCheckpoint['phase']
  /** number of the pass, from 1 */
  pass: number
  done: number
  total: number
  perSecond: number
  secondsLeft?: number
  inFlight: number
}

/** What a migration of one definition came to. */
export interface MigrationResult {
  definition: string
  storageVersion: string
  before: { storedVersions: string[] }
  after: { storedVersions: string[] }
  outcome: 'migrated' | 'nothing to do' | 'failures left' | 'changed meanwhile'
  /** why it is not `migrated` */
  reason?: string
  /** why a pass ended before its last object */
  stopped?: StopReason
  /** what else is worth knowing, in sentences */
  notes?: string[]
  passes: PassResult[]
  /** the pass that proves it: nothing was rewritten, and it began late enough */
  proof?: { pass: number; objects: number; startedAt: string; secondsAfterFlip?: number }
  /** `settle` is all waiting for API servers that are behind, and for writes that began before the flip */
  seconds: { settle: number; rewrite: number; prove: number; trim: number }
  requests: number
  /** versions that may now be taken out of spec.versions */
  removable: string[]
}
