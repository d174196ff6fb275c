import type { ReportDocument } from './documents.ts'

/** JSON with two spaces, fields in the order of the document. */
export function renderJson(document: ReportDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
