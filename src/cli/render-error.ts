/** The one renderer of errors: a document for scripts, a few lines for people. */
import { stripVTControlCharacters } from 'node:util'
import { API_VERSION } from '../report/documents.ts'
import type { ErrorReport } from './error-report.ts'
import { ExitCode } from './exit-codes.ts'

export type OutputFormat = 'human' | 'json' | 'yaml'

/** The error as a document of the same shape in every command. */
export const errorDocument = (report: ErrorReport): Record<string, unknown> => {
  const { exit, ...error } = report
  return { apiVersion: API_VERSION, kind: 'Error', error: { ...error, exitCode: ExitCode[exit] } }
}

/** Lines for a terminal: what happened, why, what next. */
export const errorLines = (report: ErrorReport, style: { color: boolean }): string => {
  const label = report.exit === 'interrupted' ? '' : style.color ? '\u001B[31merror:\u001B[39m ' : 'error: '
  const lines = [`${label}${stripVTControlCharacters(report.message)}`]
  if (report.why !== undefined) lines.push(`  why:  ${stripVTControlCharacters(report.why)}`)
  if (report.next !== undefined) lines.push(`  next: ${stripVTControlCharacters(report.next)}`)
  return `${lines.join('\n')}\n`
}

/**
 * Reads `-o`/`--output` from the words typed: an error may come before, or from, the parsing of flags.
 * Words after `--` are no flags.
 */
export const outputOf = (argv: readonly string[]): OutputFormat => {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const values = words.flatMap((word, index) => {
    if (word === '-o' || word === '--output') return [words[index + 1]]
    const match = /^(?:--output=|-o=?)(\w+)$/.exec(word)
    return match ? [match[1]] : []
  })
  const last = values.at(-1)
  return last === 'json' || last === 'yaml' ? last : 'human'
}

/** Renders the report in the format; `yaml` is loaded only where it is asked for. */
export const renderError = async (
  report: ErrorReport,
  format: OutputFormat,
  style: { color: boolean },
): Promise<{ stdout: string; stderr: string }> => {
  if (format === 'human') return { stdout: '', stderr: errorLines(report, style) }
  if (format === 'json') return { stdout: `${JSON.stringify(errorDocument(report), null, 2)}\n`, stderr: '' }
  const { yamlDocument } = await import('./yaml-document.ts')
  return { stdout: yamlDocument(errorDocument(report)), stderr: '' }
}
