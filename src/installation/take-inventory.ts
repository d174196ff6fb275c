/** Takes the Inventory: what is on the cluster now. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { knownReleases, operatorRows } from '../releases/data.ts'
import type { OperatorRow } from '../releases/data.types.ts'
import { products as allProducts } from '../releases/products.ts'
import type { Product } from '../releases/release.types.ts'
import { crdState, nodeState, workload } from './describe-objects.ts'
import { type IdentifiedDeployment, identifyDeployment } from './identify-deployments.ts'
import { install, installedShim } from './identify-installs.ts'
import { installedOperator } from './identify-operators.ts'
import type { Install, Inventory, Workload } from './inventory.types.ts'
import { InventoryReads } from './reads.ts'

export interface InventoryOptions {
  now: Date
  /** all known ones unless told otherwise */
  products?: Product[]
  operators?: OperatorRow[]
  signal?: AbortSignal | undefined
}

/**
 * Reads the cluster in two rounds of parallel requests: what exists (Deployments of all namespaces in pages, since labels and
 * names may differ; nodes; CRDs by name, since KubeRay's are 0.8 MB each and a list would hold everybody's), then what belongs to
 * what was found (pods, leases, ModelDeployments, provider configurations).
 * Missing rights become `unreadable` entries. Throws ConnectionError, ConfigurationError, or ApiError Unauthorized.
 */
export async function takeInventory(client: KubernetesClient, options: InventoryOptions): Promise<Inventory> {
  const { now, products = allProducts(), operators = operatorRows() } = options
  const reads = new InventoryReads(client, options.signal)
  const productCrds = new Set(products.flatMap(({ crds }) => [crds.modelDeployments, crds.inferenceProviderConfigs]))
  const namespaces = [...new Set(products.map((product) => product.namespace))]
  const [server, deployments, nodes, { found: crds, failed }] = await Promise.all([
    client.serverVersion(),
    reads.deployments((deployment) => identifyDeployment(deployment, products, operators), namespaces),
    reads.nodes(nodeState),
    reads.crds([...productCrds, ...operators.flatMap((row) => row.crds)]),
  ])
  const [installs, workloads, providerConfigs] = await Promise.all([
    readInstalls(reads, deployments, crds, now),
    readWorkloads(reads, products, crds),
    readProviderConfigs(reads, products, crds),
  ])
  for (const name of failed.filter((candidate) => productCrds.has(candidate))) {
    reads.unreadable.push({ what: `objects of ${name}`, why: 'their CustomResourceDefinition could not be read' })
  }
  const { releases } = knownReleases()
  const crdNames = new Set(crds.map((crd) => crd.metadata.name))
  return {
    takenAt: now.toISOString(),
    server,
    nodes: nodes.toSorted((a, b) => compare(a.name, b.name)),
    installs,
    shims: sorted(deployments)
      .filter((found) => found.kind === 'shim')
      .map((found) => installedShim(found, { installs, providerConfigs, releases })),
    operators: sorted(deployments)
      .filter((found) => found.kind === 'operator')
      .map((found) => installedOperator(found, crdNames)),
    crds: crds.map((crd) => crdState(crd, productCrds.has(crd.metadata.name))),
    workloads,
    unreadable: reads.unreadable.toSorted((a, b) => compare(a.what, b.what)),
  }
}

function readInstalls(
  reads: InventoryReads,
  deployments: IdentifiedDeployment[],
  crds: CustomResourceDefinition[],
  now: Date,
): Promise<Install[]> {
  const { releases } = knownReleases()
  const controllers = sorted(deployments).filter((found) => found.kind === 'controller')
  return Promise.all(
    controllers.map(async (found) => {
      const { deployment, product } = found
      const [pods, lease] = await Promise.all([
        reads.pods(deployment),
        reads.lease(deployment.metadata.namespace ?? '', product.controller.lease),
      ])
      return install(found, { pods, lease, crds, releases, now })
    }),
  )
}

async function readWorkloads(
  reads: InventoryReads,
  products: Product[],
  crds: CustomResourceDefinition[],
): Promise<Workload[]> {
  const paused = new Map(products.map((product) => [product.crds.modelDeployments, product.pausedAnnotation]))
  const lists = crds.flatMap((crd) => {
    const annotation = paused.get(crd.metadata.name)
    return annotation === undefined ? [] : [reads.customResources(crd, (object) => workload({ ...object }, annotation))]
  })
  return (await Promise.all(lists)).flat()
}

async function readProviderConfigs(
  reads: InventoryReads,
  products: Product[],
  crds: CustomResourceDefinition[],
): Promise<AnyObject[]> {
  const names = new Set(products.map((product) => product.crds.inferenceProviderConfigs))
  const lists = crds
    .filter((crd) => names.has(crd.metadata.name))
    .map((crd) => reads.customResources(crd, (object): AnyObject => ({ ...object })))
  return (await Promise.all(lists)).flat()
}

/** By namespace and name, so that the same cluster gives the same inventory. */
function sorted(deployments: IdentifiedDeployment[]): IdentifiedDeployment[] {
  const key = ({ deployment: { metadata } }: IdentifiedDeployment) => `${metadata.namespace}/${metadata.name}`
  return deployments.toSorted((a, b) => compare(key(a), key(b)))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
