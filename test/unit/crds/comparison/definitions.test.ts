import { describe, expect, test } from 'vitest'
import { compareDefinitions } from '../../../../src/crds/comparison/compare-definitions.ts'
import { definitionRules, versionRules } from '../../../../src/crds/comparison/rules.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../../../src/kubernetes/objects.ts'
import { definition, object, version, webhook } from './definitions.ts'

type Definition = CustomResourceDefinition
/** `version.added v1`: id without the prefix `crd.`, version */
type Case = [what: string, before: Definition, after: Definition, forward: string[], back: string[]]

const names = { plural: 'models', kind: 'Model' }
const alpha = version('v1alpha1')
const beta = version('v1beta1')
const stable = version('v1')
const wider = { spec: object({ x: { type: 'string' }, y: { type: 'string' } }) }
const one = definition([alpha])
const both = definition([alpha, beta])
const stored = (crd: Definition, ...storedVersions: string[]): Definition => ({ ...crd, status: { storedVersions } })
const served = (entry: CustomResourceDefinitionVersion, yes: boolean) => ({ ...entry, served: yes })
const hook = (changes: object, clientConfig: object = {}) =>
  definition([alpha], {
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { service: { namespace: 'models', name: 'converter' }, ...clientConfig },
        conversionReviewVersions: ['v1'],
        ...changes,
      },
    },
  })
const only = (overrides: object) => definition([version('v1', overrides)])
const plain = only({})
const base64 = (text: string) => Buffer.from(text).toString('base64')

const cases: Case[] = [
  [
    'a status subresource of null, which is none',
    only({ subresources: { status: {} } }),
    only({ subresources: { status: null } }),
    ['status-subresource.removed v1'],
    ['status-subresource.added v1'],
  ],
  [
    'the storage version goes, which a status from elsewhere does not name',
    stored(definition([alpha, version('v1alpha2', { storage: true })]), 'v1alpha1'),
    one,
    ['storage.moved v1alpha1', 'version.removed-stored v1alpha2'],
    ['storage.moved-to-new-version v1alpha2', 'version.added v1alpha2'],
  ],
  ['scope', one, definition([alpha], { scope: 'Cluster' }), ['scope.changed'], ['scope.changed']],
  ['group', one, definition([alpha], { group: 'example.com' }), ['group.changed'], ['group.changed']],
  [
    'plural',
    one,
    definition([alpha], { names: { ...names, plural: 'modelz', singular: 'model' } }),
    ['names.plural-changed'],
    ['names.plural-changed'],
  ],
  [
    'kind',
    one,
    definition([alpha], { names: { plural: 'models', kind: 'Modell', singular: 'model', listKind: 'ModelList' } }),
    ['names.kind-changed'],
    ['names.kind-changed'],
  ],
  [
    'list kind',
    one,
    definition([alpha], { names: { ...names, listKind: 'Models' } }),
    ['names.list-kind-changed'],
    ['names.list-kind-changed'],
  ],
  [
    'singular',
    one,
    definition([alpha], { names: { ...names, singular: 'modell' } }),
    ['names.singular-changed'],
    ['names.singular-changed'],
  ],
  [
    'short name',
    one,
    definition([alpha], { names: { ...names, shortNames: ['md'] } }),
    ['names.short-name-added'],
    ['names.short-name-removed'],
  ],
  [
    'category',
    one,
    definition([alpha], { names: Object.assign({ categories: ['ai'] }, names) }),
    ['names.category-added'],
    ['names.category-removed'],
  ],
  [
    'unknown fields everywhere',
    one,
    definition([alpha], { preserveUnknownFields: true }),
    ['definition-preserve-unknown-fields.added'],
    ['definition-preserve-unknown-fields.removed'],
  ],
  [
    'a version that is stored',
    one,
    definition([alpha, { ...beta, storage: true }]),
    ['storage.moved-to-new-version v1beta1', 'version.added v1beta1'],
    ['storage.moved v1alpha1', 'version.removed-stored v1beta1'],
  ],
  [
    'a version',
    definition([alpha, beta]),
    definition([alpha, beta, stable]),
    ['version.added v1'],
    ['version.removed v1'],
  ],
  [
    'a version that the cluster has objects in',
    stored(both, 'v1alpha1', 'v1beta1'),
    one,
    ['version.removed-stored v1beta1'],
    ['storage.not-preferred v1alpha1', 'version.added v1beta1'],
  ],
  [
    'a version that the cluster has no objects in',
    stored(both, 'v1alpha1'),
    one,
    ['version.removed v1beta1'],
    ['storage.not-preferred v1alpha1', 'version.added v1beta1'],
  ],
  [
    'a generated file says nothing of the cluster',
    stored(definition([beta, alpha])),
    definition([{ ...alpha, storage: true }]),
    ['storage.moved v1alpha1', 'version.removed-stored v1beta1'],
    ['storage.moved-to-new-version v1beta1', 'version.added v1beta1'],
  ],
  [
    'a version that is not served',
    definition([stable, served(beta, false)]),
    definition([stable]),
    ['version.removed-unserved v1beta1'],
    ['version.added v1beta1', 'version.added-below v1beta1'],
  ],
  [
    'serving',
    definition([stable, beta]),
    definition([stable, served(beta, false)]),
    ['version.unserved v1beta1'],
    ['version.served-again v1beta1'],
  ],
  [
    'storing',
    both,
    definition([alpha, { ...beta, storage: true }]),
    ['storage.moved v1beta1'],
    ['storage.moved v1alpha1', 'storage.not-preferred v1alpha1'],
  ],
  [
    'versions that differ',
    both,
    definition([alpha, version('v1beta1', wider)]),
    [
      'conversion.none-between-different-schemas v1alpha1 -> v1beta1',
      'property.added v1beta1',
      'property.removed v1beta1 -> v1alpha1',
    ],
    ['property.removed v1beta1'],
  ],
  [
    'a webhook that is needed',
    definition([alpha, version('v1beta1', wider)], { conversion: webhook }),
    definition([alpha, version('v1beta1', wider)]),
    ['conversion.none-between-different-schemas v1alpha1 -> v1beta1', 'conversion.webhook-removed'],
    ['conversion.webhook-added'],
  ],
  [
    'a webhook that is not needed',
    definition([alpha], { conversion: webhook }),
    one,
    ['conversion.webhook-no-longer-needed'],
    ['conversion.webhook-added'],
  ],
  [
    'review versions',
    hook({}),
    hook({ conversionReviewVersions: ['v1beta1'] }),
    ['conversion.review-version-removed'],
    [],
  ],
  [
    'address',
    hook({}),
    hook({}, { service: { namespace: 'models', name: 'other' } }),
    ['conversion.client-config-changed'],
    ['conversion.client-config-changed'],
  ],
  ['no address', hook({}), hook({}, { service: undefined }), ['conversion.client-config-missing'], []],
  ['authority', hook({}), hook({}, { caBundle: base64('hello') }), ['conversion.ca-invalid'], []],
  ['schema', only({ schema: {} }), plain, ['schema.added v1'], ['schema.removed v1']],
  [
    'status',
    plain,
    only({ subresources: { status: {} } }),
    ['status-subresource.added v1'],
    ['status-subresource.removed v1'],
  ],
  [
    'scale',
    plain,
    only({ subresources: { scale: { specReplicasPath: '.spec.x' } } }),
    ['scale-subresource.added v1'],
    ['scale-subresource.removed v1'],
  ],
  [
    'scale paths',
    only({ subresources: { scale: { specReplicasPath: '.spec.y' } } }),
    only({ subresources: { scale: { specReplicasPath: '.spec.x' } } }),
    ['scale-subresource.changed v1'],
    ['scale-subresource.changed v1'],
  ],
  [
    'selectable fields',
    plain,
    only({ selectableFields: [{ jsonPath: '.spec.x' }] }),
    ['selectable-fields.added v1'],
    ['selectable-fields.removed v1'],
  ],
  [
    'columns',
    plain,
    only({ additionalPrinterColumns: [{ name: 'X', jsonPath: '.spec.x' }] }),
    ['printer-columns.changed v1'],
    ['printer-columns.changed v1'],
  ],
  ['deprecation', plain, only({ deprecated: true }), ['deprecation.added v1'], ['deprecation.removed v1']],
  [
    'the warning',
    only({ deprecated: true }),
    only({ deprecated: true, deprecationWarning: 'use v2' }),
    ['deprecation.words-changed v1'],
    ['deprecation.words-changed v1'],
  ],
]

/** What looks like a change, and is none. */
const nearMisses: [rule: string, what: string, before: Definition, after: Definition][] = [
  ['scope', 'the same', one, definition([alpha], { scope: 'Namespaced' })],
  ['group', 'the same', one, definition([alpha], { group: 'example.io' })],
  [
    'names',
    'what the API server fills in',
    one,
    definition([alpha], { names: { ...names, singular: 'model', listKind: 'ModelList', shortNames: [] } }),
  ],
  ['definition-preserve-unknown-fields', 'off', one, definition([alpha], { preserveUnknownFields: false })],
  ['version', 'another order', definition([stable, beta]), definition([beta, { ...stable, storage: true }])],
  ['storage', 'another order', definition([stable, beta]), definition([beta, { ...stable, storage: true }])],
  ['conversion', 'no strategy is None', both, definition([alpha, beta], { conversion: { strategy: 'None' } })],
  [
    'conversion',
    'an authority that is injected',
    hook({}),
    hook({}, { caBundle: base64('-----BEGIN CERTIFICATE-----') }),
  ],
  [
    'conversion',
    'the port that is filled in',
    hook({}),
    hook({}, { service: { namespace: 'models', name: 'converter', port: 443 } }),
  ],
  [
    'conversion',
    'versions whose words differ',
    definition([alpha, stable]),
    definition([alpha, { ...stable, deprecated: false }]),
  ],
  ['schema', 'none on either side', only({ schema: {} }), only({ schema: {} })],
  ['status-subresource', 'the same', only({ subresources: { status: {} } }), only({ subresources: { status: {} } })],
  [
    'scale-subresource',
    'another order',
    only({ subresources: { scale: { a: 1, b: 2 } } }),
    only({ subresources: { scale: { b: 2, a: 1 } } }),
  ],
  [
    'selectable-fields',
    'another order',
    only({ selectableFields: [{ jsonPath: 'a' }, { jsonPath: 'b' }] }),
    only({ selectableFields: [{ jsonPath: 'b' }, { jsonPath: 'a' }] }),
  ],
  ['printer-columns', 'none', plain, only({ additionalPrinterColumns: [] })],
  ['deprecation', 'off', plain, only({ deprecated: false })],
]

const ids = (before: Definition, after: Definition) =>
  compareDefinitions(before, after)
    .map(({ id, version: of }) => `${id.slice('crd.'.length)} ${of}`.trim())
    .toSorted()

describe('what rules of definitions and versions see', () => {
  test.each(cases)('%s', (_, before, after, forward, back) => {
    expect({ forward: ids(before, after), back: ids(after, before) }).toEqual({ forward, back })
  })
  test.each(nearMisses)('%s does not see: %s', (_rule, _what, before, after) => {
    expect(ids(before, after)).toEqual([])
  })
  test('every kind of change has its case, and every rule its near miss', () => {
    const seen = new Set(cases.flatMap(([, , , forward, back]) => [...forward, ...back].map((id) => id.split(' ')[0])))
    const rules = [...definitionRules, ...versionRules]
    const kinds = rules.flatMap(({ id, kinds: all }) => Object.keys(all).map((kind) => `${id.slice(4)}.${kind}`))
    expect(kinds.filter((kind) => !seen.has(kind))).toEqual([])
    const missed = new Set(nearMisses.map(([rule]) => `crd.${rule}`))
    expect(rules.map(({ id }) => id).filter((id) => !missed.has(id))).toEqual([])
  })
})

describe('pairs of versions', () => {
  const narrow = { spec: object({ x: { type: 'string', maxLength: 3 } }) }
  const pairs = (before: Definition, after: Definition) =>
    compareDefinitions(before, after)
      .filter(({ scope }) => scope.endsWith('pair'))
      .map(({ scope, version: of, id, level, audiences }) => [scope, of, id, level, audiences.join()])

  test('without a webhook, objects are read as they are: what the other version refuses is an error', () => {
    expect(pairs(one, definition([alpha, version('v1beta1', narrow)]))).toEqual([
      ['served-pair', 'v1alpha1 -> v1beta1', 'crd.conversion.none-between-different-schemas', 'error', 'reader,stored'],
      ['served-pair', 'v1alpha1 -> v1beta1', 'crd.max-length.added', 'error', 'stored'],
    ])
  })
  test('versions that say the same in another order, or with words that say nothing, differ in nothing', () => {
    const rules = (message: string) => [{ rule: 'has(self.x)', message }, { rule: 'true' }]
    const fields = (x: object) => ({ x: { type: 'string', enum: ['a', 'b'], ...x }, y: { type: 'string' } })
    const first = version('v1alpha1', {
      spec: object(fields({}), { required: ['x', 'y'], 'x-kubernetes-validations': rules('one') }),
    })
    const second = version('v1beta1', {
      spec: object(fields({ enum: ['b', 'a'], nullable: false }), {
        required: ['y', 'x'],
        'x-kubernetes-validations': rules('other').toReversed(),
      }),
    })
    expect(pairs(definition([first]), definition([first, second]))).toEqual([])
    const third = version('v1beta1', { spec: object(fields({ default: false }), { required: ['x', 'y'] }) })
    expect(pairs(definition([first]), definition([first, third]))).not.toEqual([])
  })
  test('with a webhook, it is what the webhook has to get right', () => {
    expect(pairs(one, definition([alpha, version('v1beta1', narrow)], { conversion: webhook }))).toEqual([
      ['served-pair', 'v1alpha1 -> v1beta1', 'crd.max-length.added', 'warning', 'stored'],
    ])
  })
  test('a field that just the newer version has is lost on the way through the older one', () => {
    expect(pairs(one, definition([alpha, version('v1beta1', wider)], { conversion: webhook }))).toEqual([
      ['served-pair', 'v1beta1 -> v1alpha1', 'crd.property.removed', 'warning', 'reader,stored'],
    ])
  })
  test('what versions had against each other already is nothing new', () => {
    const before = definition([alpha, version('v1beta1', narrow)])
    expect(
      pairs(before, definition([version('v1alpha1'), version('v1beta1', narrow), version('v1', { served: false })])),
    ).toEqual([])
  })
  test('when the storage version moves, stored objects are compared once', () => {
    const after = definition([alpha, version('v1beta1', { ...narrow, storage: true })])
    expect(pairs(definition([alpha, version('v1beta1', narrow)]), after)).toEqual([
      ['storage-pair', 'v1alpha1 -> v1beta1', 'crd.max-length.added', 'error', 'stored'],
    ])
  })
})

test('changes come in one order: definition, versions by priority, pairs', () => {
  const before = definition([alpha, version('v1beta1'), stable])
  const after = definition(
    [
      version('v1', { ...wider, storage: true }),
      version('v1alpha1', { spec: object({ x: { type: 'string', maxLength: 1 }, a: { type: 'string' } }) }),
      version('v1beta1', wider),
    ],
    { scope: 'Cluster' },
  )
  expect(
    compareDefinitions(before, after).map(({ version: of, path, id }) => `${of} ${path} ${id}`),
  ).toMatchInlineSnapshot(`
    [
      "  crd.scope.changed",
      "v1  crd.storage.moved",
      "v1 ^.spec.y crd.property.added",
      "v1beta1 ^.spec.y crd.property.added",
      "v1alpha1 ^.spec.a crd.property.added",
      "v1alpha1 ^.spec.x crd.max-length.added",
      "v1 -> v1alpha1 ^.spec.x crd.max-length.added",
      "v1 -> v1alpha1 ^.spec.y crd.property.renamed",
      "v1beta1 -> v1alpha1 ^.spec.x crd.max-length.added",
      "v1beta1 -> v1alpha1 ^.spec.y crd.property.renamed",
      "v1alpha1 -> v1  crd.conversion.none-between-different-schemas",
      "v1alpha1 -> v1 ^.spec.a crd.property.renamed",
      "v1alpha1 -> v1beta1  crd.conversion.none-between-different-schemas",
      "v1alpha1 -> v1beta1 ^.spec.a crd.property.renamed",
    ]
  `)
})
