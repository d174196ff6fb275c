/** The rights that taking an inventory needs. */
import type { RequiredAccess } from '../plan/access.ts'
import { operatorRows } from '../releases/data.ts'
import { products } from '../releases/products.ts'
import type { Inventory } from './inventory.types.ts'

const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }

/**
 * What `takeInventory` has asked for on a cluster that looks like this. Deployments and nodes are read in all namespaces,
 * definitions by name; what belongs to an install is read in its namespace.
 */
export const inventoryAccess = ({ installs, crds }: Inventory): RequiredAccess[] => {
  const ours = products().flatMap((product) => [product.crds.modelDeployments, product.crds.inferenceProviderConfigs])
  const definitions = new Set([...ours, ...operatorRows().flatMap((row) => row.crds)])
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', verbs: ['list'] },
    { apiVersion: 'v1', kind: 'Node', verbs: ['list'] },
    ...[...definitions].map((name) => ({ ...DEFINITIONS, name, verbs: ['get'] })),
    ...crds
      .filter(({ name }) => ours.includes(name))
      .map(({ group, plural }) => ({ group, resource: plural, verbs: ['list'] })),
    ...installs.flatMap(({ namespace, product }) => [
      { apiVersion: 'v1', kind: 'Pod', namespace, verbs: ['list'] },
      { ...LEASES, namespace, name: product.controller.lease, verbs: ['get'] },
    ]),
  ]
}
