/** What the terminal can show: decided once per command, from values. */

export interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
}

type Environment = Readonly<Record<string, string | undefined>>

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ''

/**
 * Colours: off with `--no-color`, a non-empty NO_COLOR (the no-color.org convention) or TERM=dumb; on with FORCE_COLOR (not 0);
 * otherwise where the stream is a terminal.
 */
export const wantsColor = (stream: Stream, env: Environment, noColorFlag: boolean): boolean => {
  if (noColorFlag || isSet(env['NO_COLOR'])) return false
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** UTF-8 by the locale, in the order of precedence POSIX gives LC_ALL, LC_CTYPE and LANG; Windows terminals can. */
export const wantsUnicode = (env: Environment, platform: NodeJS.Platform): boolean => {
  if (platform === 'win32') return true
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(isSet) ?? ''
  return /utf-?8/i.test(locale) && env['TERM'] !== 'linux'
}

/** Columns of the stream; 80 where it has none, as terminals of old. */
export const widthOf = (stream: Stream): number =>
  stream.columns !== undefined && stream.columns > 0 ? stream.columns : 80
