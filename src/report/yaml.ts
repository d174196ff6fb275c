import { stringify } from 'yaml'
import type { ReportDocument } from './documents.ts'

/** YAML of the same document; no anchors and no folded lines, so that it can be searched by line. */
export function renderYaml(document: ReportDocument): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0, compat: 'yaml-1.1' })
}
