/** The sample releases as values: what a planner gets when one of them runs and another is wanted. */
import { fileURLToPath } from 'node:url'
import type { Backup } from '../../src/backup/backup.types.ts'
import type { CrdState, Inventory } from '../../src/installation/inventory.types.ts'
import type { RunSummary } from '../../src/journal/journal.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import type { Plan } from '../../src/plan/plan.types.ts'
import { products } from '../../src/releases/products.ts'
import type { Product, Release } from '../../src/releases/release.types.ts'
import { readRelease } from '../../src/releases/sources.ts'

const folder = fileURLToPath(new URL('../../examples/releases', import.meta.url))

/** The names of the samples. */
export const sampleProduct = (): Product => {
  const found = products().find(({ controller }) => controller.deployment === 'kubeairunway-controller')
  if (found === undefined) throw new Error('the product data lack the samples')
  return found
}

export const sampleRelease = async (version: string): Promise<Release> =>
  readRelease({ version, releasesFolder: folder, product: sampleProduct() })

export const crdState = (object: AnyObject, change: Partial<CrdState> = {}): CrdState => {
  const crd = object as unknown as CustomResourceDefinition
  const storage = crd.spec.versions.find((version) => version.storage)?.name ?? ''
  return {
    name: crd.metadata.name,
    group: crd.spec.group,
    kind: crd.spec.names.kind,
    plural: crd.spec.names.plural,
    uid: 'uid',
    versions: crd.spec.versions.map(({ name, served, storage: stored }) => ({
      name,
      served,
      storage: stored,
      deprecated: false,
    })),
    storedVersions: [storage],
    conversion: crd.spec.conversion?.strategy ?? 'None',
    terminating: false,
    object: crd,
    ...change,
  }
}

/** A cluster on which just this release runs, with its shims. */
export const runningOn = (release: Release): Inventory => ({
  takenAt: '2026-11-22T12:00:00Z',
  server: { major: 1, minor: 36, gitVersion: 'v1.36.3' },
  nodes: [],
  installs: [
    {
      product: release.product,
      namespace: release.product.namespace,
      deployment: { ...release.controller.ref, uid: 'uid' },
      image: release.controller.pinnedImage,
      version: { known: true, version: release.version, evidence: 'image tag', detail: '' },
      replicas: 1,
      readyReplicas: 1,
      pods: [],
      lease: undefined,
    },
  ],
  shims: release.shims.map((shim) => ({
    product: release.product,
    name: shim.name,
    namespace: release.product.namespace,
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment', name: `${shim.name}-provider`, uid: 'uid' },
    image: shim.pinnedImage ?? shim.image,
    version: { known: true, version: release.version, evidence: 'image tag', detail: '' },
    replicas: 1,
    readyReplicas: 1,
    providerConfig: undefined,
  })),
  operators: [],
  crds: release.objects.filter(({ role }) => role === 'crd').map(({ object }) => crdState(object)),
  workloads: [],
  unreadable: [],
})

/** What a run of the plan has backed up where the release ran before. */
export const backupOf = (release: Release, plan: Plan): Backup => {
  const all = [...release.objects.map(({ object }) => object), ...release.shims.flatMap(pinnedObjects)]
  const key = (ref: { kind: string; name?: string; metadata?: { name: string } }): string =>
    `${ref.kind} ${ref.metadata?.name ?? ref.name}`
  const known = new Map(all.map((object) => [key(object), object]))
  const wanted = plan.steps.flatMap((step) => (step.kind === 'back-up' ? step.objects : []))
  return {
    takenAt: '2026-11-22T12:00:00Z',
    objects: wanted.flatMap((ref) => {
      const object = known.get(key(ref))
      return object === undefined ? [] : [{ object, applied: object }]
    }),
    absent: wanted.filter((ref) => !known.has(key(ref))),
    collections: {},
  }
}

const pinnedObjects = (shim: Release['shims'][number]): AnyObject[] =>
  JSON.parse(JSON.stringify(shim.objects).replaceAll(shim.image, shim.pinnedImage ?? shim.image)) as AnyObject[]

export const runOf = (plan: Plan, change: Partial<RunSummary> = {}): RunSummary => ({
  number: 1,
  kind: plan.kind,
  product: plan.product,
  from: plan.from,
  to: plan.to,
  state: 'succeeded',
  startedAt: '2026-11-22T12:00:00Z',
  by: 'test',
  planHash: plan.hash,
  ...change,
})
