import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnyObject, CustomResourceDefinition } from '../../../../src/kubernetes/objects.ts'
import { entries } from '../../../../src/playground/entries.ts'
import { releaseFolder } from '../../../../src/playground/scenarios/install.ts'
import {
  keepingAuthorities,
  readManifest,
  withLastApplied,
} from '../../../../src/playground/scenarios/kubectl-apply.ts'
import { ofVersion } from '../../../../src/playground/scenarios/operators.ts'
import { scenarioNodes, scenarios } from '../../../../src/playground/scenarios.ts'
import { withCaBundle } from '../../../../src/playground/standins/certificate-rotator.ts'
import { admissionPath, traitsOf } from '../../../../src/playground/standins/traits.ts'
import { products } from '../../../../src/releases/products.ts'

const examples = entries().examples
const releases = join(examples, 'releases')
const versions = ['v0.1.0', 'v0.2.0', 'v0.2.0-removes', 'v0.3.0', 'v0.4.0', 'v0.5.0']
// the manifests of v0.2.0 under another version: what differs is what their images do
const sameManifests = [
  'v0.2.0-lossy',
  'v0.2.0-broken-start',
  'v0.2.0-broken-webhook',
  'v0.2.0-broken-reconcile',
  'v0.2.1',
]
const parsed = new Map<string, ReturnType<typeof readManifest>>()
const load = (version: string, file = 'install') => {
  const path = join(releases, version, 'manifests', `${file}.yaml`)
  const objects = parsed.get(path) ?? readManifest(path)
  parsed.set(path, objects)
  return objects
}
const crdOf = async (version: string, kind: string): Promise<CustomResourceDefinition> => {
  const crds = (await load(version)).filter((one) => one.kind === 'CustomResourceDefinition')
  const found = crds
    .map((one) => one as AnyObject & CustomResourceDefinition)
    .find(({ spec }) => spec.names.kind === kind)
  if (!found) throw new Error(`${version} has no ${kind}`)
  return found
}

describe('nodes', () => {
  it.each([
    ['healthy', 36, {}, ['v1.36.3']],
    ['healthy', 30, {}, ['v1.30.14']],
    ['skewed-nodes', 36, {}, ['v1.36.3', 'v1.32.0']],
    ['skewed-nodes', 36, { kubeletMinorsBehind: 3 }, ['v1.36.3', 'v1.33.0']],
  ])('of %s on 1.%i with %j', (name, minor, overrides, kubelets) => {
    expect(scenarioNodes(name, minor, overrides).map(({ kubeletVersion }) => kubeletVersion)).toEqual(kubelets)
  })
  it('of an unknown scenario name the known ones', () => {
    expect(() => scenarioNodes('other')).toThrow(`there are ${scenarios.map(({ name }) => name).join(', ')}`)
  })
})

describe('operators', () => {
  const crds = async (file: string, version: string, secondVersionSince: string, at: string): Promise<string[]> => {
    const objects = await readManifest(join(examples, 'operators', `${file}.yaml`))
    const sample = { name: file, version, secondVersionSince }
    return objects
      .map((one) => ofVersion(one, sample, at) as AnyObject & CustomResourceDefinition)
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .flatMap(({ spec }) => spec.versions.map((one) => `${spec.names.kind} ${one.name}${one.storage ? '*' : ''}`))
  }
  it.each([
    ['0.4.4', ['Workspace v1alpha1*']],
    ['0.4.5', ['Workspace v1alpha1', 'Workspace v1beta1*']],
    ['0.4.6', ['Workspace v1alpha1', 'Workspace v1beta1*']],
  ])('KAITO %s has %j', async (at, expected) => {
    expect(await crds('kaito', '0.4.6', '0.4.5', at)).toEqual(expected)
  })
})

describe('releases folder', () => {
  let work: string
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'scenario-'))
  })
  afterAll(() => rm(work, { recursive: true }))
  it('is the given one where nothing is left away, else a copy without it', async () => {
    expect(await releaseFolder(releases, work, [])).toBe(releases)
    const copy = await releaseFolder(releases, work, ['v0.1.0'])
    expect((await readdir(join(copy, 'v0.1.0'))).toSorted()).toEqual(['manifests'])
    expect((await readdir(join(copy, 'v0.2.0'))).toSorted()).toEqual(['manifests', 'release.yaml'])
  })
})

describe('sample releases', () => {
  it.each([
    ['v0.1.0', ['v1alpha1 served stored'], 'None'],
    ['v0.2.0', ['v1alpha1 served', 'v1beta1 served stored'], 'Webhook'],
    ['v0.3.0', ['v1alpha1', 'v1beta1 served stored'], 'Webhook'],
    ['v0.4.0', ['v1beta1 served stored'], 'None'],
    ['v0.5.0', ['v1beta1 served', 'v1 served stored'], 'Webhook'],
    ['v0.2.0-removes', ['v1beta1 served stored'], 'None'],
  ])('%s has ModelDeployments %j, conversion %s', async (version, expected, conversion) => {
    const { spec } = await crdOf(version, 'ModelDeployment')
    const seen = spec.versions.map(
      ({ name, served, storage }) => `${name}${served ? ' served' : ''}${storage ? ' stored' : ''}`,
    )
    expect(seen).toEqual(expected)
    expect(spec.conversion?.strategy ?? 'None').toBe(conversion)
  })

  it.each(sameManifests)('%s has what v0.2.0 has, but for the first lines', async (version) => {
    for (const file of ['install', 'kaito', 'kuberay']) {
      const [one, other] = await Promise.all(
        ['v0.2.0', version].map((name) => readFile(join(releases, name, 'manifests', `${file}.yaml`), 'utf8')),
      )
      expect(one?.split('---').length).toBeGreaterThan(4)
      expect(other?.split('---').slice(1)).toEqual(one?.split('---').slice(1))
    }
  })

  it('let the controllers that convert put their CA into the CRD', async () => {
    for (const version of versions) {
      const conversion = (await crdOf(version, 'ModelDeployment')).spec.conversion?.strategy === 'Webhook'
      const roles = (await load(version)).filter(({ kind }) => kind === 'ClusterRole')
      expect([version, JSON.stringify(roles).includes('"customresourcedefinitions"')]).toEqual([version, conversion])
    }
  })

  it('keep the schema of an API version the same in every release', async () => {
    for (const kind of ['ModelDeployment', 'InferenceProviderConfig']) {
      const seen = new Map<string, unknown>()
      for (const version of versions) {
        for (const one of (await crdOf(version, kind)).spec.versions) {
          const earlier = seen.get(one.name) ?? one.schema
          expect(one.schema).toEqual(earlier)
          seen.set(one.name, earlier)
        }
      }
      expect([...seen.keys()]).toEqual(['v1alpha1', 'v1beta1', 'v1'])
    }
  })

  it('have the names of the product data, and webhook paths that their controllers answer', async () => {
    const product = products().find(({ controller }) => controller.deployment === 'kubeairunway-controller')
    if (!product) throw new Error('the product data has no kubeairunway-controller')
    for (const version of versions) {
      const objects = [...(await load(version)), ...(await load(version, 'kaito')), ...(await load(version, 'kuberay'))]
      const names = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
      const { controller, crds, shims } = product
      const wanted = [
        `Namespace/${product.namespace}`,
        `Deployment/${controller.deployment}`,
        `ServiceAccount/${controller.serviceAccount}`,
        `Secret/${controller.webhookSecret}`,
        `Service/${controller.webhookService}`,
        `MutatingWebhookConfiguration/${controller.mutatingWebhook}`,
        `ValidatingWebhookConfiguration/${controller.validatingWebhook}`,
        `CustomResourceDefinition/${crds.modelDeployments}`,
        `CustomResourceDefinition/${crds.inferenceProviderConfigs}`,
        ...shims.filter(({ name }) => name !== 'dynamo').map(({ deployment }) => `Deployment/${deployment}`),
      ]
      expect(wanted.filter((name) => !names.has(name))).toEqual([])
      const paths = [...JSON.stringify(objects).matchAll(/"path":"(\/(?:mutate|validate)-[^"]+)"/g)].map(
        ([, path]) => path,
      )
      const served = traitsOf(product, version.slice(1)).admissionVersions.flatMap((one) => [
        admissionPath('mutate', product.group, one),
        admissionPath('validate', product.group, one),
      ])
      expect(new Set(paths)).toEqual(new Set(served))
      expect(
        JSON.stringify(objects)
          .match(/"image":"[^"]+"/g)
          ?.every((image) => image.endsWith(':latest"')),
      ).toBe(true)
    }
  })
})

describe('kubectl apply', () => {
  const object = (name: string, caBundle?: string): AnyObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'hooks' },
    webhooks: [{ name, clientConfig: caBundle ? { caBundle } : {} }],
  })
  it('notes what was applied, as kubectl does', () => {
    const annotations = withLastApplied(object('a')).metadata.annotations ?? {}
    expect(annotations).toEqual({
      'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object('a'))}\n`,
    })
  })
  it('keeps the CA of a webhook that stays, and drops webhooks that went', () => {
    expect(keepingAuthorities(object('a'), object('a', 'CA'))).toEqual(object('a', 'CA'))
    expect(keepingAuthorities(object('b'), object('a', 'CA'))).toEqual(object('b'))
  })
})

describe('withCaBundle', () => {
  const crd = (conversion: unknown): AnyObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'c' },
    spec: { group: 'g', conversion },
  })
  const webhook = (caBundle?: string) => ({
    strategy: 'Webhook',
    webhook: { clientConfig: { service: {}, ...(caBundle ? { caBundle } : {}) } },
  })
  const hooks = (...bundles: (string | undefined)[]): AnyObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'hooks' },
    webhooks: bundles.map((caBundle) => ({ name: 'x', clientConfig: caBundle ? { caBundle } : {} })),
  })
  const table: [what: string, before: AnyObject, after: AnyObject | undefined][] = [
    ['all entries of a webhook configuration', hooks(undefined, 'other'), hooks('CA', 'CA')],
    ['one that is right already', hooks('CA', 'CA'), undefined],
    ['a conversion webhook', crd(webhook('other')), crd(webhook('CA'))],
    ['a conversion webhook that is right already', crd(webhook('CA')), undefined],
    ['a CRD without conversion webhook', crd({ strategy: 'None' }), undefined],
  ]
  it.each(table)('%s', (_, before, after) => {
    expect(withCaBundle(before, 'CA')).toEqual(after)
  })
})
