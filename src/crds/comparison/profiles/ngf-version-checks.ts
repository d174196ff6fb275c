/** NGINX Gateway Fabric's policy on versions: how many, how long, which one is stored, and how one becomes stable. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import { compareDefinitions } from '../compare-definitions.ts'
import type { NewDefinition, PolicySubject } from '../profile.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import { comparePriority, stabilityOf } from '../version-priority.ts'
import { deprecatedSince } from './ledger.ts'
import { releasesBeforeRemoval, versionsAdded } from './ngf-schema-checks.ts'

const most = 2

const versionOf = (crd: CustomResourceDefinition, name: string) =>
  crd.spec.versions.find((version) => version.name === name)
const storageOf = (crd: CustomResourceDefinition) => crd.spec.versions.find(({ storage }) => storage)?.name
const servedIn = (crd: CustomResourceDefinition) =>
  crd.spec.versions
    .filter(({ served }) => served)
    .map(({ name }) => name)
    .toSorted(comparePriority)

export const versionCount = rule({
  id: 'ngf.versions',
  compares: 'how many versions are served at the same time',
  kinds: {
    'too-many': breaks(
      [],
      'more than two versions are served',
      'To reduce complexity, at most 2 API versions are supported at the same time.',
      'Remove the oldest version first.',
    ),
  },
  compare: ({ before, after }: PolicySubject, see) => {
    const [old, now] = [servedIn(before), servedIn(after)]
    if (now.length > most && now.length > old.length) see('too-many', { before: old, after: now })
  },
})

export const deprecation = rule({
  id: 'ngf.deprecation',
  compares: 'whether the old version is deprecated with the new one, and stays for 3 releases',
  kinds: {
    missing: breaks(
      ['writer', 'reader'],
      'the old version is not deprecated beside the new one',
      'With a new version the old one is marked as deprecated.',
      'Set deprecated: true and a deprecationWarning that names the new version.',
    ),
    'warning-missing': tells(
      [],
      'the deprecated version does not say what to use instead',
      'Without a deprecationWarning clients read just that it is deprecated.',
      'Name the new version in deprecationWarning.',
    ),
    'removed-without': breaks(
      ['writer', 'reader'],
      'a version is withdrawn that was not deprecated',
      'An old version is marked as deprecated, and removed after 3 releases.',
      'Deprecate it in this release, and withdraw it three releases later.',
    ),
    'removed-too-early': breaks(
      ['writer', 'reader'],
      'a deprecated version is withdrawn too early',
      'It is removed after 3 releases; "after" names the earliest one.',
      'Keep it until then.',
    ),
    'age-unknown': warns(
      ['writer', 'reader'],
      'a deprecated version is withdrawn; since when it was is not known',
      'It may be removed 3 releases after it was deprecated. Of earlier releases nothing was given.',
      'Give the definitions of the three releases before.',
    ),
  },
  compare: (subject: PolicySubject, see) => {
    const { before, after, context } = subject
    if (versionsAdded(before, after).length > 0) {
      for (const { name, served, deprecated, deprecationWarning } of after.spec.versions) {
        if (versionOf(before, name) === undefined || !served) continue
        if (deprecated !== true) see('missing', { version: name })
        else if (!deprecationWarning) see('warning-missing', { version: name })
      }
    }
    for (const { name, served, deprecated } of before.spec.versions) {
      const now = versionOf(after, name)
      if (now !== undefined && !(served && !now.served)) continue
      const { since, releases, earliest } = deprecatedSince(name, context.history ?? [], releasesBeforeRemoval)
      if (deprecated !== true) see('removed-without', { version: name })
      else if (context.history === undefined || context.history.length === 0) see('age-unknown', { version: name })
      else if (releases < releasesBeforeRemoval) {
        see('removed-too-early', { version: name, before: { deprecatedSince: since, releases }, after: earliest })
      }
    }
  },
})

export const storage = rule({
  id: 'ngf.storage',
  compares: 'when the storage version moves',
  kinds: {
    'moved-early': breaks(
      ['stored'],
      'the storage version moves while the old version is still served',
      'The new API is not to be the stored version until the old one is removed.',
      'Keep objects stored in the old version until it is withdrawn.',
    ),
    'moved-with-removal': breaks(
      ['stored'],
      'the storage version moves in the same step in which the old version goes',
      'The policy asks for both, but the API server refuses it: the old version is still in status.storedVersions. It takes two steps.',
      'Move the storage version first and stop serving the old one, but keep it; migrate all objects and take the old version from status.storedVersions; then apply the definition without it, in the next release or as a second step of this one.',
    ),
  },
  compare: ({ before, after }: PolicySubject, see) => {
    const [old, now] = [storageOf(before), storageOf(after)]
    if (old === undefined || now === undefined || old === now) return
    const left = versionOf(after, old)
    const seen = { version: now, before: old, after: now }
    if (left === undefined) see('moved-with-removal', seen)
    else if (left.served) see('moved-early', seen)
  },
})

export const graduation = rule({
  id: 'ngf.graduation',
  compares: 'how an API becomes stable, and what that promises',
  kinds: {
    beta: warns(
      [],
      'a beta version is added',
      'Alpha graduates straight to v1, as in Gateway API: three stages are overhead that these APIs do not need.',
      'Promote to v1, or add another alpha version.',
    ),
    'stable-bumped': warns(
      ['writer', 'reader'],
      'a stable API gets another version',
      'Once promoted, an API should not be subject to changes that ask for another version; only when absolutely necessary.',
      'See whether an optional field does.',
    ),
  },
  compare: ({ before, after }: PolicySubject, see) => {
    const stable = before.spec.versions.some(({ name }) => stabilityOf(name) === 'stable')
    for (const { name } of versionsAdded(before, after)) {
      if (stabilityOf(name) === 'beta') see('beta', { version: name })
      if (stable) see('stable-bumped', { version: name })
    }
  },
})

export const installed = rule({
  id: 'ngf.installed',
  compares: 'whether the definition on the cluster is that of the release',
  kinds: {
    differs: breaks(
      ['reader', 'stored'],
      'the definition on the cluster is not that of the release',
      'A release supports just the definitions that it comes with: whoever upgrades it upgrades them too.',
      'Apply the definitions of the release first.',
    ),
  },
  compare: ({ after, context }: PolicySubject, see) => {
    if (context.installed === undefined) return
    const differing = compareDefinitions(context.installed, after).filter(
      ({ id }) => id !== 'crd.documentation.changed',
    )
    if (differing.length > 0) see('differs', { after: [...new Set(differing.map(({ id }) => id))].toSorted() })
  },
})

export const initialVersion = rule({
  id: 'ngf.initial-version',
  compares: 'the first version of a new kind',
  kinds: {
    'not-alpha': warns(
      ['writer', 'reader'],
      'a new kind does not begin as v1alpha1',
      'The initial version is to be v1alpha1: a new API needs time for use and feedback.',
      'Begin with v1alpha1.',
    ),
  },
  compare: ({ after }: NewDefinition, see) => {
    const names = after.spec.versions.map(({ name }) => name).toSorted(comparePriority)
    if (names.length !== 1 || names[0] !== 'v1alpha1') see('not-alpha', { after: names })
  },
})
