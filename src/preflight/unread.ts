import type { Inventory } from '../installation/inventory.types.ts'

/** What a check may have to do without. */
export type Reading = 'deployments' | 'nodes' | 'crds' | 'leases' | 'providerConfigs' | 'workloads'

const WORDS: Record<Reading, RegExp> = {
  deployments: /^deployments/i,
  nodes: /^nodes$/i,
  crds: /^customresourcedefinitions/i,
  leases: /^leases?\b/i,
  providerConfigs: /inferenceproviderconfigs/i,
  workloads: /modeldeployments/i,
}

/** False where this could not be read: then its absence proves nothing, and the finding `unreadable` says so instead. */
export function couldRead(inventory: Inventory, reading: Reading): boolean {
  return !inventory.unreadable.some(({ what }) => WORDS[reading].test(what))
}
