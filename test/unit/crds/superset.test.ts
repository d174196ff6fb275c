import { describe, expect, test } from 'vitest'
import { isSuperset } from '../../../src/crds/superset.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { supersetProperties } from '../../support/properties/superset.ts'
import { testProperties } from '../../support/seeded.ts'

type Schema = Record<string, unknown>

function crd(schema: Schema, change: (crd: CustomResourceDefinition) => void = () => {}): CustomResourceDefinition {
  const result: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'models.example.io' },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: { plural: 'models', kind: 'Model' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { f: schema } } },
        },
      ],
    },
  }
  change(result)
  return result
}

const string = { type: 'string' }
const object = (properties: Schema, more: Schema = {}) => ({ type: 'object', properties, ...more })
const rule = (text: string, more: Schema = {}) => ({ ...string, 'x-kubernetes-validations': [{ rule: text, ...more }] })

/** [what changes, older schema of the field, newer schema of the field] */
const accepted: [string, Schema, Schema][] = [
  ['nothing', string, string],
  ['key order', { type: 'string', maxLength: 3 }, { maxLength: 3, type: 'string' }],
  ['description', { ...string, description: 'a' }, { ...string, description: 'b' }],
  ['optional field added', object({}), object({ a: string })],
  ['optional field with a default added', object({}), object({ a: { ...string, default: 'x' } })],
  ['required field inside a new field', object({}), object({ a: object({ b: string }, { required: ['b'] }) })],
  ['required removed', object({ a: string }, { required: ['a'] }), object({ a: string })],
  ['enum value added', { ...string, enum: ['a'] }, { ...string, enum: ['b', 'a'] }],
  ['enum dropped', { ...string, enum: ['a'] }, string],
  ['maximum raised', { type: 'integer', maximum: 3 }, { type: 'integer', maximum: 4 }],
  ['maximum dropped', { type: 'integer', maximum: 3 }, { type: 'integer' }],
  ['minimum lowered', { type: 'integer', minimum: 3 }, { type: 'integer', minimum: -3 }],
  ['exclusive dropped', { type: 'integer', minimum: 3, exclusiveMinimum: true }, { type: 'integer', minimum: 3 }],
  ['lower bound made exclusive', { minimum: 3 }, { minimum: 2, exclusiveMinimum: true }],
  ['maxLength raised', { ...string, maxLength: 3 }, { ...string, maxLength: 4 }],
  ['pattern dropped', { ...string, pattern: 'a' }, string],
  ['format dropped', { ...string, format: 'date' }, string],
  ['nullable', string, { ...string, nullable: true }],
  ['validation rule dropped', rule('self > 1'), string],
  ['message of a rule', rule('self > 1', { message: 'a' }), rule('self > 1', { message: 'b' })],
  ['anyOf dropped', { anyOf: [{ minLength: 1 }] }, {}],
  [
    'unknown fields kept from now on',
    object({ a: string }),
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  ],
  ['map values widened', { additionalProperties: { ...string, maxLength: 1 } }, { additionalProperties: string }],
]

/** [what changes, older, newer, path of the difference, words in it] */
const refused: [string, Schema, Schema, string, string][] = [
  ['field removed', object({ a: string }), object({}), '^.f.a', 'the field is gone'],
  ['field renamed', object({ a: string }), object({ b: string }), '^.f.a', 'the field is gone'],
  ['field of list items removed', { items: object({ a: string }) }, { items: object({}) }, '^.f[*].a', 'is gone'],
  [
    'field of map values removed',
    { additionalProperties: object({ a: string }) },
    { additionalProperties: object({}) },
    '^.f{*}.a',
    'is gone',
  ],
  ['type', string, { type: 'integer' }, '^.f', 'type changes'],
  ['integer to number', { type: 'integer' }, { type: 'number' }, '^.f', 'type changes'],
  ['strings to objects in a list', { items: string }, { items: object({}) }, '^.f[*]', 'type changes'],
  ['newly required', object({ a: string }), object({ a: string }, { required: ['a'] }), '^.f', 'a is newly required'],
  ['new and required', object({}), object({ a: string }, { required: ['a'] }), '^.f', 'a is newly required'],
  ['enum value removed', { enum: ['a', 'b'] }, { enum: ['a'] }, '^.f', 'enum value "b" is gone'],
  ['enum added', string, { ...string, enum: ['a'] }, '^.f', 'enum is new'],
  ['maximum added', { type: 'integer' }, { type: 'integer', maximum: 0 }, '^.f', 'maximum is new'],
  ['maximum lowered', { maximum: 4 }, { maximum: 3 }, '^.f', 'maximum changes'],
  ['minimum raised', { minimum: 0 }, { minimum: 1 }, '^.f', 'minimum changes'],
  ['exclusive added', { minimum: 3 }, { minimum: 3, exclusiveMinimum: true }, '^.f', 'exclusiveMinimum is new'],
  ['minLength raised', { minLength: 1 }, { minLength: 2 }, '^.f', 'minLength changes'],
  ['maxItems added', {}, { maxItems: 8 }, '^.f', 'maxItems is new'],
  ['pattern added', string, { ...string, pattern: 'a' }, '^.f', 'pattern is new'],
  ['pattern changed', { pattern: 'a' }, { pattern: 'ab' }, '^.f', 'pattern changes'],
  ['format added', string, { ...string, format: 'date' }, '^.f', 'format is new'],
  ['nullable dropped', { nullable: true }, {}, '^.f', 'nullable is gone'],
  ['default added', string, { ...string, default: 'a' }, '^.f', 'default changes from nothing'],
  ['default changed', { default: { description: 'a' } }, { default: { description: 'b' } }, '^.f', 'default changes'],
  ['rule added', string, rule('self > 1'), '^.f', 'validation rule is new'],
  ['rule changed', rule('self > 1'), rule('self > 2'), '^.f', 'validation rule is new'],
  ['not added', string, { ...string, not: { minLength: 9 } }, '^.f', 'not is new'],
  ['anyOf branch gone', { anyOf: [{ minLength: 1 }, {}] }, { anyOf: [{ minLength: 1 }] }, '^.f', 'anyOf changes'],
  [
    'unknown fields pruned',
    { 'x-kubernetes-preserve-unknown-fields': true },
    {},
    '^.f',
    'preserve-unknown-fields is gone',
  ],
  [
    'schema for what was free',
    { 'x-kubernetes-preserve-unknown-fields': true },
    { 'x-kubernetes-preserve-unknown-fields': true, properties: { a: string } },
    '^.f.a',
    'held any value',
  ],
  ['int-or-string dropped', { 'x-kubernetes-int-or-string': true }, string, '^.f', 'int-or-string is gone'],
  [
    'embedded resource',
    object({}),
    object({}, { 'x-kubernetes-embedded-resource': true }),
    '^.f',
    'embedded-resource changes',
  ],
  [
    'list type',
    { 'x-kubernetes-list-type': 'atomic' },
    { 'x-kubernetes-list-type': 'map' },
    '^.f',
    'list-type changes',
  ],
  [
    'list keys',
    { 'x-kubernetes-list-map-keys': ['a'] },
    { 'x-kubernetes-list-map-keys': ['b'] },
    '^.f',
    'list-map-keys',
  ],
  ['map closed', { additionalProperties: string }, {}, '^.f', 'additionalProperties changes'],
  ['fields to map', object({ a: string }), { additionalProperties: string }, '^.f.a', 'is gone'],
  ['a word nobody knows', {}, { 'x-kubernetes-future': true }, '^.f', 'x-kubernetes-future changes'],
]

describe('a newer schema that accepts and keeps everything', () => {
  test.each(accepted)('%s', (_name, older, newer) => {
    expect(isSuperset(crd(newer), crd(older))).toEqual({ superset: true, differences: [] })
  })
})

describe('a newer schema that does not', () => {
  test.each(refused)('%s', (_name, older, newer, path, what) => {
    const result = isSuperset(crd(newer), crd(older))
    expect(result.superset).toBe(false)
    expect(result.differences).toContainEqual({
      version: 'v1alpha1',
      path,
      what: expect.stringContaining(what) as string,
    })
  })
})

describe('the CRD around the schemas', () => {
  const edit = (change: (spec: CustomResourceDefinition['spec']) => void) => crd(string, ({ spec }) => change(spec))
  const first = (spec: CustomResourceDefinition['spec']) => {
    const [version] = spec.versions
    if (version === undefined) throw new Error('no version')
    return version
  }
  const second = { name: 'v1beta1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } }

  test.each<[string, (spec: CustomResourceDefinition['spec']) => void, string]>([
    ['group', (spec) => Object.assign(spec, { group: 'other.io' }), '*: group changes'],
    ['scope', (spec) => Object.assign(spec, { scope: 'Cluster' }), '*: scope changes'],
    ['version gone', (spec) => Object.assign(spec, { versions: [second] }), 'v1alpha1: this version is gone'],
    [
      'no longer served',
      (spec) => Object.assign(first(spec), { served: false }),
      'v1alpha1: this version is no longer served',
    ],
    [
      'status subresource',
      (spec) => Object.assign(first(spec), { subresources: { status: {} } }),
      'v1alpha1: subresources changes',
    ],
    ['schema gone', (spec) => delete first(spec).schema, 'v1alpha1: only one of both has a schema'],
  ])('%s is a difference', (_name, change, text) => {
    const { superset, differences } = isSuperset(edit(change), crd(string))
    expect(superset).toBe(false)
    expect(differences.map(({ version, what }) => `${version}: ${what}`).join('\n')).toContain(text)
  })

  test('a version more, another storage version and a conversion for it are none', () => {
    const newer = edit((spec) => {
      first(spec).storage = false
      spec.versions.push({ ...second, storage: true })
      spec.conversion = { strategy: 'Webhook' }
    })
    expect(isSuperset(newer, crd(string)).differences).toEqual([])
  })

  test('conversion matters where the older CRD has two versions', () => {
    const older = edit((spec) => {
      spec.versions.push(second)
      spec.conversion = { strategy: 'Webhook' }
    })
    const newer = edit((spec) => spec.versions.push(second))
    expect(isSuperset(newer, older).differences).toEqual([
      { version: '*', path: '', what: 'conversion changes from Webhook to None' },
    ])
  })

  test('neither CRD is changed by the comparison', () => {
    const [newer, older] = [crd(object({ a: string })), crd(object({ b: string }))]
    const before = JSON.stringify([newer, older])
    isSuperset(newer, older)
    expect(JSON.stringify([newer, older])).toBe(before)
  })
})

testProperties(supersetProperties)
