export type PolicyDocument = 'NGINX Gateway Fabric' | 'AI Runway'

/** A line of the document, the samples (folders of examples) that follow it, and those that break it (folders of examples/crds/breaks). */
type PolicyLine = [line: string, follows: string[], breaks: string[]]

const at = (...releases: string[]) => releases.map((release) => `crds/follows/v1.${release}.0`)
const release = (...versions: string[]) => versions.map((version) => `releases/${version}`)

const ngf: PolicyLine[] = [
  ['the initial version should be v1alpha1', at('0'), ['ngf.initial-version.not-alpha']],
  ['no change in version required: adding new optional fields', at('1', '13', '17'), ['ngf.new-version.needless']],
  ['no change in version required: documentation updates', at('1'), ['ngf.new-version.needless']],
  [
    'renaming or changing the structure of an existing field: a change of version is required',
    at('2'),
    ['ngf.within-version.structure-change-needs-new-version'],
  ],
  ['and a conversion webhook is utilized to preserve compatibility', at('2'), ['ngf.new-version.webhook-missing']],
  ['and allow our controller to support both versions', at('2', '3', '4'), ['ngf.new-version.old-not-served']],
  [
    'the old API version should be marked as deprecated',
    at('2', '7', '12'),
    ['ngf.deprecation.missing', 'ngf.deprecation.warning-missing', 'ngf.deprecation.removed-without'],
  ],
  [
    'and then removed after 3 releases',
    at('5', '10', '15'),
    ['ngf.deprecation.removed-too-early', 'ngf.deprecation.age-unknown'],
  ],
  [
    'the new API should not be the stored version until the old API is removed',
    at('5', '6', '10', '11', '15', '16'),
    ['ngf.storage.moved-early', 'ngf.storage.moved-with-removal'],
  ],
  ['a maximum of 2 API versions at the same time', at('2', '7', '12'), ['ngf.versions.too-many']],
  [
    'breaking changes require a version bump and cannot use a conversion webhook',
    at('7'),
    ['ngf.within-version.breaking-needs-new-version', 'ngf.new-version.breaking-with-webhook'],
  ],
  ['these need clear messaging in release notes and docs', at('7'), ['ngf.new-version.breaking-not-announced']],
  ['a bit more flexibility when dealing with alpha APIs', at('8'), ['ngf.within-version.alpha-breaking']],
  ['breaking: adding new required fields', at('7'), ['ngf.within-version.breaking-needs-new-version']],
  [
    'breaking: removing fields; if possible, deprecate fields for 3 releases before',
    at('4', '7'),
    ['ngf.removed-field.not-deprecated', 'ngf.removed-field.removed-too-early', 'ngf.removed-field.age-unknown'],
  ],
  ['breaking: changing validation and allowed values of a field', at('7'), ['ngf.within-version.alpha-breaking']],
  ['users are required to upgrade CRD versions when upgrading NGF', [], ['ngf.installed.differs']],
  ['we can promote it to v1, skipping alpha -> beta -> v1', at('12'), ['ngf.graduation.beta']],
  ['once promoted, no changes that require a version bump', at('17'), ['ngf.graduation.stable-bumped']],
]

const kubeairunway: PolicyLine[] = [
  ['v1alpha1: initial release', release('v0.1.0'), ['kubeairunway.initial-version.not-alpha']],
  ['v1alpha1: breaking changes allowed', [], ['kubeairunway.within-version.alpha-break']],
  [
    'v1beta1: breaking changes with deprecation warnings, migration tooling provided',
    release('v0.2.0', 'v0.3.0', 'v0.4.0'),
    [
      'kubeairunway.within-version.beta-break',
      'kubeairunway.within-version.announced-beta-break',
      'kubeairunway.progression.removed-without-warning',
    ],
  ],
  [
    'version progression: v1alpha1, v1beta1, v1',
    release('v0.1.0', 'v0.2.0', 'v0.5.0'),
    ['kubeairunway.progression.skipped'],
  ],
  ['v1: no breaking changes', [], ['kubeairunway.within-version.stable-break']],
  ['v1: long-term support', release('v0.5.0'), ['kubeairunway.progression.stable-removed']],
  [
    'conversion webhooks will handle field renames, structural changes, default value updates',
    release('v0.2.0', 'v0.5.0'),
    ['kubeairunway.conversion.webhook-missing'],
  ],
  [
    'existing resources remain valid (new fields have defaults)',
    release('v0.2.0'),
    ['kubeairunway.existing-resources.new-field-without-default', 'kubeairunway.existing-resources.type-changed'],
  ],
  [
    'breaking CRD changes only occur between API versions',
    release('v0.2.0', 'v0.5.0'),
    ['kubeairunway.within-version.beta-break', 'kubeairunway.within-version.stable-break'],
  ],
]

export const policyLines: Readonly<Record<PolicyDocument, PolicyLine[]>> = {
  'NGINX Gateway Fabric': ngf,
  'AI Runway': kubeairunway,
}
