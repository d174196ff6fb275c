/** Results for people, one renderer per kind of document. */
import type { DocumentBodies, DocumentKind, ReportDocument } from './documents.ts'
import { renderCrdComparison } from './human-crd.ts'
import { renderCrdAdvice } from './human-crd-advice.ts'
import { renderCrdDifference } from './human-crd-difference.ts'
import { renderExplanation } from './human-explanation.ts'
import { renderExport, renderRecord } from './human-export.ts'
import { renderMigrationPlan, renderMigrationRun, renderNothingToMigrate } from './human-migration.ts'
import { renderPreflight } from './human-preflight.ts'
import { renderRights } from './human-rights.ts'
import { renderClosedRun, renderHistory, renderNothingToDo, renderPlan, renderRun } from './human-run.ts'
import { renderStatus } from './human-status.ts'
import type { TextStyle } from './style.ts'

const bodies: { [K in DocumentKind]: (body: DocumentBodies[K], style: TextStyle) => string } = {
  PreflightReport: renderPreflight,
  Explanation: renderExplanation,
  Plan: (body, style) => (body.plan.kind === 'migration' ? renderMigrationPlan : renderPlan)(body, style),
  Run: (body, style) => (body.run.kind === 'migration' ? renderMigrationRun : renderRun)(body, style),
  NothingToDo: renderNothingToDo,
  NothingToMigrate: renderNothingToMigrate,
  ClosedRun: renderClosedRun,
  RunHistory: renderHistory,
  AccessRights: renderRights,
  RunRecord: renderRecord,
  RunExport: renderExport,
  Status: renderStatus,
  CrdComparison: renderCrdComparison,
  CrdDifference: renderCrdDifference,
  CrdAdvice: renderCrdAdvice,
}

/** The document as one readable screen. */
export function renderHuman<K extends DocumentKind>(document: ReportDocument<K>, style: TextStyle): string {
  return bodies[document.kind](printable(document), style)
}

/**
 * Names, images and messages come from the cluster: a control character in one of them must not reach the terminal, where it
 * could move the cursor, hide a line or turn its direction. JSON and YAML escape them by themselves.
 */
function printable<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, field: unknown) =>
    // line feed and tab are what pages of text are made of
    typeof field === 'string' ? field.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '?') : field,
  ) as T
}
