import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { undecodable, unreadableFields } from '../../../src/crds/decodable.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { parseManifests } from '../../../src/releases/manifests.ts'
import { sampleRelease } from '../../support/upgrade-samples.ts'

type Schema = Record<string, unknown>

const crd = (field: Schema | undefined, version = 'v1alpha1'): CustomResourceDefinition =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: field === undefined ? {} : { field } } },
        },
      ],
    },
  }) as unknown as CustomResourceDefinition

const text = { type: 'string' }
const whole = { type: 'integer' }
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties })
const intOrString = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }
const anything = { 'x-kubernetes-preserve-unknown-fields': true }

describe('undecodable', () => {
  const rows: [what: string, before: Schema | undefined, after: Schema | undefined, paths: string[]][] = [
    ['text becomes an object', text, object({ name: text }), ['field']],
    [
      'items of a list become objects',
      { type: 'array', items: text },
      { type: 'array', items: object({}) },
      ['field[]'],
    ],
    ['one becomes many', text, { type: 'array', items: text }, ['field']],
    ['a whole number becomes a fraction', whole, { type: 'number' }, ['field']],
    ['a number may be text as well', whole, intOrString, ['field']],
    ['text may be a number as well', text, intOrString, ['field']],
    ['int-or-string on both sides', intOrString, { 'x-kubernetes-int-or-string': true }, []],
    ['int-or-string whose enum has only texts', text, { ...intOrString, enum: ['10%', '20%'] }, []],
    ['a typed field becomes any value', text, anything, ['field']],
    ['any value on both sides', anything, { ...anything, description: 'more' }, []],
    ['text becomes a time', text, { type: 'string', format: 'date-time' }, ['field']],
    ['a number of more bits', { ...whole, format: 'int32' }, { ...whole, format: 'int64' }, []],
    ['an enum gets a value', { ...text, enum: ['a'] }, { ...text, enum: ['a', 'b'] }, []],
    ['a field within an object changes', object({ inner: text }), object({ inner: whole }), ['field.inner']],
    ['a field comes', object({ inner: text }), object({ inner: text, other: whole }), []],
    ['a field goes', object({ inner: text }), object({}), []],
    ['the whole field comes', undefined, text, []],
    [
      'values of a map change',
      { type: 'object', additionalProperties: text },
      { type: 'object', additionalProperties: whole },
      ['field{}'],
    ],
    [
      'a map of texts becomes a struct with a number',
      { type: 'object', additionalProperties: text },
      object({ name: text, count: whole }),
      ['field.count'],
    ],
    ['the description changes', text, { ...text, description: 'more' }, []],
    ['null is allowed', text, { ...text, nullable: true }, []],
  ]
  it.each(rows)('%s', (_, before, after, paths) => {
    const named = paths.map((path) => `v1alpha1 ${path}`)
    expect(undecodable(crd(before), crd(after))).toEqual(named)
    expect(undecodable(crd(after), crd(before))).toEqual(named)
  })

  it('compares versions of the same name only', () => {
    expect(undecodable(crd(text, 'v1alpha1'), crd(whole, 'v1beta1'))).toEqual([])
  })

  const hops: [from: string, to: string, paths: string[]][] = [
    ['v0.1.0', 'v0.2.0', []],
    ['v0.2.0', 'v0.3.0', []],
    ['v0.3.0', 'v0.4.0', []],
    ['v0.1.0', 'v0.2.0-undecodable', ['v1alpha1 spec.capabilities.engines[]']],
  ]
  it.each(hops)('from sample %s to %s', async (from, to, paths) => {
    const crds = async (version: string): Promise<CustomResourceDefinition[]> =>
      (await sampleRelease(version)).objects
        .filter(({ role }) => role === 'crd')
        .map((each) => each.object as unknown as CustomResourceDefinition)
    const after = await crds(to)
    const found = (await crds(from)).flatMap((old) =>
      after.flatMap((next) => (next.metadata.name === old.metadata.name ? undecodable(old, next) : [])),
    )
    expect(found).toEqual(paths)
  })

  const folder = fileURLToPath(new URL('../../../../shared/upstream/airunway', import.meta.url))
  it.skipIf(!existsSync(folder))('the real v0.4.0 and v0.5.0 (their manifests are not part of the project)', () => {
    const crds = (version: string): CustomResourceDefinition[] =>
      parseManifests(readFileSync(`${folder}/${version}/controller.yaml`, 'utf8'), version).filter(
        ({ kind }) => kind === 'CustomResourceDefinition',
      ) as unknown as CustomResourceDefinition[]
    const after = crds('v0.5.0')
    for (const [index, old] of crds('v0.4.0').entries()) {
      const next = after[index]
      expect(next?.metadata.name).toBe(old.metadata.name)
      expect(undecodable(old, next as CustomResourceDefinition)).toEqual([])
    }
  })
})

describe('unreadableFields', () => {
  const thing = (field: unknown, version = 'v1alpha1') => ({
    apiVersion: `example.org/${version}`,
    kind: 'Thing',
    metadata: { name: 'a' },
    field,
  })
  const list = (items: Schema): Schema => ({ type: 'array', items })
  const rows: [what: string, schema: Schema, value: unknown, fields: string[]][] = [
    ['objects where texts are expected', list(text), [{}, {}], ['field[]']],
    ['texts where objects are expected', list(object({ name: text })), ['vllm', { name: 'x' }], ['field[]']],
    ['texts where texts are expected', list({ ...text, enum: ['vllm'] }), ['vllm', 'of another release'], []],
    ['a whole number where a fraction may be', { type: 'number' }, 1, []],
    ['a number for int-or-string', intOrString, 1, []],
    ['anything', anything, { a: [1] }, []],
    ['null', text, null, []],
    ['nothing', text, undefined, []],
    ['within an object', object({ inner: whole }), { inner: 'x', unknown: 1 }, ['field.inner']],
    ['within a map', { type: 'object', additionalProperties: text }, { a: 'x', b: 1 }, ['field.b']],
  ]
  it.each(rows)('%s', (_, schema, value, fields) => {
    expect(unreadableFields(crd(schema), thing(value))).toEqual(fields)
  })

  it('says nothing of a version that the CRD does not have', () => {
    expect(unreadableFields(crd(text), thing(1, 'v1beta1'))).toEqual([])
  })
})
