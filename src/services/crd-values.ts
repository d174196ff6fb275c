/** Parts of schemas as they are printed: the order of keys in a file says nothing, so none of it is left. */

/** The value with the keys of all its maps in order. */
export function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, entry]) => [key, inKeyOrder(entry)]))
}

/** Both sides of a change, printable. */
export function sidesOf({ before, after }: { before?: unknown; after?: unknown }): {
  before?: unknown
  after?: unknown
} {
  return {
    ...(before !== undefined && { before: inKeyOrder(before) }),
    ...(after !== undefined && { after: inKeyOrder(after) }),
  }
}
