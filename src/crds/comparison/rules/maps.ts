/** What an object does with fields that its schema does not name: drop them, keep them, or hold them to one schema. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells } from '../rule.ts'
import type { NodePair, Seen } from '../rule.types.ts'
import {
  acceptsAnything,
  canonical,
  isSchema,
  keepsJustKeys,
  keepsUnknown,
  propertiesOf,
  schemaOf,
} from '../schema-reading.ts'
import { hasObjects } from './objects.ts'

type Form = 'map' | 'open' | 'fields' | 'nothing'

function formOf(schema: JSONSchema): Form {
  if (isSchema(schema['additionalProperties'])) return 'map'
  if (keepsUnknown(schema)) return 'open'
  return propertiesOf(schema).size > 0 ? 'fields' : 'nothing'
}

type Kind = 'structure-changed' | 'removed' | 'constrained' | 'opened' | 'emptied' | 'added'

/** From each form to each other one. An object that holds nothing can lose nothing. */
const transitions: Readonly<Record<Form, Partial<Record<Form, Kind>>>> = {
  map: { fields: 'structure-changed', nothing: 'removed', open: 'opened' },
  fields: { map: 'structure-changed' },
  open: { map: 'constrained' },
  nothing: { map: 'added' },
}

export const additionalProperties = rule({
  id: 'crd.additional-properties',
  compares: 'additionalProperties: whether an object is a map, and of what',
  kinds: {
    'structure-changed': breaks(
      ['writer', 'reader', 'stored'],
      'a map has become an object with named fields, or the other way round',
      'Keys without a schema are dropped, others are held to another schema, and clients read the one as the other.',
      'Make the change in a new version with a conversion webhook.',
    ),
    removed: breaks(
      ['writer', 'reader', 'stored'],
      'the map keeps no keys any more',
      'The API server drops every key from every object.',
      'Keep additionalProperties in this version.',
    ),
    constrained: breaks(
      ['writer', 'stored'],
      'the values of the map are held to a schema now',
      'They could be anything. Others are refused, and stored objects that hold one cannot be written any more.',
      'Look with --live whether every value fits; else restrict the map in a new version.',
    ),
    opened: tells(
      ['reader'],
      'the values of the map may be anything now',
      'Clients see values that the schema kept away.',
      'Going back needs values of the old schema.',
    ),
    emptied: breaks(
      ['reader', 'stored'],
      'the values of the map have no schema any more, and keep nothing that is in their objects',
      'With additionalProperties: true the API server keeps each key, but drops every field of the objects below it.',
      'Use x-kubernetes-preserve-unknown-fields: true as the schema of the values, or keep their schema.',
    ),
    added: tells(['reader'], 'the object keeps keys now', 'It held nothing before.', 'Going back drops the keys.'),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [from, to] = [formOf(before), formOf(after)]
    const emptied = to === 'open' && keepsJustKeys(after) && hasObjects(schemaOf(before['additionalProperties']))
    const kind = from === 'map' && emptied ? 'emptied' : transitions[from][to]
    const restricts = kind !== 'constrained' || !acceptsAnything(schemaOf(after['additionalProperties']))
    if (kind !== undefined && restricts) see(kind, { before: from, after: to })
  },
})

export const preserveUnknown = rule({
  id: 'crd.preserve-unknown-fields',
  compares: 'x-kubernetes-preserve-unknown-fields, and additionalProperties: true',
  kinds: {
    removed: breaks(
      ['reader', 'stored'],
      'unknown fields are dropped now',
      'The API server drops every field that the schema does not name, at once when an object is read and for good when it is written.',
      'Name every field that objects have, or keep unknown fields in this version; --live lists the objects that would lose something.',
    ),
    emptied: breaks(
      ['reader', 'stored'],
      'unknown fields are kept, but nothing that is in their objects any more',
      'With additionalProperties: true the API server keeps each key, but drops every field of the objects below it.',
      'Keep x-kubernetes-preserve-unknown-fields: true in the place of additionalProperties: true.',
    ),
    added: tells(
      ['reader'],
      'unknown fields are kept now',
      'Clients see fields that no schema describes.',
      'Going back drops them.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [formOf(before), formOf(after)]
    const seen: Seen = { before: old === 'open', after: now === 'open' }
    if (old === 'open' && (now === 'fields' || now === 'nothing')) see('removed', seen)
    if ((old === 'fields' || old === 'nothing') && now === 'open') see('added', seen)
    if (old !== 'open' || now !== 'open' || keepsJustKeys(before) === keepsJustKeys(after)) return
    see(keepsJustKeys(after) ? 'emptied' : 'added', { before: shownOpen(before), after: shownOpen(after) })
  },
})

const shownOpen = (schema: JSONSchema) => (keepsJustKeys(schema) ? 'keys' : 'whole')

export const items = rule({
  id: 'crd.items',
  compares: 'whether the items of a list have a schema',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'the items of the list have a schema now',
      'They could be anything. Others are refused, and their unknown fields are dropped.',
      'Look with --live whether every item fits.',
    ),
    removed: tells(
      ['reader'],
      'the items of the list have no schema any more',
      'Clients see any items.',
      'Nothing to do.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'the items of the list are described in another form',
      'An API server refuses a list of schemas here, so what it means cannot be told.',
      'Describe all items by one schema.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before['items'], after['items']]
    if (isSchema(old) && isSchema(now)) return
    if (old === undefined && now === undefined) return
    if (old === undefined) see('added', {})
    else if (now === undefined) see('removed', {})
    else if (canonical(old) !== canonical(now)) see('changed', {})
  },
})
