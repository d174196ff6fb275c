import { describe, expect, test } from 'vitest'
import { storageFingerprint } from '../../../src/crds/versions.ts'
import { missingVersion } from '../../../src/migration/blockers.ts'
import { isBlocker, needsMigration, targetOf } from '../../../src/migration/target.ts'
import { type Described, definition, established, stored, target, version } from './survey-definitions.ts'

test('a target says all that a migration is about', () => {
  expect(targetOf(definition(), '2026-11-22T10:00:00.000Z')).toEqual({
    definition: 'widgets.example.com',
    uid: 'u1',
    generation: 3,
    fingerprint: storageFingerprint(definition()),
    group: 'example.com',
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    storageVersion: 'v1beta1',
    storedVersions: ['v1alpha1', 'v1beta1'],
    versions: ['v1alpha1', 'v1beta1'],
    served: ['v1alpha1', 'v1beta1'],
    requestVersion: 'v1beta1',
    conversion: 'None',
    statusSubresource: false,
    flippedAt: '2026-11-22T10:00:00.000Z',
  })
})

const withStatus = { subresources: { status: {} } }
test.each<[string, Described, Partial<ReturnType<typeof target>>]>([
  [
    'a storage version that is not served is written through another one',
    { versions: [version('v1alpha1', withStatus), version('v1beta1', { ...stored, served: false })] },
    { requestVersion: 'v1alpha1', storageVersion: 'v1beta1', statusSubresource: true },
  ],
  [
    '/status counts in the version of the request only',
    { versions: [version('v1alpha1', withStatus), version('v1beta1', stored)] },
    { requestVersion: 'v1beta1', statusSubresource: false },
  ],
  ['the conversion is told', { conversion: { strategy: 'Webhook' } }, { conversion: 'Webhook' }],
])('%s', (_title, described, expected) => {
  expect(target(definition(described))).toMatchObject(expected)
})

test.each<[string, Described, string]>([
  ['being deleted, by its timestamp', { deletionTimestamp: '2026-11-22T10:00:00Z' }, 'terminating'],
  [
    'being deleted, by its condition',
    { conditions: [established, { type: 'Terminating', status: 'True' }] },
    'terminating',
  ],
  ['not established', { conditions: [{ type: 'Established', status: 'False', message: 'no' }] }, 'not-established'],
  ['without conditions yet', { conditions: [] }, 'not-established'],
  [
    'migrated by the cluster',
    { conditions: [established, { type: 'StorageMigrating', status: 'True' }] },
    'migrating-elsewhere',
  ],
  [
    'serving nothing',
    { versions: [version('v1beta1', { ...stored, served: false })], storedVersions: ['v1beta1'] },
    'not-served',
  ],
  ['without a storage version', { versions: [version('v1beta1')], storedVersions: ['v1beta1'] }, 'no-storage-version'],
  ['with a stored version that is gone', { storedVersions: ['v1alpha0', 'v1beta1'] }, 'version-gone'],
  ['without a schema', { versions: [version('v1alpha1', { schema: {} }), version('v1beta1', stored)] }, 'no-schema'],
])('a definition %s has no target', (_title, described, kind) => {
  const found = targetOf(definition(described))
  expect(isBlocker(found) && found.kind).toBe(kind)
})

test.each<[string, Described, string]>([
  [
    'names taken by another definition',
    {
      conditions: [
        { type: 'NamesAccepted', status: 'False', message: '"widgets" is already in use' },
        { type: 'Established', status: 'False', message: 'not all names are accepted' },
      ],
    },
    '"widgets" is already in use',
  ],
  ['which stored version is gone', { storedVersions: ['v1alpha0', 'v1beta1'] }, 'bring v1alpha0 back'],
])('a blocker tells %s', (_title, described, text) => {
  const found = targetOf(definition(described))
  if (!isBlocker(found)) throw new Error('it is a target')
  expect(`${found.why} ${found.next}`).toContain(text)
})

describe('a migration is needed', () => {
  test.each<[string[], boolean]>([
    [['v1beta1'], false],
    [['v1alpha1', 'v1beta1'], true],
    [['v1alpha1'], true],
    [[], true],
  ])('with %j stored: %s', (storedVersions, needed) => {
    expect(needsMigration(definition({ storedVersions }))).toBe(needed)
  })
})

describe('the version that an unreadable object is stored in', () => {
  test.each<[string, string | undefined]>([
    ['request to convert CR from an invalid group/version: example.com/v1alpha0', 'v1alpha0'],
    [
      'Internal error occurred: request to convert CR list from an invalid group/version: example.com/v1alpha0, list index 3',
      'v1alpha0',
    ],
    // It is what a client asked for, or what managedFields name.
    ['request to convert CR to an invalid group/version: example.com/v1alpha0', undefined],
    ['request to convert CR from an invalid group/version: example.org/v1alpha0', undefined],
    ['request to convert CR from an invalid group/version: example.com/v1alpha1', undefined],
    ['conversion webhook for example.com/v1alpha0, Kind=Widget failed', undefined],
  ])('%s -> %s', (message, expected) => {
    expect(missingVersion(message, definition())).toBe(expected)
  })
})
