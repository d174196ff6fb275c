import { describe, expect, test } from 'vitest'
import { adviseNext } from '../../../../src/crds/comparison/advice.ts'
import type { Bump } from '../../../../src/crds/comparison/advice.types.ts'
import type { ProfileName } from '../../../../src/crds/comparison/comparison.types.ts'
import { profileNames } from '../../../../src/crds/comparison/profiles.ts'
import { adviceCases } from './advice-cases.ts'
import { definition, today } from './definitions.ts'
import {
  type Definition,
  narrow,
  old,
  optional,
  plain,
  removed,
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

const advise = (profile: ProfileName, before: Definition, wanted: Definition, nextRelease?: string) =>
  adviseNext(before, wanted, { profile, context: today, ...(nextRelease !== undefined && { nextRelease }) })

describe('the bump, its version and its releases', () => {
  test.each(adviceCases)('%s: %s', (profile, _, before, wanted, bump, newVersion, releases, context = {}) => {
    const advice = adviseNext(before, wanted, { profile, context: { ...today, ...context } })
    expect({
      bump: advice.bump,
      newVersion: advice.newVersion,
      releases: advice.parts.map(({ releasesLater }) => releasesLater),
    }).toEqual({ bump, newVersion, releases })
  })
})

describe('reasons', () => {
  const lines: [ProfileName, Definition, Definition, [id: string, path: string, Bump][]][] = [
    ['ngf', ...within('v1alpha1', plain, renamed), [['crd.property.renamed', '^.spec.x', 'bump-with-webhook']]],
    ['ngf', ...within('v1', plain, narrow), [['crd.max-length.added', '^.spec.x', 'bump-without-webhook']]],
    ['ngf', ...within('v1alpha1', plain, narrow), [['crd.max-length.added', '^.spec.x', 'none']]],
    ['ngf', ...within('v1', plain, optional), []],
    ['kubeairunway', ...within('v1alpha1', plain, narrow), [['crd.max-length.added', '^.spec.x', 'none']]],
    ['kubeairunway', ...within('v1beta1', plain, narrow), [['crd.max-length.added', '^.spec.x', 'bump-with-webhook']]],
    ['kubernetes', ...within('v1alpha1', plain, required), [['crd.required.added', '^.spec.y', 'bump-with-webhook']]],
    ['strict', ...within('v1alpha1', plain, narrow), [['crdify.maxLength', '^.spec.x', 'bump-with-webhook']]],
    [
      'ngf',
      ...within('v1alpha1', spec({ a: text, x: text }), spec({ a: { type: 'object' }, x: { ...text, maxLength: 3 } })),
      [
        ['crd.type.changed', '^.spec.a', 'bump-with-webhook'],
        ['crd.max-length.added', '^.spec.x', 'bump-without-webhook'],
      ],
    ],
  ]
  test.each(lines)('%s %#', (profile, before, wanted, expected) => {
    const { because } = advise(profile, before, wanted)
    expect(because.map(({ id, path, asksFor }) => [id, path, asksFor])).toEqual(expected)
    for (const { title } of because) expect(title).not.toBe('')
  })

  test('the same change in place and in the added version is said once', () => {
    const wanted = definition([v('v1alpha1', renamed), v('v1alpha2', renamed)])
    expect(advise('ngf', definition([v('v1alpha1', plain)]), wanted).because).toHaveLength(1)
  })
})

describe('edited in place or in a version that is added', () => {
  // Excused is a break only where it is made in place: whoever adds a version does not ask for that.
  const lines = adviceCases.filter(
    ([, , , wanted, bump, newVersion]) =>
      bump !== 'none' && newVersion !== undefined && wanted.spec.versions.length === 1,
  )
  test.each(lines)('%s: %s', (profile, _, before, wanted, _bump, newVersion, _releases, given) => {
    const context = { ...today, ...given }
    const [from, edited] = [before.spec.versions[0], wanted.spec.versions[0]]
    if (from === undefined || edited === undefined || newVersion === undefined) throw new Error('there is no version')
    const added = definition([from, { ...edited, name: newVersion, storage: false }])
    expect(adviseNext(before, added, { profile, context })).toEqual(adviseNext(before, wanted, { profile, context }))
    expect(lines.length).toBeGreaterThan(20)
  })
})

describe('what no release can do', () => {
  const crd = definition([v('v1', plain)])
  const other = (changed: object): Definition => ({ ...crd, spec: { ...crd.spec, ...changed } })
  const lines: [string, Definition, string[]][] = [
    ['another scope', other({ scope: 'Cluster' }), ['crd.scope.changed']],
    ['another group', other({ group: 'example.org' }), ['crd.group.changed']],
    ['another kind', other({ names: { plural: 'models', kind: 'Other' } }), ['crd.names.kind-changed']],
    ['another plural', other({ names: { plural: 'others', kind: 'Model' } }), ['crd.names.plural-changed']],
    ['another short name', other({ names: { plural: 'models', kind: 'Model', shortNames: ['md'] } }), []],
  ]
  test.each(lines)('%s', (_, wanted, expected) => {
    for (const profile of profileNames) {
      const { impossible, verdict, bump, parts } = advise(profile, crd, wanted)
      expect({ ids: impossible.map(({ id }) => id), bump, parts }).toEqual({ ids: expected, bump: 'none', parts: [] })
      expect(verdict.startsWith('It takes a new definition')).toBe(expected.length > 0)
    }
  })

  test('what else is wanted is advised all the same', () => {
    const { impossible, bump, parts } = advise('ngf', crd, {
      ...within('v1', plain, renamed)[1],
      spec: { ...within('v1', plain, renamed)[1].spec, scope: 'Cluster' },
    })
    expect([impossible.length, bump, parts.length]).toEqual([1, 'bump-with-webhook', 3])
  })
})

describe('in words', () => {
  test('the whole way under the policy of NGINX Gateway Fabric, with the conflict of moving and removing', () => {
    const advice = advise('ngf', ...within('v1alpha1', plain, renamed), 'v1.4.0')
    expect(advice).toMatchInlineSnapshot(`
      {
        "because": [
          {
            "asksFor": "bump-with-webhook",
            "id": "crd.property.renamed",
            "path": "^.spec.x",
            "title": "the field is gone; it looks as if it had been renamed",
          },
        ],
        "bump": "bump-with-webhook",
        "byHand": [],
        "impossible": [],
        "name": "models.example.io",
        "newVersion": "v1alpha2",
        "parts": [
          {
            "actions": [
              "Add v1alpha2, served, not stored",
              "Convert between v1alpha1 and v1alpha2 by a webhook, in both directions and without loss",
              "Mark v1alpha1 as deprecated, with a deprecationWarning that names v1alpha2",
              "Leave the schema of v1alpha1 as it is, and serve it",
              "Keep storing objects in v1alpha1",
            ],
            "release": "v1.4.0",
            "releasesLater": 0,
            "why": "Both versions are supported side by side, and the release before can be gone back to.",
          },
          {
            "actions": [
              "Store objects in v1alpha2",
              "Stop serving v1alpha1, but keep it in the definition",
              "Migrate all stored objects",
              "Take v1alpha1 from status.storedVersions once no object is stored in it",
            ],
            "release": "v1.7.0",
            "releasesLater": 3,
            "why": "The old version is removed after 3 releases, and the new one is not stored before that. One update cannot do both: the API server refuses a definition without a version that status.storedVersions names. So objects move first.",
          },
          {
            "actions": [
              "Remove v1alpha1 from the definition",
              "Remove the webhook",
            ],
            "release": "v1.8.0",
            "releasesLater": 4,
            "why": "Only now does status.storedVersions no longer name it. As a second step of the release before, after the migration, it is possible too.",
          },
        ],
        "profile": "ngf",
        "verdict": "Add v1alpha2 with a conversion webhook: renaming a field or changing its structure is a compatible change, which requires a version change.",
        "version": "v1alpha1",
      }
    `)
  })

  test('work by hand, where no webhook converts', () => {
    const { byHand, parts } = advise('ngf', ...within('v1', plain, required))
    expect([...byHand, ...(parts[0]?.actions ?? [])]).toMatchInlineSnapshot(`
      [
        "Export every Model: kubectl get models.example.io --all-namespaces -o yaml.",
        "Change each Model at ^.spec.y. Set its apiVersion to example.io/v2alpha1, and apply it.",
        "Apply it again once objects are stored in v2alpha1: fields that v1 lacks are dropped until then.",
        "Add v2alpha1, served, not stored",
        "Keep conversion strategy None: no webhook can convert the change",
        "Mark v1 as deprecated, with a deprecationWarning that names v2alpha1",
        "Leave the schema of v1 as it is, and serve it",
        "Keep storing objects in v1",
        "Say in release notes and docs what users have to change",
      ]
    `)
  })

  test('no work by hand where a webhook converts, or nothing breaks', () => {
    expect(advise('ngf', ...within('v1', plain, renamed)).byHand).toEqual([])
    expect(advise('ngf', ...within('v1', plain, optional)).byHand).toEqual([])
    expect(advise('ngf', ...within('v1alpha1', plain, narrow)).byHand).toHaveLength(1)
  })

  test('crdify compares versions that a webhook converts, unless it is told not to', () => {
    const told = (profile: ProfileName) =>
      advise(profile, ...within('v1', plain, retyped)).parts.flatMap(({ actions }) =>
        actions.filter((action) => action.includes('conversion: Ignore')),
      )
    expect([told('strict').length, told('olm').length]).toEqual([1, 0])
  })

  test('a field is deprecated before it goes', () => {
    const { parts } = advise('ngf', ...within('v1alpha1', plain, removed), 'v1.4.0')
    expect(parts.map(({ release, actions }) => [release, actions[0]])).toEqual([
      ['v1.4.0', 'Say "Deprecated" in the description of ^.spec.x, and keep the field'],
      ['v1.7.0', 'Make the change in v1alpha1'],
    ])
  })

  const releases: [next: string | undefined, last: string | undefined][] = [
    ['v1.4.0', 'v1.8.0'],
    ['1.4.2', '1.8.0'],
    ['v1.4.0-rc.1', 'v1.8.0'],
    ['next', undefined],
    [undefined, undefined],
  ]
  test.each(releases)('after %s the last release is %s', (next, last) => {
    const { parts } = advise('ngf', ...within('v1alpha1', plain, renamed), next)
    expect(parts.at(-1)?.release).toBe(last)
  })

  test('versions that nothing converts are changed alike', () => {
    const pair = (schema: object, others: object = {}) =>
      definition([v('v1alpha1', plain, old), v('v1', schema)], others)
    const first = (others: object) =>
      advise('kubernetes', pair(plain, others), pair(optional, others)).parts[0]?.actions[0]
    expect([first({}), first(withHook)]).toEqual(['Make the change in v1, v1alpha1 alike', 'Make the change in v1'])
  })

  test('what a webhook could convert goes by hand beside what none can: that is said', () => {
    const wanted = spec({ y: text, z: { type: 'integer' } }, { required: ['z'] })
    const mixed = 'Some of it a webhook could convert, in a version of its own.'
    expect(advise('ngf', ...within('v1', plain, wanted)).verdict).toContain(mixed)
    expect(advise('ngf', ...within('v1', plain, required)).verdict).not.toContain(mixed)
  })

  test('a name that is taken is not proposed', () => {
    const pair = (first: object) => definition([v('v1alpha1', first), v('v1beta1', plain)], withHook)
    expect(advise('kubeairunway', pair(plain), pair(retyped)).newVersion).toBe('v1beta2')
  })

  test('a version is followed that is in force, whatever the order of names', () => {
    const before = definition([v('v1', plain, old), v('v2alpha1', renamed)], withHook)
    const wanted = { ...before, spec: { ...before.spec, versions: [...before.spec.versions, v('v2alpha2', retyped)] } }
    expect(advise('kubernetes', before, wanted)).toMatchObject({ version: 'v2alpha1', newVersion: 'v2alpha2' })
  })

  test('objects that are stored elsewhere already need not be moved for a version to go', () => {
    const pair = (second: object) => definition([v('v1alpha1', plain, old), v('v1alpha2', second, storage)], withHook)
    const { parts } = advise('ngf', pair(renamed), pair(spec({ q: text })))
    expect(parts[0]?.actions).toEqual([
      'Stop serving v1alpha1, but keep it in the definition',
      'Take v1alpha1 from status.storedVersions once no object is stored in it',
    ])
  })

  test('what is said of the release that adds a version is said of the definition as it is then', () => {
    const pair = (second: object) => definition([v('v1alpha1', plain, old), v('v1alpha2', second)], withHook)
    const { parts } = advise('ngf', pair(renamed), pair(spec({ q: { type: 'boolean' }, y: { type: 'object' } })))
    expect(parts[1]?.actions).toContain('Add v1alpha3, served, not stored')
    expect(parts[1]?.actions).toContain('Keep storing objects in v1alpha2')
  })

  test('a deprecated version is not followed once more, and is left as it is', () => {
    const pair = (first: object) => definition([v('v1alpha1', first, old), v('v1alpha2', renamed)], withHook)
    const { version, newVersion, verdict, parts } = advise('ngf', pair(plain), pair(retyped))
    expect([version, newVersion, parts[0]?.actions[0]]).toEqual(['v1alpha2', 'v1alpha3', 'Store objects in v1alpha2'])
    expect(verdict).toContain('v1alpha1 is deprecated: leave it as it is.')
  })

  test('a definition without versions gets no advice', () => {
    const none = definition([])
    expect(advise('ngf', none, none).verdict).toBe('The definition has no version.')
  })
})
