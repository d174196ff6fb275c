import { describe, expect, test } from 'vitest'
import { fingerprint, holdStorage } from '../../../src/crds/versions.ts'
import { identifyDeployment } from '../../../src/installation/identify-deployments.ts'
import { install, installedShim, whatFingerprintsTell } from '../../../src/installation/identify-installs.ts'
import { versionOfImage } from '../../../src/installation/identify-version.ts'
import type { Install } from '../../../src/installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, Lease, Pod } from '../../../src/kubernetes/objects.ts'
import type { KnownRelease } from '../../../src/releases/data.types.ts'
import { products } from '../../../src/releases/products.ts'
import type { Product } from '../../../src/releases/release.types.ts'

const now = new Date('2026-11-22T12:00:00Z')
const one = `sha256:${'1'.repeat(64)}`
const two = `sha256:${'2'.repeat(64)}`
const repository = 'ghcr.io/kaito-project/airunway/controller'

function found(kind: 'controller' | 'shim', name: string, image: string, namespace = 'airunway-system') {
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, uid: 'u' },
    spec: { selector: {}, template: { spec: { containers: [{ name: 'manager', image }] } } },
    status: { readyReplicas: 1 },
  }
  const result = identifyDeployment(deployment, products(), [])
  if (result?.kind !== kind) throw new Error(`is ${result?.kind}`)
  return result
}

function controller(image: string): Parameters<typeof install>[0] {
  const result = found('controller', 'airunway-controller-manager', image)
  if (result.kind !== 'controller') throw new Error('no controller')
  return result
}

function pod(imageID: string, image = `${repository}:latest`): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'u' },
    spec: {
      containers: [
        { name: 'proxy', image: 'envoy:1' },
        { name: 'manager', image },
      ],
    },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        { name: 'proxy', image: 'envoy:1', imageID: 'x', ready: true, restartCount: 9 },
        { name: 'manager', image, imageID, ready: true, restartCount: 2 },
      ],
    },
  }
}

const releases: KnownRelease[] = [
  { product: 'airunway', version: 'v0.5.0', released: '2026-04-07', digests: { controller: one } },
  { product: 'airunway', version: 'v0.6.0', released: '2026-05-29', digests: { controller: two, kaito: one } },
]
const empty = { pods: [], lease: undefined, crds: [], releases: [], now }

describe('version of an image', () => {
  const digests = [
    { digest: one, version: 'v0.5.0' },
    { digest: two, version: 'v0.6.0' },
  ]
  const id = (digest: string) => `${repository}@${digest}`
  test.each<[string, string, string[], string, string]>([
    ['tag without v', `${repository}:0.5.0`, [], 'v0.5.0', 'image tag'],
    ['tag with v', `${repository}:v0.5.0`, [], 'v0.5.0', 'image tag'],
    ['tag and digest: the tag is what was meant', `${repository}:0.5.0@${two}`, [], 'v0.5.0', 'image tag'],
    ['digest', `${repository}@${two}`, [], 'v0.6.0', 'image ID'],
    ['latest, pods with a known digest', `${repository}:latest`, [id(one), id(one)], 'v0.5.0', 'image ID'],
  ])('%s', (_name, image, imageIDs, version, evidence) => {
    expect(versionOfImage(image, { imageIDs, digests })).toMatchObject({ known: true, version, evidence })
  })

  test.each<[string, string, string[], string]>([
    ['latest', `${repository}:latest`, [], '"latest" moves with every build'],
    ['no tag', repository, [], 'no tag, which means latest'],
    ['minor tag', `${repository}:0.7`, [], '"0.7" moves with every patch release'],
    ['commit', `${repository}:b0d3fb7`, [], '"b0d3fb7" is not a version'],
    ['digest that is not known', `${repository}@sha256:${'3'.repeat(64)}`, [], 'a digest that is not known'],
    ['pods of two versions', `${repository}:latest`, [id(one), id(two)], '"latest" moves'],
    [
      'pods of a known and an unknown version',
      `${repository}:latest`,
      [id(one), id(`sha256:${'3'.repeat(64)}`)],
      '"latest" moves',
    ],
    ['no image reference', '', [], 'is not an image reference'],
  ])('%s is unknown', (_name, image, imageIDs, why) => {
    const version = versionOfImage(image, { imageIDs, digests })
    expect([version.known, version.known ? version.version : version.why]).toEqual([
      false,
      expect.stringContaining(why),
    ])
  })
})

describe('fingerprints', () => {
  const crd = (name: string, field: string): CustomResourceDefinition => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: 'airunway.ai',
      scope: 'Namespaced',
      names: { plural: 'x', kind: 'X' },
      versions: [{ name: field, served: true, storage: true }],
    },
  })
  const [deployments, configs] = [
    crd('modeldeployments.airunway.ai', 'a'),
    crd('inferenceproviderconfigs.airunway.ai', 'b'),
  ]
  const row = products().find((candidate) => candidate.name === 'airunway')
  if (row === undefined) throw new Error('no product')
  const known: Product = {
    ...row,
    fingerprints: [
      { version: 'v0.9.0', modelDeployments: fingerprint(deployments), inferenceProviderConfigs: fingerprint(configs) },
    ],
  }

  test('tell which manifest was applied last, not which binary runs', () => {
    const text = whatFingerprintsTell(known, [deployments, configs])
    expect(text).toBe(
      'the CRDs are those of v0.9.0, so its manifest was applied last; which version runs, they do not tell',
    )
    const result = install(
      { ...controller(`${repository}:latest`), product: known },
      { ...empty, crds: [deployments, configs] },
    )
    expect(result.version.known).toBe(false)
    expect(result.version.detail).toContain('v0.9.0')
  })

  test('also tell it while an upgrade holds the storage version', () => {
    const spec = deployments.spec
    const released = {
      ...deployments,
      spec: {
        ...spec,
        versions: [
          { name: 'a', served: true, storage: false },
          { name: 'b', served: true, storage: true },
        ],
      },
    }
    const held = holdStorage(released, 'a')
    if (!held.held) throw new Error(held.why)
    expect(fingerprint(held.crd)).not.toBe(fingerprint(released))
    const entry = {
      version: 'v0.9.0',
      modelDeployments: fingerprint(released),
      inferenceProviderConfigs: fingerprint(configs),
    }
    expect(whatFingerprintsTell({ ...known, fingerprints: [entry] }, [held.crd, configs])).toContain('v0.9.0')
  })

  test.each<[string, Product, CustomResourceDefinition[], string | undefined]>([
    [
      'one of both differs',
      known,
      [deployments, crd('inferenceproviderconfigs.airunway.ai', 'c')],
      'the CRDs are those of no known release',
    ],
    ['no CRDs', known, [], undefined],
    ['a product without fingerprints', { ...known, fingerprints: [] }, [deployments, configs], undefined],
  ])('%s', (_name, product, crds, text) => expect(whatFingerprintsTell(product, crds)).toBe(text))
})

describe('an install', () => {
  test('shows the controller container of its pods', () => {
    const result = install(controller(`${repository}:latest`), {
      ...empty,
      pods: [pod(`${repository}@${one}`)],
      releases,
    })
    expect(result.pods).toEqual([
      { name: 'p', uid: 'u', ready: true, image: `${repository}:latest`, imageID: `${repository}@${one}`, restarts: 2 },
    ])
    expect(result).toMatchObject({
      replicas: 1,
      readyReplicas: 1,
      version: { known: true, version: 'v0.5.0', evidence: 'image ID' },
    })
  })

  const lease = (spec: Lease['spec']): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l' },
    ...(spec === undefined ? {} : { spec }),
  })
  test.each<[string, Lease | undefined, boolean | undefined]>([
    ['no lease', undefined, undefined],
    [
      'renewed just now',
      lease({ holderIdentity: 'p_1', renewTime: '2026-11-22T11:59:58.000000Z', leaseDurationSeconds: 15 }),
      true,
    ],
    [
      'a clock that differs a little',
      lease({ holderIdentity: 'p_1', renewTime: '2026-11-22T11:59:31Z', leaseDurationSeconds: 15 }),
      true,
    ],
    [
      'not renewed',
      lease({ holderIdentity: 'p_1', renewTime: '2026-11-22T11:59:29Z', leaseDurationSeconds: 15 }),
      false,
    ],
    ['released', lease({ holderIdentity: '', renewTime: '2026-11-22T11:59:59Z' }), false],
    ['never held', lease(undefined), false],
  ])('%s', (_name, object, fresh) => {
    expect(install(controller(`${repository}:0.5.0`), { ...empty, lease: object }).lease?.fresh).toBe(fresh)
  })
})

describe('a shim', () => {
  const config = (status: unknown, apiVersion = 'airunway.ai/v1alpha1'): AnyObject => ({
    apiVersion,
    kind: 'InferenceProviderConfig',
    metadata: { name: 'kaito' },
    ...(status === undefined ? {} : { status }),
  })
  const shim = (providerConfigs: AnyObject[], installs: Install[] = []) => {
    const result = found('shim', 'airunway-kaito-provider', 'ghcr.io/kaito-project/airunway/kaito-provider:latest')
    if (result.kind !== 'shim') throw new Error('no shim')
    return installedShim(result, { installs, providerConfigs, releases })
  }
  const status = { ready: true, version: 'kaito-provider:v0.1.0', lastHeartbeat: '2026-11-22T11:59:00Z' }

  test.each<[string, AnyObject[], ReturnType<typeof installedShim>['providerConfig']]>([
    ['ready', [config(status)], { name: 'kaito', ...status }],
    ['without status', [config(undefined)], { name: 'kaito', ready: false }],
    ['of the other group', [config(status, 'kubeairunway.ai/v1alpha1')], undefined],
    ['none', [], undefined],
  ])('provider configuration: %s', (_name, configs, wanted) => {
    expect(shim(configs).providerConfig).toEqual(wanted)
  })

  test('the stale constant in status.version is not its version', () => {
    expect(shim([config(status)]).version.known).toBe(false)
  })

  test('belongs to the product of the controller beside it', () => {
    const row = products().find((candidate) => candidate.controller.deployment === 'kubeairunway-controller-manager')
    if (row === undefined) throw new Error('no product')
    const old = found('shim', 'kubeairunway-kaito-provider', 'mirror/kubeairunway/kaito-provider:1.0.0', row.namespace)
    if (old.kind !== 'shim') throw new Error('no shim')
    expect(old.product).not.toBe(row)
    const beside = { ...install(controller(`${repository}:0.5.0`), empty), product: row, namespace: row.namespace }
    expect(installedShim(old, { installs: [beside], providerConfigs: [], releases: [] }).product).toBe(row)
  })
})
