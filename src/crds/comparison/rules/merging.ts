/** How the API server merges and identifies parts of an object: lists, maps, embedded objects. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { isSchema, propertiesOf, same, sorted, stringsOf } from '../schema-reading.ts'

const word = (schema: JSONSchema, name: string, otherwise: string) => {
  const value = schema[name]
  return typeof value === 'string' ? value : otherwise
}

export const listType = rule({
  id: 'crd.list-type',
  compares: 'x-kubernetes-list-type',
  kinds: {
    'to-atomic': warns(
      ['writer'],
      'the list is replaced as a whole now',
      'Server-side apply merged items of several writers; from now on the last writer takes the whole list.',
      'See who else writes items of this list.',
    ),
    'to-unique': breaks(
      ['writer', 'stored'],
      'the items of the list must be unique now',
      'Lists with duplicates are refused, and objects that hold one cannot be written. Who owns which item cannot be found out afterwards, so Kubernetes advises against this change.',
      'Make the change in a new version.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'the items of the list are told apart in another way',
      'A set compares whole items, a map their keys: lists that were valid may hold duplicates now, and the owners of items are lost.',
      'Make the change in a new version.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before, after].map((schema) => word(schema, 'x-kubernetes-list-type', 'atomic'))
    const seen = { before: old, after: now }
    if (old === now) return
    if (now === 'atomic') see('to-atomic', seen)
    else see(old === 'atomic' ? 'to-unique' : 'changed', seen)
  },
})

export const listMapKeys = rule({
  id: 'crd.list-map-keys',
  compares: 'x-kubernetes-list-map-keys, as a set',
  kinds: {
    changed: breaks(
      ['writer', 'reader', 'stored'],
      'the items of the list have other keys',
      'What is one item to a writer is another one now: items that were told apart are duplicates and refused, or the other way round.',
      'Make the change in a new version.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before, after].map((schema) => sorted(stringsOf(schema['x-kubernetes-list-map-keys'])))
    if (old === undefined || now === undefined || old.length === 0 || now.length === 0) return
    if (!same(old, now)) see('changed', { before: old, after: now })
  },
})

export const mapType = rule({
  id: 'crd.map-type',
  compares: 'x-kubernetes-map-type',
  kinds: {
    changed: warns(
      ['writer'],
      'the fields of the object are owned in another way',
      'An atomic object has one owner, a granular one an owner for each field: server-side apply meets conflicts it did not know, or takes what others own.',
      'See who else writes fields of this object.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before, after].map((schema) => word(schema, 'x-kubernetes-map-type', 'granular'))
    if (old !== now) see('changed', { before: old, after: now })
  },
})

export const embeddedResource = rule({
  id: 'crd.embedded-resource',
  compares: 'x-kubernetes-embedded-resource',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'the object must be a whole Kubernetes object now',
      'It needs apiVersion, kind and valid metadata: others are refused, and stored objects that hold one cannot be written.',
      'Look with --live whether every object has them.',
    ),
    removed: tells(
      ['reader'],
      'the object need not be a whole Kubernetes object any more',
      'Its apiVersion, kind and metadata are kept only where the schema names them.',
      'Name them in the schema.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before, after].map((schema) => schema['x-kubernetes-embedded-resource'] === true)
    const seen = { before: old, after: now }
    if (old !== now && now === true) see('added', seen)
    else if (old !== now) see('removed', keepsTypeAndMetadata(after) ? seen : { ...seen, ...dropped })
  },
})

/** Every embedded object that is stored has at least a type. */
const dropped = { level: 'error', audiences: ['reader', 'stored'] } as const

function keepsTypeAndMetadata(schema: JSONSchema): boolean {
  const fields = propertiesOf(schema)
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || isSchema(schema['additionalProperties'])
  return isOpen || ['apiVersion', 'kind', 'metadata'].every((name) => fields.has(name))
}
