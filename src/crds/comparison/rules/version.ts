/** What a version offers beside its schema: subresources, fields to select by, columns. */
import type { CustomResourceDefinitionVersion } from '../../../kubernetes/objects.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { VersionPair } from '../rule.types.ts'
import { listOf, missingFrom, same, schemaOf, schemaOfVersion } from '../schema-reading.ts'

/** A subresource of null is none. */
const subresource = (version: CustomResourceDefinitionVersion, name: string) =>
  schemaOf(version.subresources)[name] ?? undefined

export const schemaPresence = rule({
  id: 'crd.schema',
  compares: 'whether a version has a schema at all',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'the version has a schema now',
      'It accepted and kept everything. Fields without a schema are dropped, values that do not fit are refused.',
      'Look with --live what objects would lose.',
    ),
    removed: breaks(
      ['writer', 'reader', 'stored'],
      'the version has no schema any more',
      'API servers refuse such a definition.',
      'Keep the schema.',
    ),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [schemaOfVersion(before), schemaOfVersion(after)]
    if (old === undefined && now !== undefined) see('added', {})
    if (old !== undefined && now === undefined) see('removed', {})
  },
})

export const statusSubresource = rule({
  id: 'crd.status-subresource',
  compares: 'subresources.status',
  kinds: {
    added: breaks(
      ['writer'],
      'status has an endpoint of its own now',
      'What clients write to status through the object itself is ignored from now on, without a word.',
      'Release controllers that write to the status endpoint first, and give them the right to.',
    ),
    removed: breaks(
      ['writer'],
      'status has no endpoint of its own any more',
      'Controllers that write to it get 404, and every writer of the object can overwrite status.',
      'Keep the subresource.',
    ),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [before, after].map((version) => subresource(version, 'status') !== undefined)
    if (old !== now) see(now === true ? 'added' : 'removed', { before: old, after: now })
  },
})

export const scaleSubresource = rule({
  id: 'crd.scale-subresource',
  compares: 'subresources.scale and its paths',
  kinds: {
    added: tells([], 'the object can be scaled by its endpoint now', 'Autoscalers can use it.', 'Nothing to do.'),
    changed: breaks(
      ['writer', 'reader'],
      'the scale endpoint reads or writes other fields',
      'An autoscaler that works on it sees and sets something else.',
      'Keep the paths in this version.',
    ),
    removed: breaks(
      ['writer', 'reader'],
      'the object cannot be scaled by its endpoint any more',
      'Autoscalers and kubectl scale get 404.',
      'Keep the subresource in this version.',
    ),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [subresource(before, 'scale'), subresource(after, 'scale')]
    const seen = { before: old, after: now }
    if (old === undefined && now === undefined) return
    if (old === undefined) see('added', seen)
    else if (now === undefined) see('removed', seen)
    else if (!same(old, now)) {
      // A path for the selector that was not there before takes nothing away.
      const { labelSelectorPath: _, ...others } = schemaOf(now)
      see('changed', same(old, others) ? { ...seen, level: 'info' } : seen)
    }
  },
})

export const selectableFields = rule({
  id: 'crd.selectable-fields',
  compares: 'selectableFields',
  kinds: {
    added: tells([], 'objects can be selected by one more field', 'Nobody loses anything.', 'Nothing to do.'),
    removed: warns(
      ['reader'],
      'objects cannot be selected by a field any more',
      'Lists and watches with that field selector are refused.',
      'Keep the field selectable in this version.',
    ),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [before, after].map((version) =>
      listOf(version['selectableFields']).map((field) => schemaOf(field)['jsonPath']),
    )
    for (const field of missingFrom(old ?? [], now ?? [])) see('removed', { before: field })
    for (const field of missingFrom(now ?? [], old ?? [])) see('added', { after: field })
  },
})

export const printerColumns = rule({
  id: 'crd.printer-columns',
  compares: 'additionalPrinterColumns, by their names',
  kinds: {
    changed: tells(
      ['reader'],
      'kubectl get shows other columns',
      'Scripts that read its table may read the wrong column.',
      'Nothing to do; scripts should read -o json.',
    ),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [before, after].map((version) => listOf(version['additionalPrinterColumns']))
    const titles = (columns: readonly unknown[] | undefined) => columns?.map((column) => schemaOf(column)['name'])
    if (!same(old, now)) see('changed', { before: titles(old), after: titles(now) })
  },
})

export const deprecation = rule({
  id: 'crd.deprecation',
  compares: 'deprecated and deprecationWarning',
  kinds: {
    added: tells(
      ['writer', 'reader'],
      'the version is deprecated now',
      'Every request to it is answered with a warning.',
      'Move clients to another version.',
    ),
    removed: tells(
      [],
      'the version is no longer deprecated',
      'Requests to it are answered without a warning.',
      'Nothing to do.',
    ),
    'words-changed': tells([], 'the warning says something else', 'It is shown to clients.', 'Nothing to do.'),
  },
  compare: ({ before, after }: VersionPair, see) => {
    const [old, now] = [before.deprecated === true, after.deprecated === true]
    if (old !== now) see(now ? 'added' : 'removed', { before: old, after: now })
    else if (old && !same(before.deprecationWarning ?? null, after.deprecationWarning ?? null)) {
      see('words-changed', { before: before.deprecationWarning, after: after.deprecationWarning })
    }
  },
})
