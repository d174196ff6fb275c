/** What was typed, to be carried on into the commands that a result names. */
import type { TypedWords } from '../preflight/check.types.ts'
import { connectionFlags } from './connection-flags.ts'

/** What oclif's parser tells of each word (`raw`); a value that an environment variable gave is not among them. */
export type Token = { type: 'flag'; flag: string; input: string } | { type: 'arg'; arg: string; input: string }

/** Flags that mean the same for a later look, and for an upgrade to the same version or another. */
const carried = new Set(['releases', 'compatibility', 'accept'])

/**
 * The words in the order typed and quoted for a shell. A token is left out: whoever reads a result, or the log that keeps it,
 * may not be the one who typed it.
 */
export const typedWords = (tokens: readonly Token[]): TypedWords => {
  const words = (wanted: (flag: string) => boolean): string =>
    tokens.flatMap((token) => (token.type === 'flag' && wanted(token.flag) ? [wordOf(token)] : [])).join(' ')
  return {
    connection: words((flag) => flag in connectionFlags && flag !== 'token'),
    source: words((flag) => flag === 'source'),
    options: words((flag) => carried.has(flag)),
  }
}

/**
 * A hint with the words that were typed put into each command of ours, so that it goes to the same cluster, with the same
 * files: services name commands by their verb alone. `records` is the flag for the records' namespace, where one was typed.
 */
export const carriedOn = (hint: string, typed: TypedWords, records = ''): string =>
  hint.replaceAll(
    /kubectl airunway (preflight|upgrade|migrate|resume|abort|rollback|history export|history|status)\b( --to \S+)?/g,
    (_, verb: string, to: string = '') =>
      [
        `kubectl airunway ${verb}`,
        typed.connection,
        verb === 'preflight' ? '' : records,
        // the files are those of one version: they go with the hint that names it
        ...(to === '' ? [] : [typed.source, typed.options, to.trim()]),
      ]
        .filter((words) => words !== '')
        .join(' '),
  )

const wordOf = ({ flag, input }: { flag: string; input: string }): string => {
  if (flag in connectionFlags && connectionFlags[flag as keyof typeof connectionFlags].type === 'boolean')
    return `--${flag}`
  const value = shellQuoted(withoutSecrets(input))
  return input.startsWith('-') ? `--${flag}=${value}` : `--${flag} ${value}`
}

/** An address may hold a user, a password, or a signature in its query. */
const withoutSecrets = (text: string): string =>
  /^https?:/i.test(text) ? text.replace(/\/\/.*@/, '//...@').replace(/\?.*/s, '?...') : text

/** The word as a POSIX shell reads it back. */
export const shellQuoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
