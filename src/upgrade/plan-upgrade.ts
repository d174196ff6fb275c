/**
 * The plan of an upgrade. Pure: what is on the cluster and what the release holds go in, steps come out. Here it is decided
 * which way it goes; each way has a file of its own.
 */
import type { Install, Inventory } from '../installation/inventory.types.ts'
import type { Plan } from '../plan/plan.types.ts'
import type { Planned } from '../plan/refused.types.ts'
import type { Release } from '../releases/release.types.ts'
import { type DefinitionHop, definitionHop } from './definition-hop.ts'
import { inPlace } from './in-place.ts'
import { ofRole } from './release-parts.ts'
import { type ShimHop, shimHops } from './shims.ts'

const IN_PLACE =
  'the Deployments are updated where they are; old and new share one Lease, so one of them reconciles at a time'

export interface UpgradeInput {
  inventory: Inventory
  /** the one install that is upgraded */
  install: Install
  release: Release
  /** findings that were accepted: they are part of what was decided on */
  accepted?: NonNullable<Plan['accepted']>
  /** what becomes of fields that another manager owns */
  conflicts?: 'keep' | 'overwrite'
}

/** What all ways need to know. */
export interface Situation {
  input: UpgradeInput
  definitions: DefinitionHop[]
  /** that of the ModelDeployments */
  models: DefinitionHop
  shims: ShimHop[]
}

/** Plans the way from what runs to the release, or says why there is none. */
export const planUpgrade = (input: UpgradeInput): Planned => {
  const definitions: DefinitionHop[] = []
  for (const { object } of ofRole(input.release, 'crd')) {
    const hop = definitionHop(object, input.inventory)
    if ('refused' in hop) return hop
    definitions.push(hop.definition)
  }
  const models = definitions.find(({ wanted }) => wanted.metadata.name === input.release.product.crds.modelDeployments)
  if (models === undefined)
    return {
      refused: { message: `${input.release.version} has no CRD ${input.release.product.crds.modelDeployments}.` },
    }
  return { plan: inPlace({ input, definitions, models, shims: shimHops(input.inventory, input.release) }, IN_PLACE) }
}
