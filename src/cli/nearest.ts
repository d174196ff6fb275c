/** What the user may have meant. */

/** Levenshtein distance, one row at a time. */
const edits = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/** The names that start with what was typed, or are at most a third of its letters away; best first, at most three. */
export const nearestNames = (typed: string, names: readonly string[]): string[] => {
  const limit = Math.max(2, Math.ceil(typed.length / 3))
  return names
    .map((name) => ({ name, distance: typed !== '' && name.startsWith(typed) ? 0 : edits(typed, name) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name, 'en'))
    .slice(0, 3)
    .map(({ name }) => name)
}
