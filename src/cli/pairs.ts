/** Flags of the form NAME=VALUE. */
import { Refusal } from '../report/refusal.ts'

/** Names to values; undefined where there are none. Throws `usage` for a text without a name or a value, and for a name given twice. */
export const pairs = (flag: string, texts: readonly string[]): Record<string, string> | undefined => {
  if (texts.length === 0) return undefined
  const found: Record<string, string> = {}
  for (const text of texts) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw new Refusal('usage', `${flag} ${text} is not of the form NAME=VALUE.`, { next: `${flag} NAME=VALUE` })
    if (name in found) throw new Refusal('usage', `${flag} names ${name} twice.`)
    found[name] = value
  }
  return found
}
