/** The one envelope of every result: `{apiVersion, kind, metadata, ...}`. */
import type { Explanation } from '../preflight/explanation.types.ts'
import type { PreflightReport } from '../preflight/report.types.ts'
import type { CrdAdviceReport, CrdComparisonReport, CrdDifferenceReport } from '../services/crd-report.types.ts'
import type { RunExport, RunRecord } from '../services/export-run.ts'
import type { HistoryReport } from '../services/history.ts'
import type { NothingToMigrate } from '../services/migration-report.types.ts'
import type { RightsReport } from '../services/print-rights.ts'
import type { ClosedRun, NothingToDo, PlanReport, RunReport } from '../services/run-report.types.ts'
import type { StatusReport } from '../status/status.types.ts'

/** Version of the outputs; a field is only ever added within it. */
export const API_VERSION = 'cli.airunway.ai/v1alpha1'

/** Kinds of result and what each holds. A new result is one line here and one in `human.ts`, and its JSON schema in docs/schemas/. */
export interface DocumentBodies {
  PreflightReport: PreflightReport
  Explanation: Explanation
  Plan: PlanReport
  Run: RunReport
  NothingToDo: NothingToDo
  NothingToMigrate: NothingToMigrate
  ClosedRun: ClosedRun
  RunHistory: HistoryReport
  AccessRights: RightsReport
  RunRecord: RunRecord
  RunExport: RunExport
  Status: StatusReport
  CrdComparison: CrdComparisonReport
  CrdDifference: CrdDifferenceReport
  CrdAdvice: CrdAdviceReport
}

export type DocumentKind = keyof DocumentBodies

/** A result with its envelope; `metadata` belongs to the body's type. */
export type ReportDocument<K extends DocumentKind = DocumentKind> = {
  [P in K]: { apiVersion: typeof API_VERSION; kind: P } & DocumentBodies[P]
}[K]

/** Puts a result into the envelope. */
export function documentOf<K extends DocumentKind>(
  kind: K,
  body: DocumentBodies[K],
): { apiVersion: typeof API_VERSION; kind: K } & DocumentBodies[K] {
  return { apiVersion: API_VERSION, kind, ...body }
}
