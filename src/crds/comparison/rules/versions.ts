/** Which versions there are, which are served, and which one objects are stored in. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { DefinitionPair } from '../rule.types.ts'
import { comparePriority } from '../version-priority.ts'

const versionOf = (crd: CustomResourceDefinition, name: string) =>
  crd.spec.versions.find((version) => version.name === name)

const storageOf = (crd: CustomResourceDefinition) => crd.spec.versions.find((version) => version.storage)?.name

/** What objects may be stored in: at least the storage version, whatever a file says that has a status from elsewhere. */
function storedIn(crd: CustomResourceDefinition): readonly (string | undefined)[] {
  return [...(crd.status?.storedVersions ?? []), storageOf(crd)]
}

const highest = (crd: CustomResourceDefinition) =>
  crd.spec.versions
    .map(({ name }) => name)
    .toSorted(comparePriority)
    .at(0)

export const versions = rule({
  id: 'crd.version',
  compares: 'which versions there are, and which are served',
  kinds: {
    'removed-stored': breaks(
      ['writer', 'reader', 'stored'],
      'a version is gone in which objects are stored',
      'The API server refuses a definition that lacks one of status.storedVersions: it could not read those objects, nor list any. Without the status of a cluster, the storage version counts as one of them.',
      'Store objects in another version first, migrate all of them, and take this one from status.storedVersions.',
    ),
    removed: breaks(
      ['writer', 'reader'],
      'a version that was served is gone',
      'Clients that ask for it get 404, and so do manifests, owner references and field managers that name it. If objects were ever stored in it, the API server refuses the definition.',
      'Stop serving it one release before it goes, and look who still uses it.',
    ),
    'removed-unserved': warns(
      [],
      'a version that was not served is gone',
      'No client could ask for it. If objects were ever stored in it and have not been migrated, the API server refuses the definition.',
      'Look at status.storedVersions, and for field managers and owner references that name it.',
    ),
    unserved: breaks(
      ['writer', 'reader'],
      'a version is no longer served',
      'Clients that ask for it get 404; the garbage collector takes an owner that is named by it for gone.',
      'Deprecate it first, and look who still uses it.',
    ),
    'served-again': tells([], 'a version is served that was not', 'Clients can ask for it.', 'Nothing to do.'),
    added: tells([], 'a version is new', 'Clients can ask for it once it is served.', 'Nothing to do.'),
    'added-below': tells(
      [],
      'the new version is not the preferred one',
      'By the order of Kubernetes another version comes first, so clients that ask for no version get that.',
      'See that the name says what is meant.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    for (const { name, served } of before.spec.versions) {
      const now = versionOf(after, name)
      if (now !== undefined) {
        if (served && !now.served) see('unserved', { version: name })
        if (!served && now.served) see('served-again', { version: name })
      } else if (storedIn(before).includes(name)) see('removed-stored', { version: name })
      else see(served ? 'removed' : 'removed-unserved', { version: name })
    }
    for (const { name } of after.spec.versions) {
      if (versionOf(before, name) !== undefined) continue
      see('added', { version: name })
      if (highest(after) !== name) see('added-below', { version: name, after: highest(after) })
    }
  },
})

export const storage = rule({
  id: 'crd.storage',
  compares: 'the version that objects are stored in',
  kinds: {
    moved: warns(
      ['stored'],
      'objects are stored in another version',
      'The release before knows this version, so it can be gone back to while both versions stay; without both, objects that were written meanwhile are unreadable.',
      'Migrate stored objects, and remove the old version in a later release only.',
    ),
    'moved-to-new-version': breaks(
      ['stored'],
      'objects are stored in a version that the release before does not have',
      'From the first write on, status.storedVersions names it, and the API server refuses the old definition: there is no way back.',
      'Serve the version for one release before objects are stored in it.',
    ),
    'not-preferred': tells(
      [],
      'objects are not stored in the preferred version',
      'That is what a version that has just been added needs, but each read of the preferred version is a conversion.',
      'Move the storage version once no release is gone back to that lacks it.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    const [old, now] = [storageOf(before), storageOf(after)]
    if (now === undefined) return
    if (old !== now) {
      const kind = versionOf(before, now) === undefined ? 'moved-to-new-version' : 'moved'
      see(kind, { version: now, before: old, after: now })
    }
    if (highest(before) === old && highest(after) !== now) see('not-preferred', { version: now, after: highest(after) })
  },
})
