/** Paths of typed steps, so that a field named `items` is never taken for the items of a list. */
import type { PathElement } from './comparison.types.ts'

/** As it is shown: `^.spec.list[*].map{*}`. A name with a dot or a bracket is quoted. */
export function showPath(path: readonly PathElement[]): string {
  return `^${path.map(show).join('')}`
}

function show(element: PathElement): string {
  if (element === 'items') return '[*]'
  if (element === 'values') return '{*}'
  return /^[^.[\]{}'"\s]+$/.test(element.property) ? `.${element.property}` : `[${JSON.stringify(element.property)}]`
}
