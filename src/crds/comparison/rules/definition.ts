/** What names a resource, and where it lives. */
import { breaks, rule, tells, warns } from '../rule.ts'
import type { DefinitionPair } from '../rule.types.ts'
import { missingFrom, same, stringsOf } from '../schema-reading.ts'

export const scope = rule({
  id: 'crd.scope',
  compares: 'whether objects live in namespaces',
  kinds: {
    changed: breaks(
      ['writer', 'reader', 'stored'],
      'objects live elsewhere now',
      'The API server refuses the change of an established definition; under a new one no object is found where it was.',
      'Define a new kind and move the objects.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    const [old, now] = [before.spec.scope, after.spec.scope]
    if (old !== now) see('changed', { before: old, after: now })
  },
})

export const group = rule({
  id: 'crd.group',
  compares: 'the API group',
  kinds: {
    changed: breaks(
      ['writer', 'reader', 'stored'],
      'the kind is in another group',
      'That is another resource: objects stay behind under the old one, and no request of a client reaches the new one.',
      'Keep the old definition and move the objects.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    if (before.spec.group !== after.spec.group) see('changed', { before: before.spec.group, after: after.spec.group })
  },
})

export const names = rule({
  id: 'crd.names',
  compares: 'kind, plural and the other names',
  kinds: {
    'kind-changed': breaks(
      ['writer', 'reader', 'stored'],
      'the kind has another name',
      'Every manifest and every stored object says the old one; the API server refuses the change of an established definition.',
      'Define a new kind and move the objects.',
    ),
    'plural-changed': breaks(
      ['writer', 'reader', 'stored'],
      'the resource has another name',
      'That is another resource: no path of a client and no rule of RBAC leads to it, and objects stay behind under the old one.',
      'Keep the old definition and move the objects.',
    ),
    'list-kind-changed': warns(
      ['reader'],
      'lists have another kind',
      'Clients that decode lists by their kind do not know the new one.',
      'Keep the name.',
    ),
    'singular-changed': warns(
      [],
      'kubectl knows the resource by another singular',
      'Scripts that type the old one fail.',
      'Keep the name.',
    ),
    'short-name-removed': warns([], 'a short name is gone', 'Scripts that type it fail.', 'Keep the name.'),
    'short-name-added': tells([], 'a short name is new', 'Nobody loses anything.', 'Nothing to do.'),
    'category-removed': warns(
      [],
      'the kind has left a category',
      'kubectl get with the category does not show its objects any more.',
      'Keep the category.',
    ),
    'category-added': tells([], 'the kind has joined a category', 'Nobody loses anything.', 'Nothing to do.'),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    const [old, now] = [before.spec.names, after.spec.names]
    if (old.kind !== now.kind) see('kind-changed', { before: old.kind, after: now.kind })
    if (old.plural !== now.plural) see('plural-changed', { before: old.plural, after: now.plural })
    // The API server fills these two in from the kind.
    const singular = (of: typeof old) => of.singular ?? of.kind.toLowerCase()
    const listKind = (of: typeof old) => of.listKind ?? `${of.kind}List`
    if (singular(old) !== singular(now)) see('singular-changed', { before: singular(old), after: singular(now) })
    if (listKind(old) !== listKind(now)) see('list-kind-changed', { before: listKind(old), after: listKind(now) })
    const [oldWords, newWords] = [old, now].map((of) => ({
      short: stringsOf(of.shortNames),
      categories: stringsOf('categories' in of ? of.categories : undefined),
    }))
    if (oldWords === undefined || newWords === undefined) return
    for (const name of missingFrom(oldWords.short, newWords.short)) see('short-name-removed', { before: name })
    for (const name of missingFrom(newWords.short, oldWords.short)) see('short-name-added', { after: name })
    for (const name of missingFrom(oldWords.categories, newWords.categories)) see('category-removed', { before: name })
    for (const name of missingFrom(newWords.categories, oldWords.categories)) see('category-added', { after: name })
  },
})

export const preserveUnknownEverywhere = rule({
  id: 'crd.definition-preserve-unknown-fields',
  compares: 'spec.preserveUnknownFields, which definitions have from before apiextensions.k8s.io/v1',
  kinds: {
    removed: breaks(
      ['reader', 'stored'],
      'unknown fields are dropped everywhere now',
      'The API server drops every field without a schema, at once when an object is read and for good when it is written.',
      'Look with --live what objects would lose.',
    ),
    added: breaks(
      ['writer'],
      'unknown fields are kept everywhere',
      'API servers refuse to turn this on.',
      'Use x-kubernetes-preserve-unknown-fields where it is needed.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    const [old, now] = [before, after].map(({ spec }) => spec['preserveUnknownFields'] === true)
    if (!same(old, now)) see(now === true ? 'added' : 'removed', { before: old, after: now })
  },
})
