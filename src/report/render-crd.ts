/** The forms of a comparison of definitions: those of every document, and those for machines that read findings. */
import { renderJunit } from './crd-junit.ts'
import { renderMarkdown } from './crd-markdown.ts'
import { renderSarif } from './crd-sarif.ts'
import type { ReportDocument } from './documents.ts'
import { type Format, renderDocument } from './render.ts'
import { plainStyle, type TextStyle } from './style.ts'

const renderers = { sarif: renderSarif, junit: renderJunit, markdown: renderMarkdown }

/** The comparison as text, ending with one newline. The same document always gives the same bytes. */
export function renderComparison(
  document: ReportDocument<'CrdComparison'>,
  format: Format | keyof typeof renderers,
  style: TextStyle = plainStyle,
): string {
  return format === 'sarif' || format === 'junit' || format === 'markdown'
    ? renderers[format](document)
    : renderDocument(document, format, style)
}
