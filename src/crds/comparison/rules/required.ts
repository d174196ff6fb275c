/** Which fields must be there. Only nodes that both sides have are compared: what is required inside a new field hurts nobody. */

import { hasDefault } from '../../decode/structural.ts'
import type { JSONSchema, PathElement } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { compareTexts, propertiesOf, stringsOf } from '../schema-reading.ts'
import { isGivenByServer } from './given-fields.ts'

const fillsIn = (schema: JSONSchema | undefined) => schema !== undefined && hasDefault(schema)

interface Field {
  before: JSONSchema | undefined
  after: JSONSchema | undefined
}

function at(path: readonly PathElement[], name: string, { before, after }: Field): object {
  return { path: [...path, { property: name }], node: { ...(before && { before }), ...(after && { after }) } }
}

export const required = rule({
  id: 'crd.required',
  compares: 'which fields an object must have; paths name the field',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'the field is required now',
      'Requests without it are refused, and stored objects without it cannot be written any more: the field has no default that would fill it in.',
      'Give the field a default, or require it in a new version only.',
    ),
    'added-with-default': warns(
      ['writer', 'stored'],
      'the field is required now, and its default fills it in',
      'The API server applies defaults before it validates, when an object is written and when it is read, so nobody is refused. But all objects have the field from now on, and rules over its absence end.',
      'See that the default means what its absence meant.',
    ),
    removed: {
      ...warns(
        ['reader'],
        'the field may be missing now',
        'Clients that rely on it meet objects without it.',
        'Release clients that do without it first, or give it a default.',
      ),
      levelInStatus: 'error',
    },
    'removed-with-default': tells(
      [],
      'the field is no longer required, but always there',
      'Its default fills it in.',
      'Nothing to do.',
    ),
  },
  compare: ({ before, after, path }: NodePair, see) => {
    const [old, now] = [new Set(stringsOf(before['required'])), new Set(stringsOf(after['required']))]
    const [oldFields, newFields] = [propertiesOf(before), propertiesOf(after)]
    for (const name of [...new Set([...old, ...now])].toSorted(compareTexts)) {
      if (old.has(name) === now.has(name) || isGivenByServer(name, path, after)) continue
      const field = { before: oldFields.get(name), after: newFields.get(name) }
      const place = at(path, name, field)
      if (now.has(name)) see(fillsIn(field.after) ? 'added-with-default' : 'added', { after: true, ...place })
      // A field that is gone as a whole is not just optional: that is another rule's.
      else if (field.after !== undefined || field.before === undefined) {
        see(fillsIn(field.after) ? 'removed-with-default' : 'removed', { before: true, ...place })
      }
    }
  },
})
