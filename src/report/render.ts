/** The table of renderers: a new format is one file and one line here. */
import type { ReportDocument } from './documents.ts'
import { renderHuman } from './human.ts'
import { renderJson } from './json.ts'
import { plainStyle, type TextStyle } from './style.ts'
import { renderYaml } from './yaml.ts'

const renderers = { human: renderHuman, json: renderJson, yaml: renderYaml }

export type Format = keyof typeof renderers

/** Names of all formats, the default first. */
export const formats = Object.keys(renderers) as Format[]

/** The document as text, ending with one newline. The same document always gives the same bytes. */
export function renderDocument(document: ReportDocument, format: Format, style: TextStyle = plainStyle): string {
  return renderers[format](document, style)
}
