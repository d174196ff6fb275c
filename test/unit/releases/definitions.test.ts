/** Which documents are definitions, and which of those cannot be compared. */
import { describe, expect, test } from 'vitest'
import { readDefinitions } from '../../../src/releases/definitions.ts'

const spec = {
  group: 'example.io',
  scope: 'Namespaced',
  names: { kind: 'Model', plural: 'models' },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
}
const crd = (others: object = {}, name = 'models.example.io') => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec,
  ...others,
})
const stream = (...documents: unknown[]): string => documents.map((one) => JSON.stringify(one)).join('\n---\n')
const read = (text: string) => readDefinitions({ name: 'f.yaml', text })
const version = (others: object) =>
  crd({ spec: { ...spec, versions: [{ name: 'v1', served: true, storage: true, ...others }] } })
const [first] = spec.versions

test.each<[string, string, string[], number]>([
  ['one', stream(crd()), ['models.example.io'], 0],
  ['one among others', stream({ kind: 'Kustomization' }, crd(), 'text', [1]), ['models.example.io'], 3],
  [
    'a list',
    stream({ apiVersion: 'v1', kind: 'List', items: [crd(), crd({}, 'b.example.io'), { kind: 'Pod' }] }),
    ['models.example.io', 'b.example.io'],
    1,
  ],
  [
    'a list of its own kind',
    stream({ kind: 'CustomResourceDefinitionList', items: [crd()] }),
    ['models.example.io'],
    0,
  ],
  ['empty documents', `---\n---\n${stream(crd())}\n---\n`, ['models.example.io'], 0],
  ['a version without a schema', stream(version({ schema: undefined })), ['models.example.io'], 0],
  ['none', stream({ kind: 'ConfigMap' }), [], 1],
])('%s', (_, text, names, passedOver) => {
  const found = read(text)
  expect(found.definitions.map(({ definition, file }) => [definition.metadata.name, file])).toEqual(
    names.map((name) => [name, 'f.yaml']),
  )
  expect(found.passedOver).toBe(passedOver)
})

describe('refused', () => {
  test.each<[string, string, RegExp]>([
    [
      'v1beta1',
      stream(crd({ apiVersion: 'apiextensions.k8s.io/v1beta1' })),
      /models.example.io is of apiextensions.k8s.io\/v1beta1/,
    ],
    ['no name', stream(crd({ metadata: {} })), /no metadata.name/],
    ['no spec', stream(crd({ spec: undefined })), /no spec/],
    ['no group', stream(crd({ spec: { ...spec, group: '' } })), /spec.group/],
    ['an odd scope', stream(crd({ spec: { ...spec, scope: 'namespaced' } })), /spec.scope/],
    ['no names', stream(crd({ spec: { ...spec, names: { kind: 'Model' } } })), /spec.names/],
    ['no versions', stream(crd({ spec: { ...spec, versions: [] } })), /spec.versions/],
    ['versions that are none', stream(crd({ spec: { ...spec, versions: ['v1'] } })), /versions\[0\] has no name/],
    [
      'a version twice',
      stream(crd({ spec: { ...spec, versions: [first, { ...first, storage: false }] } })),
      /v1 is there twice/,
    ],
    [
      'two storage versions',
      stream(crd({ spec: { ...spec, versions: [first, { ...first, name: 'v2' }] } })),
      /2 versions have storage/,
    ],
    ['no storage version', stream(version({ storage: false })), /0 versions have storage/],
    ['served as text', stream(version({ served: 'true' })), /served is neither/],
    ['a schema that is a list', stream(version({ schema: [] })), /schema is no map/],
    ['a page of HTML', '<!DOCTYPE html><html></html>', /page of HTML/],
    ['no YAML', 'a: [', /not usable YAML/],
  ])('%s', (_, text, reason) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'Refusal', kind: 'usage' }))
    expect(() => read(text)).toThrow(reason)
    expect(() => read(text)).toThrow(/^f\.yaml cannot be compared/)
  })
})
