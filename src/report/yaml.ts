import { stringify } from 'yaml'
import type { ReportDocument } from './documents.ts'

// ECMAScript 2026, not yet in the library of types.
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): value is { rawJSON: string } }

/** Integers beyond 2^53 that were read exactly are values that only JSON.stringify knows. */
const knownToYaml = (_key: unknown, value: unknown): unknown => (isRawJSON(value) ? BigInt(value.rawJSON) : value)

/** YAML of the same document; no anchors and no folded lines, so that it can be searched by line. */
export function renderYaml(document: ReportDocument): string {
  return stringify(document, knownToYaml, { aliasDuplicateObjects: false, lineWidth: 0, compat: 'yaml-1.1' })
}
