/** A plan is plain data: what will be done, in order. It can be shown, hashed, kept in a record and replayed. */
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import type { ProviderConfigChanges } from '../releases/release.types.ts'
import type { Replicas } from './replicas.ts'

export type PlanKind = 'upgrade' | 'rollback' | 'abort' | 'migration'

/**
 * How a component goes from one version to the other. `standby`: a second Deployment waits under the same Lease and takes
 * over when the old one's pods are gone. `in-place`: the Deployment is updated where it is, or, where the two versions
 * cannot decode each other's objects, stopped before the definitions change.
 */
export type Tier = 'standby' | 'in-place'

export interface Plan {
  kind: PlanKind
  /** product name, as in data/products.yaml */
  product: string
  /** versions with leading `v`; `unknown` where the running one could not be told */
  from: string
  to: string
  /** where the target's files were read, or the run whose records are the target */
  source: string
  /** the controller's tier, and why not a better one */
  tier: Tier
  tierReason: string
  /** the same for each Deployment that moves: `the controller`, `the kaito shim` */
  components: { component: string; tier: Tier; why: string }[]
  /** what the operator is told beforehand: interruptions, and what is left alone and why */
  notes: string[]
  /** whether `rollback` will be able to go back from this plan's end, and why not */
  wayBack: { possible: true } | { possible: false; why: string }
  /** what runs under a tag that moves (`:latest`), by Deployment: the digest is the only way back to it */
  running?: Record<string, string>
  /** storage versions that the release wants and that the run leaves at another one, by definition: `migrate` moves to them */
  heldStorage?: Record<string, string>
  /** definitions that are stored as the release wants, whose stored objects the run does not move all the same */
  notMigrated?: string[]
  /** findings that were accepted, with the reason and the hash of what was accepted */
  accepted?: { id: string; evidenceHash: string; reason: string }[]
  steps: Step[]
  /** sha256 over everything that was decided on; never resourceVersions, times or counts */
  hash: string
}

interface StepBase {
  /** unique in the plan, stable: `03-definitions` */
  id: string
  /** one line for people, in the imperative */
  title: string
}

export interface BackUpStep extends StepBase {
  kind: 'back-up'
  /** objects that the run may change: each is saved, or recorded as absent */
  objects: ObjectReference[]
  /** whole collections that are saved beside them */
  collections: { apiVersion: string; kind: string }[]
}

export interface TakeBaselineStep extends StepBase {
  kind: 'take-baseline'
  workloads: WorkloadTarget
}

export interface ApplyStep extends StepBase {
  kind: 'apply'
  objects: AnyObject[]
  /** what becomes of fields that another manager owns; `keep` leaves what can be left */
  conflicts: 'keep' | 'overwrite'
  /** the certificate Secret whose ca.crt goes into webhook client configurations that name a service of ours */
  certificate?: ObjectReference
}

export interface Deprecation {
  deprecated?: boolean
  deprecationWarning?: string
}

export interface WithdrawVersionStep extends StepBase {
  kind: 'withdraw-version'
  /** name of the CustomResourceDefinition */
  definition: string
  /** versions that go out of its spec */
  versions: string[]
  /** conversion after it; undefined leaves it as it is */
  conversion?: 'None'
  /** what versions that stay say of their deprecation afterwards: a warning that names a version which is gone misleads */
  deprecations?: Record<string, Deprecation>
}

export interface MoveOwnersStep extends StepBase {
  kind: 'move-owners'
  /** kind of the owner, and the versions of it that will not be served any more */
  owner: { kind: string; from: string[]; to: string }
  /** what such an owner has */
  kinds: { apiVersion: string; kind: string }[]
}

export interface RollOutStep extends StepBase {
  kind: 'roll-out'
  deployment: ObjectReference
  container: string
  image: string
  /** paths that every pod has to answer before the step is done; undefined where they are proven otherwise, or there are none */
  webhooks?: { port: number | string; paths: string[] }
  timeoutSeconds: number
}

export interface AwaitLeaseStep extends StepBase {
  kind: 'await-lease'
  /** waited for at the same time: each Lease that hangs is a component that does not work */
  leases: { lease: ObjectReference; deployment: ObjectReference; image: string }[]
  timeoutSeconds: number
}

export interface AwaitAdmissionStep extends StepBase {
  kind: 'await-admission'
  /** the kind a dry-run create is sent for */
  workloads: WorkloadTarget
  /** served versions that must be readable: where one needs the conversion webhook, this is its proof */
  readableVersions: string[]
  timeoutSeconds: number
}

export interface AwaitReconcileStep extends StepBase {
  kind: 'await-reconcile'
  workloads: WorkloadTarget
  /** only the ModelDeployments of this provider; all of them where it is absent */
  provider?: string
  timeoutSeconds: number
}

export interface DeleteStep extends StepBase {
  kind: 'delete'
  objects: ObjectReference[]
  /** only where a run of this tool created the object: it carries a run's label */
  onlyCreatedByRuns?: boolean
}

/**
 * Creates a second Deployment, waits until its pods are available, and asks them through the API server's pod proxy until
 * each webhook path is answered: readiness proves nothing, and no request is routed to them before.
 */
export interface StandByStep extends StepBase {
  kind: 'stand-by'
  /** the Deployment; it is created with the run's label and never adopted from somebody else */
  object: AnyObject
  container: string
  image: string
  /** undefined where the component serves no webhooks */
  webhooks?: { port: number | string; paths: string[] }
  timeoutSeconds: number
}

/** Sets what a Service sends requests to, by apply, and waits until its endpoints are just the pods it selects. */
export interface RouteStep extends StepBase {
  kind: 'route'
  /** the whole Service as it is applied */
  service: AnyObject
  timeoutSeconds: number
}

/**
 * `none`: no replicas, and waits until every pod is gone, not just terminating; what they had is kept with its owner.
 * `as-before`: the kept number again, written in the name of the manager that owned it (a HorizontalPodAutoscaler, a person).
 */
export interface ScaleStep extends StepBase {
  kind: 'scale'
  deployments: ObjectReference[]
  replicas: 'none' | 'as-before'
  /** what they had before the run that is gone back from, by `keyOf`: it wins over what they have now */
  had?: Record<string, Replicas>
  timeoutSeconds: number
}

/**
 * Puts each object of a collection into the form that the CRD has now. What the new schema hides is taken from the run's
 * back-up; the rest as it is on the cluster. For a time in which nobody runs who could not decode either form.
 */
export interface RewriteStep extends StepBase {
  kind: 'rewrite'
  collection: { apiVersion: string; kind: string }
  changes: ProviderConfigChanges
}

/**
 * Brings a collection back into the form that it had under the CRD of before: objects as they were backed up, those made
 * since by reversing `changes` on what this run has backed up.
 */
export interface RestoreStep extends StepBase {
  kind: 'restore'
  collection: { apiVersion: string; kind: string }
  objects: AnyObject[]
  changes: ProviderConfigChanges
}

/**
 * Looks for what would keep the objects of a definition from being moved to another storage version, or would be lost by it.
 * Stands before the first storage version moves, for until then a run can be gone back from. Writes nothing.
 */
export interface CheckMigrationStep extends StepBase {
  kind: 'check-migration'
  /** name of the CustomResourceDefinition */
  definition: string
  uid: string
  /** the storage version that its objects are moved to */
  to: string
  /** fields whose loss was accepted, and those that nobody had when they could be seen last: `spec.size` */
  accepted: string[]
  /** marks objects that their operator leaves alone: their writes are tried too */
  pausedAnnotation: string
  /** the writes of all objects are tried, not those of a sample */
  tryAll?: boolean
}

/** Makes another version of a definition its storage version; objects stay as they are stored until each is written. */
export interface FlipStorageStep extends StepBase {
  kind: 'flip-storage'
  /** name of the CustomResourceDefinition */
  definition: string
  uid: string
  from: string
  to: string
}

/** Moves all objects of a definition to its storage version, proves it, and trims status.storedVersions. */
export interface MigrateStep extends StepBase {
  kind: 'migrate'
  /** name of the CustomResourceDefinition */
  definition: string
  uid: string
  storageVersion: string
  /** those of status when the plan was made, and the storage version after a flip */
  storedVersions: string[]
  limits: { maxInFlight: number; maxQps?: number }
  /** versions that nobody is served any more: managedFields in them are renamed in the same write */
  staleVersions: string[]
  engine: 'own' | 'in-tree'
  /** looks at the objects though status names the storage version alone */
  force?: boolean
  /** versions that objects are stored in and the spec lacks: they come back into it first, by consent */
  bringBack?: string[]
  /** fields that may be lost, where that shows only when the first objects are rewritten: `spec.size` */
  accepted?: string[]
  /** all definitions of the plan, where there are several: the first such step looks at all, and their windows overlap */
  together?: string[]
  /** seconds in which a write that began before a flip may land, where it is not the API server's limit */
  lateWriteSeconds?: number
}

export interface CompareBaselineStep extends StepBase {
  kind: 'compare-baseline'
  workloads: WorkloadTarget
  /** what must run at the end */
  images: { deployment: ObjectReference; container: string; image: string }[]
}

/** What the proofs need to know of the workloads, as plain data. */
export interface WorkloadTarget {
  /** apiVersion to read and nudge ModelDeployments with */
  apiVersion: string
  kind: string
  pausedAnnotation: string
  /** providers whose shim is told to have no pods: nobody answers for them, so nobody is waited for */
  unattended?: string[]
  /** provider objects that belong to ModelDeployments, by kind */
  providerKinds: { apiVersion: string; kind: string }[]
}

export type Step =
  | BackUpStep
  | TakeBaselineStep
  | ApplyStep
  | MoveOwnersStep
  | WithdrawVersionStep
  | RollOutStep
  | AwaitLeaseStep
  | AwaitAdmissionStep
  | AwaitReconcileStep
  | DeleteStep
  | StandByStep
  | RouteStep
  | ScaleStep
  | RewriteStep
  | RestoreStep
  | CheckMigrationStep
  | FlipStorageStep
  | MigrateStep
  | CompareBaselineStep

export type StepKind = Step['kind']
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>
