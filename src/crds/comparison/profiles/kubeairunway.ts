/**
 * AI Runway's own words on versions and upgrades: v1alpha1 is experimental and may break; v1beta1 breaks only with deprecation
 * warnings and migration; v1 does not break; breaking changes occur only between versions, which conversion webhooks convert;
 * existing resources remain valid, as new fields have defaults.
 */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import type { Change } from '../comparison.types.ts'
import type { NewDefinition, PolicySubject, Profile } from '../profile.types.ts'
import { breaks, rule, warns } from '../rule.ts'
import { strategyOf } from '../rules/conversion.ts'
import { shapeOf } from '../schema-reading.ts'
import { comparePriority, type Stability, stabilityOf } from '../version-priority.ts'
import { isAnnounced } from './announced.ts'
import { breaksWithinVersions, placesOf } from './within-version.ts'

/** With these no existing object that has, or lacks, the field is valid any more. */
const invalidating = new Set(['crd.type.changed', 'crd.required.added'])

const withinVersion = rule({
  id: 'kubeairunway.within-version',
  compares: 'breaking changes within a version',
  kinds: {
    'alpha-break': warns(
      ['writer', 'reader', 'stored'],
      'an alpha version breaks in itself',
      'v1alpha1 is experimental: breaking changes are allowed. But they are meant to occur between versions.',
      'Say so in the release notes, or make the change in a new version.',
    ),
    'beta-break': breaks(
      ['writer', 'reader', 'stored'],
      'a beta version breaks without warning',
      'A beta version may break only after deprecation warnings, and with tools that migrate.',
      'Make the change in a new version, deprecate this one, and convert by a webhook.',
    ),
    'announced-beta-break': warns(
      ['writer', 'reader', 'stored'],
      'a deprecated beta version breaks in itself',
      'It was deprecated and a webhook converts from it, as the policy asks. But breaking changes are meant to occur between versions.',
      'Leave the deprecated version as it is.',
    ),
    'stable-break': breaks(
      ['writer', 'reader', 'stored'],
      'a stable version breaks',
      'No breaking changes in v1: backward compatibility is required.',
      'Make the change in a new version, and serve v1 as it is.',
    ),
  },
  compare: (subject: PolicySubject, see) => {
    for (const [version, changes] of breaksWithinVersions(subject.changes)) {
      const kinds = {
        alpha: 'alpha-break',
        beta: isAnnounced(version, subject) ? 'announced-beta-break' : 'beta-break',
        stable: 'stable-break',
      } as const
      see(kinds[stabilityOf(version)], { scope: 'same-version', version, after: placesOf(changes) })
    }
  },
})

const existingResources = rule({
  id: 'kubeairunway.existing-resources',
  compares: 'whether existing resources remain valid',
  kinds: {
    'new-field-without-default': breaks(
      ['writer', 'stored'],
      'a field is required and has no default',
      'Existing resources remain valid, as new fields have defaults. This one has none, so those without it become invalid: whatever the version.',
      'Give the field a default.',
    ),
    'type-changed': breaks(
      ['writer', 'reader', 'stored'],
      'existing resources do not fit the new type',
      'Existing resources remain valid. Those that hold a value here do not: neither release can decode what the other one writes.',
      'Make the change in a new version with a conversion webhook.',
    ),
  },
  compare: ({ changes }: PolicySubject, see) => {
    const found = changes.filter(({ id, scope }) => scope === 'same-version' && invalidating.has(id))
    for (const { id, version, node } of found) {
      const place = { scope: 'same-version', version, ...(node && { path: node.path }) } as const
      see(id === 'crd.type.changed' ? 'type-changed' : 'new-field-without-default', place)
    }
  },
})

const order: readonly Stability[] = ['alpha', 'beta', 'stable']

const progression = rule({
  id: 'kubeairunway.progression',
  compares: 'the way from v1alpha1 over v1beta1 to v1',
  kinds: {
    skipped: warns(
      ['writer', 'reader'],
      'a version is left out on the way to a stable one',
      'Versions go from v1alpha1 over v1beta1, where breaking changes come with warnings, to v1.',
      'Release the version between first.',
    ),
    'stable-removed': breaks(
      ['writer', 'reader'],
      'a stable version is withdrawn',
      'v1 has long-term support: backward compatibility is required.',
      'Serve v1 as it is.',
    ),
    'removed-without-warning': breaks(
      ['writer', 'reader'],
      'a beta version is withdrawn without warning',
      'Who uses it must have been warned by a deprecated version, and have tools that migrate.',
      'Deprecate the version for a release, and convert from it by a webhook.',
    ),
  },
  compare: (subject: PolicySubject, see) => {
    const { before, after, changes } = subject
    const known = before.spec.versions.map(({ name }) => order.indexOf(stabilityOf(name)))
    for (const { name } of added(before, after)) {
      if (order.indexOf(stabilityOf(name)) > Math.max(...known) + 1) see('skipped', { version: name })
    }
    for (const { version } of changes.filter(isWithdrawal)) {
      const stability = stabilityOf(version)
      if (stability === 'stable') see('stable-removed', { version })
      else if (stability === 'beta' && !isAnnounced(version, subject)) see('removed-without-warning', { version })
    }
  },
})

const withdrawals = new Set(['crd.version.unserved', 'crd.version.removed', 'crd.version.removed-stored'])
const isWithdrawal = ({ id }: Change) => withdrawals.has(id)

const added = (before: CustomResourceDefinition, after: CustomResourceDefinition) =>
  after.spec.versions.filter(({ name }) => before.spec.versions.every((version) => version.name !== name))

const webhook = rule({
  id: 'kubeairunway.conversion',
  compares: 'whether a webhook converts between versions that differ',
  kinds: {
    'webhook-missing': breaks(
      ['reader', 'stored'],
      'a new version differs, and no webhook converts',
      'Renamed fields, another structure and other defaults are handled by conversion webhooks when resources move between versions.',
      'Add the webhook to the release that adds the version.',
    ),
  },
  compare: ({ before, after }: PolicySubject, see) => {
    if (strategyOf(after) === 'Webhook') return
    for (const { name, schema } of added(before, after)) {
      const others = after.spec.versions.filter((version) => version.name !== name)
      const shape = shapeOf(schema?.openAPIV3Schema)
      if (others.some((version) => shapeOf(version.schema?.openAPIV3Schema) !== shape)) {
        see('webhook-missing', { version: name })
      }
    }
  },
})

const initialVersion = rule({
  id: 'kubeairunway.initial-version',
  compares: 'the first version of a new kind',
  kinds: {
    'not-alpha': warns(
      ['writer', 'reader'],
      'a new kind does not begin as v1alpha1',
      'v1alpha1 is the initial release of an API: experimental, without a promise.',
      'Begin with v1alpha1.',
    ),
  },
  compare: ({ after }: NewDefinition, see) => {
    const names = after.spec.versions.map(({ name }) => name).toSorted(comparePriority)
    if (names.length !== 1 || names[0] !== 'v1alpha1') see('not-alpha', { after: names })
  },
})

export const kubeairunway: Profile = {
  name: 'kubeairunway',
  title: "AI Runway's policy on versions and upgrades",
  levels: [
    // What the API server refuses, what leads nowhere back and what no webhook converts, no stability excuses.
    {
      ids: [
        'crd.version.removed-stored',
        'crd.storage.*',
        'crd.scope.*',
        'crd.group.*',
        'crd.names.*',
        'crd.conversion.*',
      ],
      to: 'as it is',
    },
    { ids: [...invalidating], scopes: ['same-version'], to: 'as it is' },
    { scopes: ['definition', 'same-version'], stabilities: ['alpha'], from: 'error', to: 'warning' },
    { scopes: ['definition', 'same-version'], stabilities: ['beta'], from: 'error', announced: true, to: 'warning' },
  ],
  policies: [withinVersion, existingResources, progression, webhook],
  policiesForNew: [initialVersion],
}
