/** Which fields an object has. A field without a schema is pruned, unless its object keeps unknown fields. */
import { hasDefault } from '../../decode/structural.ts'
import type { JSONSchema, PathElement } from '../comparison.types.ts'
import { breaks, rule, tells } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import {
  acceptsAnything,
  compareTexts,
  documentationWords,
  isSchema,
  keepsJustKeys,
  keepsUnknown,
  propertiesOf,
  shapeOf,
} from '../schema-reading.ts'
import { isGivenByServer, isMetadata } from './given-fields.ts'
import { hasObjects } from './objects.ts'
import { isRefusedFor } from './presence.ts'

type Fields = ReadonlyMap<string, JSONSchema>

const isMap = (schema: JSONSchema) => isSchema(schema['additionalProperties'])

/** The old name of each new one: fields of one shape, of which one went and one came. Any doubt, and there is none. */
function renames(gone: Fields, added: Fields): ReadonlyMap<string, string> {
  if (gone.size === 0 || added.size === 0) return new Map()
  const [oldNames, newNames] = [namesByShape(gone), namesByShape(added)]
  return new Map(
    [...oldNames].flatMap(([shape, [from, ...others]]) => {
      const [to, ...more] = newNames.get(shape) ?? []
      const certain = from !== undefined && to !== undefined && others.length + more.length === 0
      return certain ? [[from, to] as const] : []
    }),
  )
}

function namesByShape(fields: Fields): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const [name, schema] of fields) {
    const shape = shapeOf(schema)
    names.set(shape, [...(names.get(shape) ?? []), name])
  }
  return names
}

function only(fields: Fields, others: Fields, { path, after }: NodePair): Fields {
  const names = [...fields.keys()].filter((name) => !others.has(name) && !isGivenByServer(name, path, after))
  return new Map(names.toSorted(compareTexts).map((name) => [name, fields.get(name) ?? {}]))
}

/** Just enough of a field to know it by: a whole schema would be too long to read. */
function shown(schema: JSONSchema): unknown {
  return schema['x-kubernetes-int-or-string'] === true ? 'int-or-string' : (schema['type'] ?? 'any')
}

/** Who left the field out gets nothing where there was a value: the same as where just the default goes. */
const losesDefault = (schema: JSONSchema) =>
  hasDefault(schema) && ({ level: 'error', audiences: ['reader', 'stored'] } as const)

/** The object around counts its fields: with one more it is refused. */
const refusing = { level: 'error', audiences: ['writer', 'reader', 'stored'] } as const

const isAnyText = (schema: JSONSchema) =>
  Object.keys(schema).every((word) => word === 'type' || documentationWords.includes(word))

const below = (path: readonly PathElement[], property: string) => [...path, { property }]

export const property = rule({
  id: 'crd.property',
  compares: 'which fields an object has',
  kinds: {
    removed: breaks(
      ['writer', 'reader', 'stored'],
      'the field is gone',
      'The API server drops it from every object, at once when it is read and for good when it is written; kubectl refuses manifests that have it.',
      'Keep the field, deprecated in its description, and remove it in a new version.',
    ),
    renamed: breaks(
      ['writer', 'reader', 'stored'],
      'the field is gone; it looks as if it had been renamed',
      'A field of the same shape is new beside it. The API server knows no renames: the value is dropped, not moved.',
      'Rename in a new version with a conversion webhook, or keep both fields for a while.',
    ),
    undeclared: tells(
      ['reader'],
      'the field has no schema any more, but is kept',
      'Its object keeps unknown fields, so values stay, but nothing checks them or fills in defaults.',
      'Nothing to do for stored objects; readers must check for themselves.',
    ),
    emptied: breaks(
      ['reader', 'stored'],
      'the field has no schema any more, and keeps nothing that is in its objects',
      'With additionalProperties: true the API server keeps each key, but drops every field of the objects below it.',
      'Use x-kubernetes-preserve-unknown-fields: true, or keep the schema of the field.',
    ),
    added: tells(
      ['reader'],
      'the field is new',
      'Going back drops it from objects that have got it meanwhile.',
      'Nothing to do.',
    ),
    'added-with-default': tells(
      ['reader', 'stored'],
      'the field is new, with a default',
      'Every stored object shows it from the next read on.',
      'See that the default means what its absence meant.',
    ),
    'constrains-unknown': breaks(
      ['writer', 'stored'],
      'a field that could hold anything has a schema now',
      'Its object keeps unknown fields, so the field may be in stored objects already, with a value that the new schema refuses.',
      'Look with --live whether an object has the field with another value.',
    ),
  },
  compare: (pair: NodePair, see) => {
    const { before, after, path } = pair
    // A map in place of named fields, or the other way round, is one change, which another rule sees.
    if (isMap(before) !== isMap(after)) return
    const [old, now] = [propertiesOf(before), propertiesOf(after)]
    const [gone, added] = [only(old, now, pair), only(now, old, pair)]
    // The API server keeps metadata whole, whatever of them the schema names.
    const [kept, keeps] = [keepsUnknown(before) || isMetadata(pair), keepsUnknown(after) || isMetadata(pair)]
    const renamed = keeps || kept ? new Map<string, string>() : renames(gone, added)
    for (const [name, schema] of gone) {
      const place = { path: below(path, name), node: { before: schema } }
      const to = renamed.get(name)
      if (keeps) {
        const kind = keepsJustKeys(after) && hasObjects(schema) ? 'emptied' : 'undeclared'
        see(kind, { before: shown(schema), ...place, ...(kind === 'undeclared' && losesDefault(schema)) })
      } else if (to === undefined) see('removed', { before: shown(schema), ...place })
      else see('renamed', { before: name, after: to, ...place })
    }
    for (const [name, schema] of added) {
      const place = { path: below(path, name), node: { after: schema }, after: shown(schema) }
      const free = acceptsAnything(schema) || (isMetadata(pair) && isAnyText(schema))
      if (kept && !free) see('constrains-unknown', place)
      else if (!hasDefault(schema)) see('added', place)
      else see('added-with-default', isRefusedFor(name, after) ? { ...place, ...refusing } : place)
    }
  },
})
