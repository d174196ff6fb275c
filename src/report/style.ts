/** How text may be drawn. Whoever calls decides: terminal, NO_COLOR and locale are none of a renderer's business. */
export interface TextStyle {
  color: boolean
  /** UTF-8 signs; else ASCII */
  unicode: boolean
  /** columns */
  width: number
}

/** What goes into logs and files. */
export const plainStyle: TextStyle = { color: false, unicode: false, width: 100 }

type Paint = 'red' | 'green' | 'yellow' | 'blue' | 'dim' | 'bold'

/** Select Graphic Rendition parameters of ECMA-48: on, off. */
const SGR: Record<Paint, readonly [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  dim: [2, 22],
  bold: [1, 22],
}

/** Colours the text where colours are wanted. */
export function paint(style: TextStyle, color: Paint, text: string): string {
  const [on, off] = SGR[color]
  return style.color ? `\u001b[${on}m${text}\u001b[${off}m` : text
}

export type Sign = 'passed' | 'info' | 'warning' | 'error' | 'unknown' | 'skipped'

const SIGNS: Record<Sign, { unicode: string; ascii: string; color: Paint }> = {
  passed: { unicode: '✓', ascii: 'ok', color: 'green' },
  info: { unicode: 'i', ascii: 'i', color: 'blue' },
  warning: { unicode: '!', ascii: '!', color: 'yellow' },
  error: { unicode: '✗', ascii: 'x', color: 'red' },
  unknown: { unicode: '?', ascii: '?', color: 'yellow' },
  skipped: { unicode: '–', ascii: '-', color: 'dim' },
}

/** The sign of an outcome, padded so that lines stay in column. */
export function sign(style: TextStyle, outcome: Sign): string {
  const { unicode, ascii, color } = SIGNS[outcome]
  return paint(style, color, style.unicode ? unicode : ascii.padEnd(2))
}

/** A text of ours for a terminal without UTF-8: signs become those that are drawn there, quotes and dashes lose their curves. */
export function inAscii(text: string): string {
  const others = { '→': '->', '…': '...', '’': "'", '‘': "'", '“': '"', '”': '"', '—': '-' }
  const plain = new Map<string, string>([
    ...Object.values(SIGNS).map(({ unicode, ascii }) => [unicode, ascii] as const),
    ...Object.entries(others),
  ])
  return text.replaceAll(/\P{ASCII}/gu, (character) => plain.get(character) ?? '?')
}

/** Breaks text at spaces into lines no longer than fits, each with the indent; a word that is too long keeps its line. */
export function wrap(style: TextStyle, indent: string, text: string): string[] {
  const room = Math.max(40, Math.min(style.width, 120)) - indent.length
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(indent + line)
  return lines
}
