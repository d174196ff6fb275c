/** The names most like what was typed: those that contain it, or have a part that is a few edits away; best first, at most three. */
export function nearest(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase()
  const limit = Math.ceil(wanted.length / 4)
  return names
    .map((name) => ({ name, distance: distanceTo(wanted, name) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** People type the whole name, or how it begins; an empty word is far from everything. */
function distanceTo(wanted: string, name: string): number {
  if (wanted === '') return Number.POSITIVE_INFINITY
  if (name.includes(wanted)) return 0
  const words = name.split('-')
  const beginnings = words.map((_, index) => words.slice(0, index + 1).join('-'))
  return Math.min(...beginnings.map((beginning) => edits(wanted, beginning)))
}

/** Levenshtein distance, one row at a time. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change))
    }
    row = next
  }
  return row[b.length] ?? 0
}
