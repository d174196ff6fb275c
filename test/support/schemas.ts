/** The published schemas of the outputs. */
import { readFileSync } from 'node:fs'
import { type JsonSchema, validate } from './json-schema.ts'

/** `PreflightReport` is described by `preflight-report.json`. */
export function schemaFile(kind: string): string {
  return `${kind.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.json`
}

export function schemaOf(kind: string): JsonSchema {
  const file = new URL(`../../docs/schemas/${schemaFile(kind)}`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as JsonSchema
}

/** What of a document does not fit the schema of its kind; empty where it is valid. Takes the JSON text, as it is printed. */
export function schemaErrors(json: string): string[] {
  const document = JSON.parse(json) as { kind: string }
  return validate(document, schemaOf(document.kind))
}
