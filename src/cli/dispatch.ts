/** What the words typed ask for. Pure: decided from the words and the ids alone. */
import { nearest } from '../report/nearest.ts'

export type Dispatch =
  /** help on a command or topic; no id means the front page */
  | { kind: 'help'; id?: string }
  | { kind: 'run'; id: string; argv: string[] }
  | { kind: 'unknown'; typed: string; near: string[] }
  | { kind: 'unexpected'; id: string; word: string }

interface Known {
  /** does the command take positional arguments? */
  ids: Readonly<Record<string, { takesArguments: boolean }>>
}

/** The version is asked for: answered before anything is loaded. */
export const asksVersion = (argv: readonly string[]): boolean => argv[0] === '--version' || argv[0] === 'version'

const isHelpFlag = (word: string): boolean => word === '--help' || word === '-h'

/**
 * Decides. Ids have `:` between their words, users type a space. The longest known id wins; a word left over that the
 * command cannot take is refused here, because oclif would call it a part of the command's name.
 */
export const dispatch = (argv: readonly string[], known: Known): Dispatch => {
  const [first] = argv
  const end = argv.indexOf('--')
  const asksHelp = (end === -1 ? argv : argv.slice(0, end)).some(isHelpFlag) || first === 'help' || first === undefined
  const typed = (first === 'help' ? argv.slice(1) : argv).flatMap((word) => word.split(':'))
  const flagAt = typed.findIndex((word) => word.startsWith('-'))
  const words = flagAt === -1 ? typed : typed.slice(0, flagAt)
  const ids = Object.keys(known.ids)
  const id = longestId(words, ids)
  if (asksHelp && words.length === 0) return { kind: 'help' }
  if (id === undefined) return ofNoCommand(words, ids, asksHelp)
  if (asksHelp) return { kind: 'help', id }
  const rest = argv.slice(id.split(':').length)
  const [word] = words.slice(id.split(':').length)
  if (word !== undefined && known.ids[id]?.takesArguments !== true) return { kind: 'unexpected', id, word }
  return { kind: 'run', id, argv: rest }
}

const longestId = (words: readonly string[], ids: readonly string[]): string | undefined =>
  words.map((_, index) => words.slice(0, words.length - index).join(':')).find((candidate) => ids.includes(candidate))

/** A topic (`playground`) shows its help, but only when nothing follows that it does not know. */
const ofNoCommand = (words: readonly string[], ids: readonly string[], asksHelp: boolean): Dispatch => {
  const typed = words.join(' ')
  const [topic] = words
  if (topic === undefined) return { kind: 'unknown', typed: '', near: [] }
  const isTopic = ids.some((id) => id.startsWith(`${topic}:`))
  if (isTopic && (words.length === 1 || asksHelp)) return { kind: 'help', id: topic }
  const names = ids.map((id) => id.replaceAll(':', ' '))
  // What follows may be arguments of the command that was meant.
  const beginnings = words.map((_, index) => words.slice(0, words.length - index).join(' '))
  const near = beginnings.map((beginning) => nearest(beginning, names)).find((found) => found.length > 0)
  return { kind: 'unknown', typed, near: near ?? [] }
}
