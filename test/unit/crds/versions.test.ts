import { describe, expect, test } from 'vitest'
import {
  fingerprint,
  holdStorage,
  servedVersions,
  storageFingerprint,
  storageVersionOf,
} from '../../../src/crds/versions.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'

const crd: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'models.example.io' },
  spec: {
    group: 'example.io',
    scope: 'Namespaced',
    names: { plural: 'models', kind: 'Model' },
    versions: [
      { name: 'v1alpha1', served: true, storage: false },
      { name: 'v1beta1', served: true, storage: true },
      { name: 'v1', served: false, storage: false },
    ],
  },
}

describe('storage version', () => {
  test('is read', () => {
    expect(storageVersionOf(crd)).toBe('v1beta1')
    expect(servedVersions(crd)).toEqual(['v1alpha1', 'v1beta1'])
  })

  test('is held at another version, everything else stays and the original is untouched', () => {
    const before = JSON.stringify(crd)
    const result = holdStorage(crd, 'v1alpha1')
    if (!result.held) throw new Error(result.why)
    expect(storageVersionOf(result.crd)).toBe('v1alpha1')
    expect(result.crd.spec.versions.filter((version) => version.storage)).toHaveLength(1)
    expect(servedVersions(result.crd)).toEqual(servedVersions(crd))
    expect(JSON.stringify(crd)).toBe(before)
  })

  test('cannot be held at a version the CRD lacks', () => {
    expect(holdStorage(crd, 'v2')).toEqual({
      held: false,
      why: 'models.example.io has the versions v1alpha1, v1beta1, v1, so v2 cannot be its storage version',
    })
  })
})

describe('fingerprint', () => {
  const edit = (change: (copy: CustomResourceDefinition) => void) => {
    const copy = structuredClone(crd)
    change(copy)
    return fingerprint(copy)
  }
  const [version] = crd.spec.versions
  const reordered = { storage: version?.storage, served: version?.served, name: version?.name }

  test.each<[string, boolean, (copy: CustomResourceDefinition) => void]>([
    ['key order', true, (copy) => Object.assign(copy.spec.versions, { 0: reordered })],
    ['a description', true, (copy) => Object.assign(copy.spec.versions[0] ?? {}, { description: 'text' })],
    [
      'defaults of the API server outside versions',
      true,
      (copy) => Object.assign(copy.spec, { conversion: { strategy: 'None' } }),
    ],
    ['another field', false, (copy) => Object.assign(copy.spec.versions[0] ?? {}, { deprecated: true })],
    ['another storage version', false, (copy) => Object.assign(copy.spec.versions[0] ?? {}, { storage: true })],
  ])('%s leaves it: %s', (_name, equal, change) => {
    expect(edit(change) === fingerprint(crd)).toBe(equal)
  })
})

describe('the fingerprint of what decides about stored objects', () => {
  type Spec = CustomResourceDefinition['spec']
  const webhooked: CustomResourceDefinition = {
    ...crd,
    spec: {
      ...crd.spec,
      versions: crd.spec.versions.map((version) => ({
        ...version,
        schema: { openAPIV3Schema: { type: 'object', properties: { description: { type: 'string' } } } },
      })),
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: { caBundle: 'QQ==', url: 'https://a' }, conversionReviewVersions: ['v1'] },
      },
    },
  }
  const of = (change: (spec: Spec) => unknown): string => {
    const copy = structuredClone(webhooked)
    change(copy.spec)
    return storageFingerprint(copy)
  }
  const first = ({ versions: [version] }: Spec): Spec['versions'][number] => {
    if (version === undefined) throw new Error('there is a first version')
    return version
  }
  const clientConfig = ({ conversion }: Spec): { caBundle?: string; url?: string } => {
    const config = conversion?.webhook?.clientConfig
    if (config === undefined) throw new Error('it has a webhook')
    return config
  }
  const turned = (version: Spec['versions'][number]): Spec['versions'][number] =>
    Object.fromEntries(Object.entries(version).toReversed()) as Spec['versions'][number]

  test.each<[string, (spec: Spec) => unknown]>([
    ['nothing', () => undefined],
    ['the authority of the webhook', (spec) => Object.assign(clientConfig(spec), { caBundle: 'Qg==' })],
    ['no authority of the webhook', (spec) => delete clientConfig(spec).caBundle],
    ['what is printed', (spec) => Object.assign(first(spec), { additionalPrinterColumns: [{ name: 'a' }] })],
    ['short names', ({ names }) => Object.assign(names, { shortNames: ['m'] })],
    ['categories', ({ names }) => Object.assign(names, { categories: ['all'] })],
    ['a deprecation', (spec) => Object.assign(first(spec), { deprecated: true, deprecationWarning: 'w' })],
    ['the order of keys', (spec) => Object.assign(spec, { versions: spec.versions.map(turned) })],
  ])('%s: the same', (_, change) => {
    expect(of(change)).toBe(storageFingerprint(webhooked))
  })

  test.each<[string, (spec: Spec) => unknown]>([
    ['a version more', ({ versions }) => versions.push({ name: 'v2', served: false, storage: false })],
    ['a version less', ({ versions }) => versions.pop()],
    ['a version that is not served', (spec) => Object.assign(first(spec), { served: false })],
    ['another storage version', (spec) => Object.assign(first(spec), { storage: true })],
    ['a schema', (spec) => Object.assign(first(spec), { schema: { openAPIV3Schema: { type: 'object' } } })],
    [
      'a field called description',
      (spec) => Object.assign(first(spec), { schema: { openAPIV3Schema: { type: 'object', properties: {} } } }),
    ],
    ['subresources', (spec) => Object.assign(first(spec), { subresources: { status: {} } })],
    ['no conversion', (spec) => Object.assign(spec, { conversion: { strategy: 'None' } })],
    ['another converter', (spec) => Object.assign(clientConfig(spec), { url: 'https://b' })],
    ['what is kept of unknown fields', (spec) => Object.assign(spec, { preserveUnknownFields: true })],
    ['a field that nobody knows here', (spec) => Object.assign(first(spec), { fieldsOfTomorrow: true })],
  ])('%s: another', (_, change) => {
    expect(of(change)).not.toBe(storageFingerprint(webhooked))
  })
})
