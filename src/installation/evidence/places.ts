/** Where a typed path leads in an object: as many places as its lists and maps have entries. */
import type { PathElement } from '../../crds/comparison/comparison.types.ts'
import type { NodeStep } from '../../crds/decode/decode.types.ts'

/** A place in an object. Its value is undefined where a field is not there. */
export interface Place {
  path: NodeStep[]
  value: unknown
}

/**
 * The places that a path leads to, the last field of it also where it is not there: then `value` is undefined. Values that are of
 * another type than the path, on its way, have no such places.
 */
export function placesOf(path: readonly PathElement[], object: unknown): Place[] {
  const places: Place[] = []
  const visit = (value: unknown, depth: number, way: NodeStep[]): void => {
    const step = path[depth]
    if (step === undefined) places.push({ path: way, value })
    else for (const [name, inner] of entriesAt(step, value)) visit(inner, depth + 1, [...way, name])
  }
  visit(object, 0, [])
  return places
}

function entriesAt(step: PathElement, value: unknown): Iterable<[NodeStep, unknown]> {
  if (step === 'items') return Array.isArray(value) ? value.entries() : []
  if (!isMap(value)) return []
  if (step === 'values') return Object.entries(value)
  return [[step.property, Object.hasOwn(value, step.property) ? value[step.property] : undefined]]
}

/** Is the value what JSON calls an object? */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A path as the API server writes it: `spec.list[0].name`. */
export function fieldOf(path: readonly NodeStep[]): string {
  return path.reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : before === '' ? step : `${before}.${step}`),
    '',
  )
}
