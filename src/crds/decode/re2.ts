/**
 * The regular expressions of Go (RE2) as those of JavaScript: the same words are in the same language. They differ in what a dot,
 * white space and escapes are, and in flags within the expression.
 */

interface Reader {
  source: string
  at: number
  /** of the group that is open, the last one first */
  flags: Flags[]
  /** how many brackets to close at the end of each open group */
  closing: number[]
}

interface Flags {
  /** a dot is also a line break */
  s: boolean
  /** ^ and $ are also those of lines */
  m: boolean
}

const space = String.raw`\t\n\f\r `
const escapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }
const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: String.raw`\x00-\x7f`,
  blank: String.raw`\t `,
  cntrl: String.raw`\x00-\x1f\x7f`,
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: String.raw`!-\/:-@\[-\x60\{-~`,
  space: String.raw`\t\n\v\f\r `,
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

/** The expression, undefined where it cannot be said in JavaScript or Go refuses it. */
export function goPattern(source: string): RegExp | undefined {
  const reader: Reader = { source, at: 0, flags: [{ s: false, m: false }], closing: [0] }
  try {
    let translated = ''
    while (reader.at < source.length) translated += next(reader)
    if (reader.flags.length !== 1) return undefined
    return new RegExp(translated + ')'.repeat(reader.closing[0] ?? 0), 'u')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function next(reader: Reader): string {
  const char = take(reader)
  const { s, m } = flagsOf(reader)
  switch (char) {
    case '\\':
      return escaped(reader, false)
    case '[':
      return classOf(reader)
    case '(':
      return group(reader)
    case ')':
      return endOfGroup(reader)
    case '.':
      return s ? '[^]' : String.raw`[^\n]`
    case '^':
      return m ? String.raw`(?<=^|\n)` : '^'
    case '$':
      return m ? String.raw`(?=\n|$)` : '$'
    case '{':
      return repetition(reader)
    case '|':
    case '*':
    case '+':
    case '?':
      return char
    default:
      return literal(codeOfFirst(char))
  }
}

function take(reader: Reader): string {
  const code = reader.source.codePointAt(reader.at)
  if (code === undefined) throw new SyntaxError('it ends too early')
  const char = String.fromCodePoint(code)
  reader.at += char.length
  return char
}

/** Takes what matches here, if it does. */
function takeMatch(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  const sticky = new RegExp(pattern, 'uy')
  sticky.lastIndex = reader.at
  const match = sticky.exec(reader.source)
  if (match === null) return undefined
  reader.at = sticky.lastIndex
  return match
}

function flagsOf(reader: Reader): Flags {
  return reader.flags.at(-1) ?? { s: false, m: false }
}

function literal(code: number): string {
  const char = String.fromCodePoint(code)
  return /^[\w]$/.test(char) ? char : `\\u{${code.toString(16)}}`
}

function codeOfFirst(char: string): number {
  return char.codePointAt(0) ?? 0
}

function repetition(reader: Reader): string {
  const match = takeMatch(reader, /(\d+)(,(\d*))?\}/)
  if (match === undefined) return literal(0x7b)
  // RE2 repeats at most 1000 times.
  if (Number(match[1]) > 1000 || Number(match[3] ?? 0) > 1000) throw new SyntaxError('repeated too often')
  return `{${match[0]}`
}

function group(reader: Reader): string {
  const parent = flagsOf(reader)
  if (takeMatch(reader, /\?P?<\w+>/) !== undefined) return open(reader, '(', parent)
  const match = takeMatch(reader, /\?([ims]*)(?:-([ims]+))?([:)])/)
  if (match === undefined) {
    if (reader.source[reader.at] === '?') throw new SyntaxError('unknown group')
    return open(reader, '(', parent)
  }
  const [, on = '', off = '', end] = match
  const flags = { s: flag(parent.s, 's', on, off), m: flag(parent.m, 'm', on, off) }
  const [folds, unfolds] = [on.includes('i'), off.includes('i')]
  const start = `(?${folds ? 'i' : ''}${unfolds ? '-i' : ''}:`
  if (end === ':') return open(reader, start, flags)
  if (folds || unfolds) {
    // Only at the start of a group does a flag without one of its own not cut an alternative in two.
    if (!/(?:^|\()(?:\?[ims-]*[:)])*$/.test(reader.source.slice(0, reader.at - match[0].length - 1))) {
      throw new SyntaxError('a flag in the middle')
    }
    reader.closing[reader.closing.length - 1] = (reader.closing.at(-1) ?? 0) + 1
  }
  reader.flags[reader.flags.length - 1] = flags
  return folds || unfolds ? start : ''
}

function flag(before: boolean, name: string, on: string, off: string): boolean {
  if (on.includes(name)) return true
  return off.includes(name) ? false : before
}

function open(reader: Reader, start: string, flags: Flags): string {
  reader.flags.push(flags)
  reader.closing.push(0)
  return start
}

function endOfGroup(reader: Reader): string {
  if (reader.flags.length === 1) throw new SyntaxError('no group is open')
  reader.flags.pop()
  return ')'.repeat((reader.closing.pop() ?? 0) + 1)
}

/** What follows a backslash, within a class or not. */
function escaped(reader: Reader, inClass: boolean): string {
  const quoted = inClass ? undefined : takeMatch(reader, /Q([^]*?)(?:\\E|$)/)
  if (quoted !== undefined)
    return Array.from(quoted[1] ?? '', codeOfFirst)
      .map(literal)
      .join('')
  const property = takeMatch(reader, /([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/)
  if (property !== undefined) return unicodeClass(property)
  const octal = takeMatch(reader, /0[0-7]{0,2}|[1-7][0-7]{1,2}/)
  if (octal !== undefined) return literal(Number.parseInt(octal[0], 8))
  const hexadecimal = takeMatch(reader, /x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/)
  if (hexadecimal !== undefined) return literal(codeOf(hexadecimal[1] ?? hexadecimal[2] ?? ''))
  const char = take(reader)
  if (/^[dDwW]$/.test(char)) return `\\${char}`
  if (char === 's') return inClass ? space : `[${space}]`
  if (char === 'S') return inClass ? String.raw`\x00-\x08\x0b\x0e-\x1f\x21-\u{10ffff}` : `[^${space}]`
  if (!inClass && /^[bB]$/.test(char)) return `\\${char}`
  if (!inClass && char === 'A') return '^'
  if (!inClass && char === 'z') return '$'
  const control = Object.hasOwn(escapes, char) ? escapes[char] : undefined
  if (control !== undefined) return literal(control)
  if (/^[!-/:-@[-^`{-~]$/.test(char) || char === '_') return literal(codeOfFirst(char))
  throw new SyntaxError(`unknown escape \\${char}`)
}

function codeOf(digits: string): number {
  const code = Number.parseInt(digits, 16)
  if (code > 0x10ffff) throw new SyntaxError('no such character')
  return code
}

function unicodeClass([, letter, negated, name, short]: RegExpExecArray): string {
  const isPositive = (letter === 'p') === (negated !== '^')
  const text = name ?? short ?? ''
  return `\\${isPositive ? 'p' : 'P'}{${text.length <= 2 ? text : `Script=${text}`}}`
}

function classOf(reader: Reader): string {
  let translated = takeMatch(reader, /\^/) === undefined ? '[' : '[^'
  for (let first = true; first || reader.source[reader.at] !== ']'; first = false) translated += classEntry(reader)
  reader.at++
  return `${translated}]`
}

function classEntry(reader: Reader): string {
  const posix = takeMatch(reader, /\[:(\w+):\]/)
  if (posix !== undefined) {
    const name = posix[1] ?? ''
    const characters = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined
    if (characters === undefined) throw new SyntaxError('unknown class')
    return characters
  }
  const from = classCharacter(reader)
  if (reader.source[reader.at] !== '-' || reader.source[reader.at + 1] === ']') return from
  reader.at++
  return `${from}-${classCharacter(reader)}`
}

function classCharacter(reader: Reader): string {
  const char = take(reader)
  return char === '\\' ? escaped(reader, true) : literal(codeOfFirst(char))
}
