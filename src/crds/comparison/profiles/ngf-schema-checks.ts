/** NGINX Gateway Fabric's policy on changing an API: which change asks for a new version, and what that has to bring along. */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../../kubernetes/objects.ts'
import { compareSchemas } from '../compare-schemas.ts'
import type { PolicySubject } from '../profile.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import { strategyOf } from '../rules/conversion.ts'
import { schemaOfVersion } from '../schema-reading.ts'
import { comparePriority, stabilityOf } from '../version-priority.ts'
import { fieldDeprecatedSince, saysDeprecated } from './ledger.ts'
import { classify } from './ngf-classes.ts'
import { placesOf } from './within-version.ts'

const byHand =
  'Say it in release notes and docs, with the way by hand: export the resources, change them to the new version, and create or update each; no automatic migration can do it.'

/** What each version that the release adds does to the schema of the version that objects were stored in. */
function additions({ before, after }: PolicySubject) {
  const old = before.spec.versions.find(({ storage }) => storage)
  if (old === undefined) return []
  return versionsAdded(before, after).map((version) => {
    const [from, to] = [schemaOfVersion(old), schemaOfVersion(version)]
    const changes = from === undefined || to === undefined ? [] : compareSchemas(from, to)
    return { version, old, changes, ...classify(changes) }
  })
}

/** The versions that just `after` has, of the highest priority first. */
export function versionsAdded(
  before: CustomResourceDefinition,
  after: CustomResourceDefinition,
): CustomResourceDefinitionVersion[] {
  return after.spec.versions
    .filter(({ name }) => before.spec.versions.every((version) => version.name !== name))
    .toSorted((one, other) => comparePriority(one.name, other.name))
}

export const withinVersion = rule({
  id: 'ngf.within-version',
  compares: 'changes within a version that ask for a new one',
  kinds: {
    'structure-change-needs-new-version': breaks(
      ['writer', 'reader', 'stored'],
      'a field is renamed or has another structure, in the same version',
      'A schema change asks for another version (v1alpha1 to v1alpha2) and a conversion webhook, which preserves compatibility.',
      'Leave this version as it is, add a new one, and convert by a webhook.',
    ),
    'breaking-needs-new-version': breaks(
      ['writer', 'stored'],
      'a breaking change is made in the same version',
      'New required fields, removed fields and other validation or allowed values ask for another version, without a conversion webhook.',
      `Leave this version as it is and add a new one. ${byHand}`,
    ),
    'alpha-breaking': warns(
      ['writer', 'stored'],
      'a breaking change is made in the same alpha version',
      'Breaking changes ask for another version, but alpha APIs are allowed a bit more flexibility.',
      byHand,
    ),
  },
  compare: ({ before, changes }: PolicySubject, see) => {
    for (const { name } of before.spec.versions) {
      const own = changes.filter(({ scope, version }) => scope === 'same-version' && version === name)
      const { structure, breaking } = classify(own)
      const place = { scope: 'same-version', version: name } as const
      if (structure.length > 0) see('structure-change-needs-new-version', { ...place, after: placesOf(structure) })
      if (breaking.length === 0) continue
      const kind = stabilityOf(name) === 'alpha' ? 'alpha-breaking' : 'breaking-needs-new-version'
      see(kind, { ...place, after: placesOf(breaking) })
    }
  },
})

export const newVersion = rule({
  id: 'ngf.new-version',
  compares: 'what a release that adds a version brings along',
  kinds: {
    needless: tells(
      [],
      'a new version was not needed',
      'New optional fields and documentation ask for no other version.',
      'Make the change in the version that is there, unless this one is a graduation.',
    ),
    'webhook-missing': breaks(
      ['reader', 'stored'],
      'a renamed or restructured field is not converted',
      'A conversion webhook is to preserve compatibility, so that the controller supports both versions.',
      'Add the webhook to the release that adds the version.',
    ),
    'old-not-served': breaks(
      ['writer', 'reader'],
      'the version before is not served beside the new one',
      'The controller is to support both versions; the old one is removed after 3 releases.',
      'Serve the old version as well, deprecated.',
    ),
    'breaking-with-webhook': breaks(
      ['reader', 'stored'],
      'a breaking change has a conversion webhook',
      'A new required field, a removed field or other allowed values cannot be converted: the webhook would have to make values up or drop them.',
      `Use conversion strategy None. ${byHand}`,
    ),
    'breaking-not-announced': warns(
      ['writer', 'stored'],
      'a breaking change is not in the release notes',
      'Users have to change their resources by hand, which needs clear messaging in release notes and docs.',
      byHand,
    ),
    'breaking-by-hand': tells(
      ['writer', 'stored'],
      'resources have to be changed by hand',
      'With strategy None the API server changes just the apiVersion, so resources of the old version are pruned or invalid in the new one.',
      byHand,
    ),
  },
  compare: (subject: PolicySubject, see) => {
    for (const { version, old, structure, breaking } of additions(subject)) {
      const { name } = version
      const webhook = strategyOf(subject.after) === 'Webhook'
      if (breaking.length > 0) {
        const seen = { version: name, after: placesOf(breaking) }
        if (webhook) see('breaking-with-webhook', seen)
        see(isInNotes(name, subject) ? 'breaking-by-hand' : 'breaking-not-announced', seen)
      } else if (structure.length > 0) {
        const seen = { version: name, after: placesOf(structure) }
        if (!webhook) see('webhook-missing', seen)
        const still = subject.after.spec.versions.find((candidate) => candidate.name === old.name)
        if (old.served && still?.served !== true) see('old-not-served', { ...seen, before: old.name })
      } else if (stabilityOf(name) !== 'stable') see('needless', { version: name })
    }
  },
})

function isInNotes(version: string, { after, context }: PolicySubject): boolean {
  const notes = context.releaseNotes ?? ''
  return notes.includes(after.spec.names.kind) && notes.includes(version)
}

/** Releases for which a field, or a version, is deprecated before it goes. */
export const releasesBeforeRemoval = 3

export const removedFields = rule({
  id: 'ngf.removed-field',
  compares: 'whether a field that goes was deprecated for 3 releases before',
  kinds: {
    'not-deprecated': warns(
      ['writer', 'stored'],
      'a field goes that was not deprecated',
      'If possible, fields are deprecated for 3 releases, to phase them out slowly before they are removed.',
      'Say "Deprecated" in its description for three releases first.',
    ),
    'removed-too-early': warns(
      ['writer', 'stored'],
      'a deprecated field goes too early',
      'If possible, fields are deprecated for 3 releases before they are removed; "after" names the earliest one.',
      'Keep it until then.',
    ),
    'age-unknown': tells(
      ['writer', 'stored'],
      'a deprecated field goes; since when it was is not known',
      'It may go 3 releases after its description said so. Of earlier releases nothing was given.',
      'Give the definitions of the three releases before.',
    ),
  },
  compare: (subject: PolicySubject, see) => {
    const history = subject.context.history ?? []
    for (const { change, from, place } of fieldsGone(subject)) {
      const path = change.node?.path ?? []
      const { since, releases, earliest } = fieldDeprecatedSince(
        { version: from, path },
        history,
        releasesBeforeRemoval,
      )
      if (!saysDeprecated(change.node?.before)) see('not-deprecated', { ...place, path })
      else if (history.length === 0) see('age-unknown', { ...place, path })
      else if (releases < releasesBeforeRemoval) {
        see('removed-too-early', { ...place, path, before: { deprecatedSince: since, releases }, after: earliest })
      }
    }
  },
})

/** Fields that are removed from a version, or missing in one that is added. One that goes to another place is no removed one. */
function fieldsGone(subject: PolicySubject) {
  const isGone = ({ id }: { id: string }) => id === 'crd.property.removed'
  const within = subject.changes.filter(({ scope }) => scope === 'same-version')
  return [
    ...classify(within)
      .breaking.filter(isGone)
      .map((change) => {
        const place = { scope: 'same-version', version: change.version } as const
        return { change, from: change.version, place }
      }),
    ...additions(subject).flatMap(({ version, old, breaking }) =>
      breaking.filter(isGone).map((change) => {
        const place = { scope: 'definition', version: version.name } as const
        return { change, from: old.name, place }
      }),
    ),
  ]
}
