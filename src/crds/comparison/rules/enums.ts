/** Closed lists of values, compared as sets: their order says nothing. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { listOf, missingFrom, sorted } from '../schema-reading.ts'

/**
 * Undefined where every value is allowed: no list, or one that names all there are. Null is one of them where both sides know it:
 * the API server holds it to the list as well.
 */
function valuesOf(schema: JSONSchema, all: readonly unknown[]): readonly unknown[] | undefined {
  const values = listOf(schema['enum'])
  if (values.length === 0) return undefined
  return schema['type'] === 'boolean' && all.every((value) => values.includes(value)) ? undefined : values
}

export const enumeration = rule({
  id: 'crd.enum',
  compares: 'the closed list of values that a field accepts',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'only listed values are accepted now',
      'The field took any value. Others than the listed ones are refused, and stored objects that hold one cannot be written.',
      'Look with --live whether an object holds another value; else restrict the field in a new version.',
    ),
    'value-removed': breaks(
      ['writer', 'stored'],
      'a value is no longer accepted',
      'Requests with the value are refused, and stored objects that hold it cannot be written any more.',
      'Keep the value, deprecated in its description, or look with --live whether an object holds it.',
    ),
    'value-added': warns(
      ['reader'],
      'a value is new in a closed list',
      'A client that handles just the values it knows meets one that it does not. Going back needs objects without it.',
      'Say in the description that the list is open, and release clients that tolerate unknown values first.',
    ),
    removed: warns(
      ['reader'],
      'every value is accepted now',
      'Clients that handle just the values that were listed meet others.',
      'Release clients that tolerate unknown values first.',
    ),
    'no-effect': tells(
      [],
      'the list names every value there is',
      'A list of true and false restricts nothing.',
      'Nothing to do.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const nullable = before['nullable'] === true && after['nullable'] === true
    const all = nullable ? [true, false, null] : [true, false]
    const [old, now] = [valuesOf(before, all), valuesOf(after, all)]
    if (old === undefined) {
      if (now !== undefined) see('added', { after: sorted(now) })
      else if (listOf(before['enum']).length === 0 && listOf(after['enum']).length > 0) {
        see('no-effect', { after: sorted(listOf(after['enum'])) })
      }
      return
    }
    if (now === undefined) {
      see('removed', { before: sorted(old) })
      return
    }
    const [gone, added] = [sorted(missingFrom(old, now)), sorted(missingFrom(now, old))]
    if (gone.length > 0) see('value-removed', { before: gone, after: sorted(now) })
    if (added.length > 0) see('value-added', { before: sorted(old), after: added })
  },
})
