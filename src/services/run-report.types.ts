/** What the services that change a cluster give back. */
import type { RunSummary } from '../journal/journal.types.ts'
import type { Plan } from '../plan/plan.types.ts'
import type { Finding } from '../preflight/finding.types.ts'
import type { ClusterName } from './cluster-name.ts'
import type { MigratedDefinition, NothingToMigrate, SurveyedDefinition } from './migration-report.types.ts'
import type { RightsReport } from './print-rights.ts'

/** A plan as it is shown: steps as text, the objects left to the record. */
export interface PlanReport {
  metadata: { time: string; cluster: ClusterName }
  plan: Omit<Plan, 'steps'> & { steps: { id: string; kind: string; title: string; description: string }[] }
  /** what the checks found, where checks were made */
  findings?: Finding[]
  /** definitions whose objects are moved, as they were looked at */
  survey?: SurveyedDefinition[]
  /** why the plan would not be carried out; just in a dry run */
  blocked?: { message: string; why: string | undefined; next: string | undefined }
  /** how big the back-up in the records will be, compressed; measured just now */
  records?: { objects: number; bytes: number }
}

export interface RunReport {
  metadata: { time: string; cluster: ClusterName; recordNamespace: string }
  run: RunSummary
  seconds: number
  steps: { id: string; title: string; outcome: 'done' | 'skipped'; evidence: Record<string, unknown> }[]
  /** children of ModelDeployments that are not as they were */
  workloads: { compared: boolean; children: number; disturbed: number; changes: string[] }
  notes: string[]
  /** whether `rollback` can go back from here */
  wayBack: Plan['wayBack']
  /** how long at most what was announced has lasted */
  measured: { what: string; seconds: number }[]
  findings?: Finding[]
  /** storage versions that the release wants and that the run has left at another one, by definition */
  heldStorage?: Record<string, string>
  /** definitions whose stored objects have not all moved to the storage version, which is the release's: `migrate` moves them */
  notMigrated?: string[]
  /** what became of each definition whose objects were moved */
  migrated?: MigratedDefinition[]
}

/** Asked for the version that runs already. */
export interface NothingToDo {
  metadata: { time: string; cluster: ClusterName }
  product: string
  version: string
  /** definitions whose objects are not, or may not be, stored as this version stores them */
  toMigrate?: string[]
}

/** A run that had changed nothing, and needed no way back; or a migration, of which nothing is taken back. */
export interface ClosedRun {
  metadata: { time: string; cluster: ClusterName; recordNamespace: string }
  run: RunSummary
  /** false for a dry run */
  closed: boolean
  /** of a migration: what it did, definition by definition, and stays so */
  stays?: string[]
  /** of a migration: the command that moves what is left of it */
  next?: string
}

export type ChangeResult =
  | { outcome: 'nothing-to-do'; report: NothingToDo }
  | { outcome: 'nothing-to-migrate'; report: NothingToMigrate }
  | { outcome: 'planned'; report: PlanReport }
  | { outcome: 'declined'; report: PlanReport }
  | { outcome: 'ran'; report: RunReport }
  | { outcome: 'closed'; report: ClosedRun }
  | { outcome: 'rights'; report: RightsReport }
