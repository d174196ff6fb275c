import { describe, expect, test } from 'vitest'
import { fingerprint, holdStorage, servedVersions, storageVersionOf } from '../../../src/crds/versions.ts'
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
