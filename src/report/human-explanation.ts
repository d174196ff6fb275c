import type { Explanation } from '../preflight/explanation.types.ts'
import { inAscii, paint, type TextStyle } from './style.ts'

/** One page as it is, or a line for each ID. */
export function renderExplanation({ page, checks }: Explanation, style: TextStyle): string {
  if (page !== undefined) return pageText(page, style)
  const width = Math.max(...checks.map(({ id }) => id.length))
  const lines = checks.map(({ id, check }) => `${paint(style, 'bold', id.padEnd(width))}  not so: ${check}`)
  return `${lines.join('\n')}\n\nNext: kubectl airunway explain ID\n`
}

function pageText(page: string, style: TextStyle): string {
  const lines = (style.unicode ? page : inAscii(page)).trimEnd().split('\n')
  return `${lines.map((line) => (line.startsWith('#') ? paint(style, 'bold', line) : line)).join('\n')}\n`
}
