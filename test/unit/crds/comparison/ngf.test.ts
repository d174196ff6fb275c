import { describe, expect, test } from 'vitest'
import { compare } from '../../../../src/crds/comparison/compare.ts'
import { definition, today } from './definitions.ts'
import {
  type Definition,
  documented,
  found,
  type Line,
  moved,
  narrow,
  old,
  optional,
  plain,
  polite,
  removed,
  removedPolitely,
  renamed,
  required,
  retyped,
  spec,
  storage,
  text,
  v,
  withHook,
  within,
} from './policy-lines.ts'

/** A series that follows the policy of NGINX Gateway Fabric to the letter. */
const series: [release: string, Definition][] = [
  ['v1.0.0', definition([v('v1alpha1', plain)])],
  ['v1.1.0', definition([v('v1alpha1', optional)])],
  ['v1.2.0', definition([v('v1alpha1', optional, old), v('v1alpha2', spec({ x: text, z: text }))], withHook)],
  ['v1.3.0', definition([v('v1alpha1', optional, old), v('v1alpha2', spec({ x: text, z: text }))], withHook)],
  ['v1.4.0', definition([v('v1alpha1', optional, old), v('v1alpha2', spec({ x: text, z: text }))], withHook)],
  [
    'v1.5.0',
    definition(
      [v('v1alpha1', optional, old, { served: false }), v('v1alpha2', spec({ x: text, z: text }), storage)],
      withHook,
    ),
  ],
  ['v1.6.0', definition([v('v1alpha2', spec({ x: text, z: text }))])],
  ['v1.7.0', definition([v('v1alpha2', spec({ x: text, z: text }), old), v('v1', spec({ x: text, z: text }))])],
]
const history = (releases: number) => series.slice(0, releases).map(([release, of]) => ({ release, definition: of }))

describe('ngf: each line of the policy', () => {
  const two = (first: object, second: object, others: object = {}) =>
    definition([v('v1alpha1', first), v('v1alpha2', second)], others)
  const since = (count: number, crd: Definition) => ({
    history: Array.from({ length: count }, (_, index) => ({ release: `v1.${index}.0`, definition: crd })),
  })
  const pair = two({ ...plain, ...old }, plain, withHook)
  const notes = { releaseNotes: 'Model v1alpha2: change your resources as follows.' }
  const lines: Line[] = [
    ['no change of version: new optional fields', ...within('v1', plain, optional), []],
    ['no change of version: documentation', ...within('v1', plain, documented), []],
    [
      'renaming in the same version',
      ...within('v1alpha1', plain, renamed),
      ['error ngf.within-version.structure-change-needs-new-version'],
    ],
    [
      'another structure in the same version',
      ...within('v1alpha1', plain, retyped),
      ['error ngf.within-version.structure-change-needs-new-version'],
    ],
    [
      'a field that moves in the same version',
      ...within('v1alpha1', plain, moved),
      ['error ngf.within-version.structure-change-needs-new-version'],
    ],
    [
      'a new version and a conversion webhook',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old }, renamed, withHook),
      [],
    ],
    [
      'a new version without the webhook',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old }, renamed),
      ['error ngf.new-version.webhook-missing'],
    ],
    [
      'the controller supports both versions',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old, served: false }, renamed, withHook),
      ['error ngf.deprecation.removed-without', 'error ngf.new-version.old-not-served'],
    ],
    [
      'the old version is marked as deprecated',
      definition([v('v1alpha1', plain)]),
      two(plain, renamed, withHook),
      ['error ngf.deprecation.missing'],
    ],
    ['removed after 3 releases', pair, two({ ...plain, ...old, served: false }, plain, withHook), [], since(3, pair)],
    [
      'not after 2 releases',
      pair,
      two({ ...plain, ...old, served: false }, plain, withHook),
      ['error ngf.deprecation.removed-too-early'],
      since(2, pair),
    ],
    [
      'not after another version was deprecated for 3 releases',
      two({ ...plain, ...old }, { ...plain, ...old }, withHook),
      two({ ...plain, ...old }, { ...plain, ...old, served: false }, withHook),
      ['error ngf.deprecation.removed-too-early'],
      since(3, pair),
    ],
    [
      'nobody knows since when',
      pair,
      two({ ...plain, ...old, served: false }, plain, withHook),
      ['warning ngf.deprecation.age-unknown'],
    ],
    [
      'never deprecated',
      two(plain, plain),
      two({ ...plain, served: false }, plain),
      ['error ngf.deprecation.removed-without'],
      since(5, two(plain, plain)),
    ],
    [
      'not stored until the old one is removed',
      pair,
      two({ ...plain, ...old }, { ...plain, ...storage }, withHook),
      ['error ngf.storage.moved-early'],
    ],
    [
      'stored once the old one is withdrawn',
      pair,
      two({ ...plain, ...old, served: false }, { ...plain, ...storage }, withHook),
      [],
      since(3, pair),
    ],
    [
      'moving and removing at once',
      pair,
      definition([v('v1alpha2', plain)]),
      ['error ngf.storage.moved-with-removal'],
      since(3, pair),
    ],
    [
      'at most 2 versions',
      pair,
      definition([v('v1alpha1', plain, old), v('v1alpha2', plain, old), v('v1', plain)], withHook),
      ['error ngf.versions.too-many'],
    ],
    ['a new required field', ...within('v1', plain, required), ['error ngf.within-version.breaking-needs-new-version']],
    [
      'a removed field',
      ...within('v1', plain, removed),
      ['error ngf.within-version.breaking-needs-new-version', 'warning ngf.removed-field.not-deprecated'],
    ],
    [
      'a removed field that was deprecated',
      ...within('v1', polite, removedPolitely),
      ['error ngf.within-version.breaking-needs-new-version'],
    ],
    [
      'a removed field that was deprecated for 3 releases',
      ...within('v1', polite, removedPolitely),
      ['error ngf.within-version.breaking-needs-new-version'],
      since(3, definition([v('v1', polite)])),
    ],
    [
      'a removed field that was deprecated for 2 releases',
      ...within('v1', polite, removedPolitely),
      ['error ngf.within-version.breaking-needs-new-version', 'warning ngf.removed-field.removed-too-early'],
      since(2, definition([v('v1', polite)])),
    ],
    [
      'a removed field that was deprecated in another version',
      ...within('v1', polite, removedPolitely),
      ['error ngf.within-version.breaking-needs-new-version', 'warning ngf.removed-field.removed-too-early'],
      since(3, definition([v('v1alpha1', polite), v('v1', plain)])),
    ],
    ['other validation', ...within('v1', plain, narrow), ['error ngf.within-version.breaking-needs-new-version']],
    [
      'a bit more flexibility for alpha',
      ...within('v1alpha1', plain, narrow),
      ['warning ngf.within-version.alpha-breaking'],
    ],
    [
      'a breaking change with a webhook',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old }, narrow, withHook),
      ['error ngf.new-version.breaking-with-webhook'],
      notes,
    ],
    [
      'a breaking change without a webhook, in the release notes',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old }, narrow),
      [],
      notes,
    ],
    [
      'a breaking change that nobody tells',
      definition([v('v1alpha1', plain)]),
      two({ ...plain, ...old }, narrow),
      ['warning ngf.new-version.breaking-not-announced'],
    ],
    [
      'the cluster has the definition of the release',
      ...within('v1', plain, optional),
      [],
      { installed: definition([v('v1', optional)]) },
    ],
    [
      'the cluster has another one',
      ...within('v1', plain, optional),
      ['error ngf.installed.differs'],
      { installed: definition([v('v1', plain)]) },
    ],
    ['straight to v1', definition([v('v1alpha1', plain)]), definition([v('v1alpha1', plain, old), v('v1', plain)]), []],
    [
      'not by way of a beta version',
      definition([v('v1alpha1', plain)]),
      definition([v('v1alpha1', plain, old), v('v1beta1', plain)]),
      ['warning ngf.graduation.beta'],
    ],
    [
      'once stable, no other version',
      definition([v('v1', plain)]),
      definition([v('v1', plain, old), v('v2alpha1', renamed)], withHook),
      ['warning ngf.graduation.stable-bumped'],
    ],
  ]
  test.each(lines)('%s', (_, before, after, expected, context) => {
    expect(found('ngf', before, after, 'ngf.', context)).toEqual(expected)
  })

  test('told, as they are no warnings: a needless version, a warning without words, work by hand', () => {
    const tell = (after: Definition, context = {}) =>
      compare(definition([v('v1alpha1', plain)]), after, { profile: 'ngf', context: { ...today, ...context } })
        .upgrade.filter(({ id, level }) => id.startsWith('ngf.') && level === 'info')
        .map(({ id }) => id)
    expect(tell(two({ ...plain, deprecated: true }, optional))).toEqual([
      'ngf.new-version.needless',
      'ngf.deprecation.warning-missing',
    ])
    expect(tell(two({ ...plain, ...old }, narrow), notes)).toEqual(['ngf.new-version.breaking-by-hand'])
  })

  test.each(series.slice(1).map(([release], index) => [release, index + 1] as const))(
    'a series that follows the policy has no error: %s',
    (release, index) => {
      const [before, after] = [series[index - 1]?.[1], series[index]?.[1]]
      if (before === undefined || after === undefined) throw new Error('the series is shorter than its tests')
      const context = { ...today, release, history: history(index) }
      const { upgrade } = compare(before, after, { profile: 'ngf', context })
      expect(upgrade.filter(({ level }) => level === 'error').map(({ id }) => id)).toEqual([])
    },
  )
  test('the earliest release for the removal of a field is named, also where its version is another', () => {
    const [before, after] = [definition([v('v1alpha1', polite)]), two({ ...removed, ...old }, removed)]
    const earlier = [
      { release: 'v1.0.0', definition: definition([v('v1alpha1', plain)]) },
      { release: 'v1.1.0', definition: before },
    ]
    const { upgrade } = compare(before, after, { profile: 'ngf', context: { ...today, history: earlier } })
    const early = upgrade.filter(({ id }) => id === 'ngf.removed-field.removed-too-early')
    expect(early.map(({ version }) => version).toSorted()).toEqual(['v1alpha1', 'v1alpha2'])
    for (const finding of early) {
      expect(finding).toMatchObject({
        path: '^.spec.x',
        before: { deprecatedSince: 'v1.1.0', releases: 1 },
        after: 'v1.4.0',
      })
    }
  })
  test('the earliest release for a removal is named', () => {
    const [before, after] = [series[3]?.[1], series[5]?.[1]]
    if (before === undefined || after === undefined) throw new Error('the series is shorter than its tests')
    const { upgrade } = compare(before, after, { profile: 'ngf', context: { ...today, history: history(4) } })
    expect(upgrade.find(({ id }) => id === 'ngf.deprecation.removed-too-early')).toMatchObject({
      before: { deprecatedSince: 'v1.2.0', releases: 2 },
      after: 'v1.5.0',
    })
  })
})
