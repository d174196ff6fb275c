/** In which versions managers may be named otherwise: a line a case. */
import { describe, expect, test } from 'vitest'
import type { MigrationTarget } from '../../../src/migration/migration.types.ts'
import { renamableVersions } from '../../../src/migration/renamed-managers.ts'
import { definition, object, stored, string, target, version } from './survey-definitions.ts'

type Fields = Record<string, unknown>

/** The fields of spec in v1alpha1, and in v1beta1, which is stored. */
const pair = (alpha: Fields, beta: Fields, more: object = {}) =>
  definition({ versions: [version('v1alpha1', {}, alpha), version('v1beta1', stored, beta)], ...more })

const list = { type: 'array', items: object({ name: string, port: { type: 'integer' } }) }
const byKeys = (...keys: string[]) => ({
  ...list,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
})
const map = (values: unknown) => ({ type: 'object', additionalProperties: values })
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

describe('an entry means the same in the storage version', () => {
  test.each<[string, Fields, Fields]>([
    ['the same fields', { size: string, ports: list }, { size: string, ports: list }],
    ['a field more', { size: string }, { size: string, color: string }],
    ['other defaults and rules', { size: { ...string, default: 's', maxLength: 3 } }, { size: string }],
    ['other words', { size: string }, { size: { ...string, description: 'how large' } }],
    ['what lists are by themselves', { ports: list }, { ports: { ...list, 'x-kubernetes-list-type': 'atomic' } }],
    [
      'what objects are by themselves',
      { o: { ...object({}), 'x-kubernetes-map-type': 'granular' } },
      { o: object({}) },
    ],
    ['keys in another order', { ports: byKeys('name', 'port') }, { ports: byKeys('port', 'name') }],
    ['fields that neither knows', { values: open }, { values: open }],
    ['maps', { m: map(string) }, { m: map(string) }],
  ])('%s', (_, alpha, beta) => {
    const crd = pair(alpha, beta)
    expect(renamableVersions(crd, target(crd))).toEqual(['v1alpha1'])
  })

  test('whatever the schemas say about metadata', () => {
    const crd = pair({}, {})
    Object.assign(crd.spec.versions[0]?.schema?.openAPIV3Schema ?? {}, {
      properties: { metadata: { type: 'object' }, kind: string, spec: object({}) },
    })
    expect(renamableVersions(crd, target(crd))).toEqual(['v1alpha1'])
  })
})

describe('it does not', () => {
  test.each<[string, Fields, Fields]>([
    ['a field less', { size: string, color: string }, { size: string }],
    ['a field less, deep in a list', { ports: list }, { ports: { ...list, items: object({ name: string }) } }],
    ['another type', { size: string }, { size: { type: 'integer' } }],
    ['a list by keys', { ports: list }, { ports: byKeys('name') }],
    ['other keys', { ports: byKeys('name') }, { ports: byKeys('port') }],
    ['an object as a whole', { o: object({}) }, { o: { ...object({}), 'x-kubernetes-map-type': 'atomic' } }],
    ['fields that only one of them keeps', { values: open }, { values: object({}) }],
    ['a name for what had none', { values: open }, { values: { ...open, properties: { size: list } } }],
    ['a map and an object', { m: map(string) }, { m: object({ a: string }) }],
  ])('%s', (_, alpha, beta) => {
    const crd = pair(alpha, beta)
    expect(renamableVersions(crd, target(crd))).toEqual([])
  })

  test.each<[string, Partial<MigrationTarget>, object]>([
    ['a webhook converts', { conversion: 'Webhook' }, {}],
    ['the storage version is not served', { requestVersion: 'v1alpha1' }, {}],
    ['all unknown fields are kept', {}, { preserveUnknownFields: true }],
    ['a version has no schema', {}, { versions: [version('v1alpha1', { schema: {} }), version('v1beta1', stored)] }],
  ])('%s', (_, change, spec) => {
    const crd = pair({ size: string }, { size: string })
    const before = target(crd)
    Object.assign(crd.spec, spec)
    expect(renamableVersions(crd, { ...before, ...change })).toEqual([])
  })
})
