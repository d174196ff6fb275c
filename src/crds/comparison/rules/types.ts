/** Which types of JSON a node accepts. Types are compared as sets, so that a wider one is told from another one. */
import { hasDefault } from '../../decode/structural.ts'
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'

/** A whole number is a number: `number` is both. */
const jsonTypes = ['array', 'boolean', 'fraction', 'integer', 'object', 'string'] as const

function typesOf(schema: JSONSchema): ReadonlySet<string> {
  if (schema['x-kubernetes-int-or-string'] === true) return new Set(['integer', 'string'])
  const type = schema['type']
  if (type === 'number') return new Set(['integer', 'fraction'])
  return new Set(typeof type === 'string' && type !== '' ? [type] : jsonTypes)
}

/** How the types on both sides relate. */
export function relateTypes({ before, after }: NodePair): 'same' | 'wider' | 'narrower' | 'overlapping' | 'disjoint' {
  const [old, now] = [typesOf(before), typesOf(after)]
  const common = [...old].filter((name) => now.has(name)).length
  if (common === old.size) return old.size === now.size ? 'same' : 'wider'
  if (common === now.size) return 'narrower'
  return common === 0 ? 'disjoint' : 'overlapping'
}

function shown(schema: JSONSchema): unknown {
  return schema['x-kubernetes-int-or-string'] === true ? 'int-or-string' : (schema['type'] ?? 'any')
}

const isIntOrString = (schema: JSONSchema) => schema['x-kubernetes-int-or-string'] === true

export const type = rule({
  id: 'crd.type',
  compares: 'the types of JSON that a field accepts',
  kinds: {
    changed: breaks(
      ['writer', 'reader', 'stored'],
      'the field has another type',
      'Values of the old type are refused, clients built for it cannot decode the new one, and objects that hold one can be read but not written.',
      'Add a field beside the old one, or make the change in a new version with a conversion webhook.',
    ),
    narrowed: breaks(
      ['writer', 'stored'],
      'the field accepts fewer types',
      'Values of the types that went are refused, and stored objects that hold one cannot be written any more.',
      'Keep the wider type in this version.',
    ),
    widened: {
      ...tells(
        ['reader'],
        'the field accepts more types',
        'Clients see values of a type that they never saw.',
        'Tell those who read the field; going back needs objects without such values.',
      ),
      levelInStatus: 'warning',
    },
  },
  compare: (pair: NodePair, see) => {
    const [before, after] = [shown(pair.before), shown(pair.after)]
    const relation = relateTypes(pair)
    if (relation === 'disjoint' || relation === 'overlapping') see('changed', { before, after })
    else if (relation !== 'same' && isIntOrString(pair.before) === isIntOrString(pair.after)) {
      see(relation === 'wider' ? 'widened' : 'narrowed', { before, after })
    }
  },
})

export const intOrString = rule({
  id: 'crd.int-or-string',
  compares: 'x-kubernetes-int-or-string',
  kinds: {
    added: warns(
      ['reader'],
      'the field may now be a number or a text',
      'A client whose type for the field is just a number or just a text fails to decode the other.',
      'Release clients that read both first.',
    ),
    removed: breaks(
      ['writer', 'stored'],
      'the field may no longer be a number or a text',
      'Values of one of the two types are refused, and stored objects that hold one cannot be written any more.',
      'Keep x-kubernetes-int-or-string in this version.',
    ),
  },
  compare: (pair: NodePair, see) => {
    const { before, after } = pair
    if (isIntOrString(before) === isIntOrString(after)) return
    const seen = { before: shown(before), after: shown(after) }
    const relation = relateTypes(pair)
    if (relation === 'wider') see(isIntOrString(after) ? 'added' : 'removed', { ...seen, ...loosened(after) })
    if (relation === 'narrower') see(isIntOrString(after) ? 'added' : 'removed', { ...seen, ...tightened(after) })
  },
})

/** From int-or-string to any type at all: nobody's value is refused. */
function loosened(after: JSONSchema): object {
  return isIntOrString(after) ? {} : { level: 'info', audiences: ['reader'] }
}

/** From any type at all to int-or-string: other types are refused. */
function tightened(after: JSONSchema): object {
  return isIntOrString(after) ? { level: 'error', audiences: ['writer', 'stored'] } : {}
}

export const nullable = rule({
  id: 'crd.nullable',
  compares: 'whether null is a value of the field',
  kinds: {
    added: warns(
      ['reader'],
      'the field may now be null',
      'A client that takes a field that is there for one with a value meets null.',
      'Release clients that read null first.',
    ),
    removed: breaks(
      ['writer', 'stored'],
      'the field may no longer be null',
      'The API server drops the null of a field, or puts the default in its place: the meaning changes without a word. Nulls in lists and maps are refused, and stored objects that hold one cannot be written.',
      'Keep nullable in this version.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before['nullable'] === true, after['nullable'] === true]
    if (old === now) return
    const seen = { before: old, after: now }
    if (now) see('added', seen)
    // The API server prunes a null that has a default before it validates: nothing is refused.
    else if (!hasDefault(after)) see('removed', seen)
    else see('removed', { ...seen, level: 'warning', audiences: ['stored'] })
  },
})
