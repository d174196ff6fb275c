import { expect } from 'vitest'
import { difference, type FieldsV1, project, union } from '../../../src/kubernetes/field-set.ts'
import type { Chance, Property } from '../seeded.ts'

const elements = ['f:a', 'f:b', 'f:c', 'k:{"name":"x"}', 'k:{"name":"y"}', 'v:"z"', 'i:0']

/** A set as servers write it: `.` only beside other elements. */
function fieldSet(chance: Chance, depth = 3): FieldsV1 {
  const children = depth === 0 ? [] : chance.several(3, () => [chance.pick(elements), fieldSet(chance, depth - 1)])
  const set = Object.fromEntries(children) as FieldsV1
  return depth < 3 && children.length > 0 && chance.flip() ? { '.': {}, ...set } : set
}

/** Maps of fields, lists of named items, sets of texts and scalars. */
function value(chance: Chance, depth = 3): unknown {
  const below = () => value(chance, depth - 1)
  const form = depth === 0 ? 'scalar' : depth === 3 ? 'map' : chance.pick(['map', 'items', 'texts', 'scalar'])
  if (form === 'map') return Object.fromEntries(['a', 'b', 'c'].filter(chance.flip).map((name) => [name, below()]))
  if (form === 'items') return ['x', 'y'].filter(chance.flip).map((name) => ({ name, a: below() }))
  if (form === 'texts') return ['p', 'q', 'r'].filter(chance.flip)
  return chance.pick([null, false, 0, 'text'])
}

/** Some of the fields of a value, each by its leaves; undefined where that is none. */
function fieldsOf(from: unknown, keep: () => boolean): FieldsV1 | undefined {
  const parts: [string, unknown][] = Array.isArray(from)
    ? from.map((item: unknown) =>
        typeof item === 'string'
          ? [`v:${JSON.stringify(item)}`, item]
          : [`k:${JSON.stringify({ name: (item as { name: string }).name })}`, item],
      )
    : typeof from === 'object' && from !== null
      ? Object.entries(from).map(([name, field]) => [`f:${name}`, field])
      : []
  if (parts.length === 0) return keep() ? {} : undefined
  const kept = parts.flatMap(([element, part]) => {
    const fields = fieldsOf(part, keep)
    return fields ? [[element, fields] as const] : []
  })
  return kept.length > 0 ? { '.': {}, ...Object.fromEntries(kept) } : undefined
}

export const fieldSetProperties: Property[] = [
  {
    title: 'union takes any order and any repetition',
    holds: (chance) => {
      const [a, b, c] = [fieldSet(chance), fieldSet(chance), fieldSet(chance)]
      expect(union(b, a)).toEqual(union(a, b))
      expect(union(union(a, b), c)).toEqual(union(a, union(b, c)))
      expect(union(a, b, a)).toEqual(union(a, b))
      expect(union(a, {})).toEqual(a)
    },
  },
  {
    title: 'difference takes away what the other has, and nothing else',
    holds: (chance) => {
      const [a, b] = [fieldSet(chance), fieldSet(chance)]
      const rest = difference(a, b)
      expect(difference(a, a)).toEqual({})
      expect(difference(rest, b)).toEqual(rest)
      expect(union(rest, a)).toEqual(a)
      expect(union(rest, b)).toEqual(union(a, b))
    },
  },
  {
    title: 'all fields of an object keep it whole, some keep the same of it and of what any more keep',
    holds: (chance) => {
      const object = value(chance)
      expect(project(object, fieldsOf(object, () => true) ?? {})).toEqual(
        Object.keys(object as object).length > 0 ? object : undefined,
      )
      const some = fieldsOf(object, chance.flip) ?? {}
      const others = fieldsOf(object, chance.flip) ?? {}
      const kept = project(object, some)
      expect(project(kept, some)).toEqual(kept)
      expect(project(project(object, union(some, others)), some)).toEqual(kept)
    },
  },
]
