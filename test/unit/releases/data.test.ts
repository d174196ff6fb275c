import { readdirSync, readFileSync } from 'node:fs'
import { Range, satisfies } from 'semver'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fingerprint } from '../../../src/crds/versions.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { knownReleases, kubernetesSupport, operatorRows, policyCompatibility } from '../../../src/releases/data.ts'
import { parseManifests } from '../../../src/releases/manifests.ts'
import { productOfImage, products } from '../../../src/releases/products.ts'
import { type JsonSchema, validate } from '../../support/json-schema.ts'

const data = new URL('../../../data/', import.meta.url)
const examples = new URL('../examples/releases/', data)
type Crd = ReturnType<typeof parseManifests>[number] & CustomResourceDefinition
const files = readdirSync(data).filter((name) => name.endsWith('.yaml'))

test('every file has a schema', () => {
  expect(files.toSorted()).toEqual(
    readdirSync(new URL('schema/', data))
      .filter((name) => name !== 'release.json')
      .map((name) => name.replace('.json', '.yaml'))
      .toSorted(),
  )
})

describe.each(files)('%s', (file) => {
  const content: unknown = parse(readFileSync(new URL(file, data), 'utf8'))
  const schema = JSON.parse(
    readFileSync(new URL(`schema/${file.replace('.yaml', '.json')}`, data), 'utf8'),
  ) as JsonSchema

  test('fits its schema', () => expect(validate(content, schema)).toEqual([]))

  test('does not fit it with a field that is not known', () => {
    expect(validate({ ...(content as object), surprise: 1 }, schema)).toEqual(['$: surprise is not allowed'])
  })
})

test('the sample releases fit the schema of release.yaml', () => {
  const schema = JSON.parse(readFileSync(new URL('schema/release.json', data), 'utf8')) as JsonSchema
  const results = readdirSync(examples).map((name) => {
    const content: unknown = parse(readFileSync(new URL(`${name}/release.yaml`, examples), 'utf8'))
    return [name, validate(content, schema)]
  })
  expect(results.length).toBeGreaterThan(0)
  expect(results.filter(([, errors]) => errors?.length)).toEqual([])
})

describe('products', () => {
  test('ranges are ranges, and at most one row of a line bears a version', () => {
    for (const product of products()) expect(new Range(product.versions).range).not.toBe('')
    for (const version of ['0.1.0', '0.2.0-lossy', '0.3.0', '0.3.1', '0.4.0', '0.7.0', '1.0.0']) {
      const lines = products().filter((row) => satisfies(version, row.versions, { includePrerelease: true }))
      const names = lines.map((row) => `${row.name} ${version}`)
      expect(names).toEqual([...new Set(names)])
    }
  })

  test.each(products().map((product) => [`${product.name} ${product.versions}`, product] as const))(
    '%s finds its own images and CRDs',
    (_name, product) => {
      expect(productOfImage(`r.example/${product.controller.imageSuffix}:1.0.0`)?.product).toBe(product)
      for (const shim of product.shims) {
        expect(productOfImage(`r.example/${shim.imageSuffix}:1.0.0`)).toMatchObject({ product, component: shim.name })
      }
      for (const crd of Object.values(product.crds)) expect(crd.endsWith(`.${product.group}`)).toBe(true)
    },
  )

  test.each(readdirSync(examples))('the fingerprints of the sample release %s are those of its CRDs', (version) => {
    const objects = parseManifests(
      readFileSync(new URL(`${version}/manifests/install.yaml`, examples), 'utf8'),
      version,
    )
    const print = (name: string) =>
      objects.filter(({ metadata }) => metadata.name === name).map((crd) => fingerprint(crd as Crd))[0]
    const [sample] = products()
    const row = {
      version,
      modelDeployments: print(sample?.crds.modelDeployments ?? ''),
      inferenceProviderConfigs: print(sample?.crds.inferenceProviderConfigs ?? ''),
    }
    expect(sample?.fingerprints).toContainEqual(row)
  })

  test('rows are read-only', () => {
    expect(() => Object.assign(products()[0] ?? {}, { title: 'other' })).toThrow('read only')
  })
})

describe('the other tables', () => {
  test('the policy document is kept verbatim', () => {
    const { rows, providers } = policyCompatibility()
    expect(rows).toEqual([
      {
        controller: 'v0.1.x',
        kubernetes: '1.26-1.30',
        operators: { kaito: 'v0.3.x', dynamo: 'v0.1.x', kuberay: 'v1.1.x' },
      },
    ])
    expect(providers.map((row) => `${row.provider} ${row.minimum} ${row.crdApiVersion}`)).toEqual([
      'kaito v0.3.0 kaito.sh/v1beta1',
      'dynamo v0.1.0 nvidia.com/v1alpha1',
      'kuberay v1.1.0 ray.io/v1',
    ])
  })

  test('three minors are supported on the day of the table, in order and without gaps', () => {
    const { asOf, minors } = kubernetesSupport()
    expect(minors.filter((row) => row.endOfLife >= asOf).map((row) => row.minor)).toEqual(['1.35', '1.36', '1.37'])
    expect(minors.map((row) => row.minor)).toEqual(minors.map((_, index) => `1.${22 + index}`))
    for (const row of minors) expect(row.lastPatch.startsWith(`${row.minor}.`)).toBe(true)
  })

  test('known releases belong to a product, and tags without a controller to none of its versions', () => {
    const bears = (name: string, version: string) =>
      products().some((row) => row.name === name && satisfies(version, row.versions))
    const { releases, withoutController } = knownReleases()
    expect(releases.filter((row) => !bears(row.product, row.version))).toEqual([])
    expect(withoutController.filter((row) => bears(row.product, row.version))).toEqual([])
  })

  test('each operator of a provider minimum can be found', () => {
    const names = operatorRows().map((row) => row.name)
    for (const { provider } of policyCompatibility().providers) expect(names).toContain(provider)
  })
})
