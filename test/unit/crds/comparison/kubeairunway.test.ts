import { describe, expect, test } from 'vitest'
import { definition } from './definitions.ts'
import {
  type Definition,
  filled,
  found,
  type Line,
  narrow,
  old,
  optional,
  plain,
  renamed,
  required,
  retyped,
  storage,
  v,
  withHook,
  within,
} from './policy-lines.ts'

describe('kubeairunway: each line of the policy', () => {
  const lines: Line[] = [
    [
      'v1alpha1: breaking changes allowed',
      ...within('v1alpha1', plain, narrow),
      ['warning kubeairunway.within-version.alpha-break'],
    ],
    [
      'v1beta1: breaking changes with deprecation warnings, with migration tooling',
      definition([v('v1beta1', plain, old)], withHook),
      definition([v('v1beta1', narrow, old)], withHook),
      ['warning kubeairunway.within-version.announced-beta-break'],
    ],
    [
      'v1beta1: not without deprecation warnings',
      definition([v('v1beta1', plain)], withHook),
      definition([v('v1beta1', narrow)], withHook),
      ['error kubeairunway.within-version.beta-break'],
    ],
    [
      'v1beta1: not without migration',
      ...within('v1beta1', { ...plain, ...old }, { ...narrow, ...old }),
      ['error kubeairunway.within-version.beta-break'],
    ],
    [
      'v1: no breaking changes',
      definition([v('v1', plain, old)], withHook),
      definition([v('v1', narrow, old)], withHook),
      ['error kubeairunway.within-version.stable-break'],
    ],
    [
      'v1: long-term support',
      definition([v('v1', plain, old), v('v2', plain)], withHook),
      definition([v('v1', plain, old, { served: false }), v('v2', plain, storage)], withHook),
      ['error kubeairunway.progression.stable-removed'],
    ],
    [
      'v1beta1 goes after deprecation warnings',
      definition([v('v1beta1', plain, old), v('v1', plain)], withHook),
      definition([v('v1', plain)], withHook),
      [],
    ],
    [
      'v1beta1 goes after deprecation warnings, with nothing to convert',
      definition([v('v1beta1', plain, old), v('v1', plain, storage)]),
      definition([v('v1', plain)]),
      [],
    ],
    [
      'v1beta1 does not go where nothing converts from it',
      definition([v('v1beta1', plain, old), v('v1', optional, storage)]),
      definition([v('v1', optional)]),
      ['error kubeairunway.progression.removed-without-warning'],
    ],
    [
      'v1beta1 does not go where its like is not served',
      definition([v('v1beta1', plain, old), v('v1', plain, storage, { served: false })]),
      definition([v('v1', plain, { served: false })]),
      ['error kubeairunway.progression.removed-without-warning'],
    ],
    [
      'v1beta1 does not go without',
      definition([v('v1beta1', plain), v('v1', plain, storage)], withHook),
      definition([v('v1', plain)], withHook),
      ['error kubeairunway.progression.removed-without-warning'],
    ],
    [
      'v1alpha1, v1beta1, v1',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain), v('v1beta1', plain)]),
      [],
    ],
    [
      'v1alpha1, v1: v1beta1 is left out',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain), v('v1', plain)]),
      ['warning kubeairunway.progression.skipped'],
    ],
    [
      'conversion webhooks handle what differs',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain), v('v1beta1', renamed)]),
      ['error kubeairunway.conversion.webhook-missing'],
    ],
    [
      'conversion webhooks: there it is',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain), v('v1beta1', renamed)], withHook),
      [],
    ],
    ['existing resources remain valid: new fields have defaults', ...within('v1alpha1', plain, filled), []],
    [
      'existing resources remain valid: this one has none',
      ...within('v1alpha1', plain, required),
      [
        'error kubeairunway.existing-resources.new-field-without-default',
        'warning kubeairunway.within-version.alpha-break',
      ],
    ],
    [
      'existing resources remain valid: not with another type',
      ...within('v1alpha1', plain, retyped),
      ['error kubeairunway.existing-resources.type-changed', 'warning kubeairunway.within-version.alpha-break'],
    ],
    ['new CRD versions may include updated schemas', ...within('v1', plain, optional), []],
    [
      'breaking changes only between versions',
      definition([v('v1beta1', plain)]),
      definition([v('v1beta1', plain), v('v1', narrow)], withHook),
      [],
    ],
  ]
  test.each(lines)('%s', (_, before, after, expected, context) => {
    expect(found('kubeairunway', before, after, 'kubeairunway.', context)).toEqual(expected)
  })

  const levels: [what: string, Definition, Definition, string[]][] = [
    ['alpha may break', ...within('v1alpha1', plain, narrow), ['warning crd.max-length.added']],
    ['beta may not', ...within('v1beta1', plain, narrow), ['error crd.max-length.added']],
    [
      'a version is no way out of itself',
      ...within('v1beta1', { ...plain, ...old, subresources: { status: {} } }, { ...plain, ...old }),
      ['error crd.status-subresource.removed'],
    ],
    ['stable may not', ...within('v1', plain, narrow), ['error crd.max-length.added']],
    [
      'what leads nowhere back no alpha excuses',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain), v('v1alpha2', plain, storage)]),
      ['error crd.storage.moved-to-new-version'],
    ],
  ]
  test.each(levels)('level: %s', (_, before, after, expected) => {
    expect(found('kubeairunway', before, after, 'crd.')).toEqual(expected)
  })
})
