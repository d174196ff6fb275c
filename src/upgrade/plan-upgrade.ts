/**
 * The plan of an upgrade. Pure: what is on the cluster and what the release holds go in, steps come out. Here it is decided
 * which way it goes; each way has a file of its own.
 */
import type { Install, Inventory } from '../installation/inventory.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import type { Plan, Tier } from '../plan/plan.types.ts'
import type { Planned } from '../plan/refused.types.ts'
import type { Release } from '../releases/release.types.ts'
import { type DefinitionHop, definitionHop } from './definition-hop.ts'
import { inPlace } from './in-place.ts'
import type { StorageMove } from './last-wave.ts'
import { ofRole } from './release-parts.ts'
import { type ShimHop, shimHops } from './shims.ts'
import { byStandby } from './standby.ts'
import { stopAndGo } from './stop-and-go.ts'
import { undecodableFields, waysOf } from './tier.ts'

export interface UpgradeInput {
  inventory: Inventory
  /** the one install that is upgraded */
  install: Install
  release: Release
  /** findings that were accepted: they are part of what was decided on */
  accepted?: NonNullable<Plan['accepted']>
  /** what becomes of fields that another manager owns */
  conflicts?: 'keep' | 'overwrite'
  /** the tier that was asked for; the best possible one where it is absent */
  tier?: Tier | undefined
  /** the webhook configurations on the cluster: their paths have to be answered until they change */
  liveWebhooks?: AnyObject[]
  /** the roles and bindings of the release as they are on the cluster: what the running release may do */
  liveRights?: AnyObject[]
  /** fields of the pods that neither the release nor this tool set, by Deployment (`keyOf`) */
  othersPodFields?: Record<string, string[]>
  /** ends before stored objects move to the versions of the release, so that it can be gone back from */
  holdStorage?: boolean
  /** how they move, where it is not the usual way */
  storage?: StorageMove
  /** why a component cannot have a standby on this cluster, by Deployment (`keyOf`) */
  noStandby?: Record<string, string>
}

/** What all ways need to know. */
export interface Situation {
  input: UpgradeInput
  definitions: DefinitionHop[]
  /** that of the ModelDeployments */
  models: DefinitionHop
  shims: ShimHop[]
  /** fields that one version cannot read as the other stores them, with their CRDs */
  undecodable: string[]
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
  const shims = shimHops(input.inventory, input.release)
  const undecodable = undecodableFields(input, definitions)
  const situation: Situation = { input, definitions, models, shims, undecodable }
  // The two versions may never be up at the same time.
  if (undecodable.length > 0) return stopAndGo(situation)
  const ways = waysOf(situation)
  if ('refused' in ways) return ways
  const { controller } = ways
  return { plan: controller.tier === 'standby' ? byStandby(situation, ways, controller) : inPlace(situation, ways) }
}
