/** The steps of the shims: each after the other, its own way. Pure. */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { WorkloadTarget } from '../plan/plan.types.ts'
import type { StandbySteps } from '../plan/standby.ts'
import { leaseStep, reconcileStep, rollOutStep } from '../plan/workloads.ts'
import { applySteps } from './common-steps.ts'
import type { Situation } from './plan-upgrade.ts'
import { rightsOfBoth } from './rights.ts'
import type { ShimHop } from './shims.ts'
import type { Ways } from './tier.ts'

/** All shims that move. */
export const shimSteps = ({ shims, input }: Situation, ways: Ways, workloads: WorkloadTarget): DraftStep[] =>
  shims.flatMap((shim, index) => {
    const way = ways.shims[index]
    return way?.tier === 'standby'
      ? byStandby(shim, way.steps, workloads, input.liveRights ?? [])
      : inPlace(shim, workloads)
  })

/** A shim's Deployment updated where it is, with its own proofs. */
const inPlace = ({ name, objects, led }: ShimHop, workloads: WorkloadTarget): DraftStep[] => [
  ...applySteps(`Update the ${name} shim`, objects),
  rollOutStep(led),
  leaseStep(`Hand over the Lease of ${name}`, [led]),
  reconcileStep(workloads, name),
]

/** What its standby needs comes first, its Deployment with the way home; each side is proven while it holds the Lease. */
const byStandby = (
  { name, objects, led }: ShimHop,
  steps: StandbySteps,
  workloads: WorkloadTarget,
  liveRights: AnyObject[],
): DraftStep[] => {
  const beside = objects.filter(({ kind, metadata }) => kind !== 'Deployment' || metadata.name !== led.deployment.name)
  const rights = rightsOfBoth(beside, liveRights, led.title)
  return [
    ...applySteps(`Update the rights of ${led.title}`, rights.forBoth),
    ...steps.arrive,
    ...steps.takeOver,
    reconcileStep(workloads, name),
    ...steps.comeHome,
    ...rights.leave,
    reconcileStep(workloads, name),
  ]
}
