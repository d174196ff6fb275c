/**
 * The plan of an upgrade by a standby: the new release comes up beside the running one, under the same Lease. Pure.
 *
 * The order: what the new controller needs before it starts, and versions that end while their conversion is still served;
 * then the standby, which gets the requests once it has answered every path. From then on all webhook traffic is answered by
 * the new release, so its webhook configurations go before its CRDs: a version is admitted by its own rules, and converted,
 * from the first moment that it is served. Then the standby takes the Lease, and proves itself; the usual Deployment is
 * brought to the release behind it, takes over the same way, and proves itself; the standby goes. The shims follow.
 */
import { storageVersionOf } from '../crds/versions.ts'
import type { DraftStep } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { Plan } from '../plan/plan.types.ts'
import { admissionStep, reconcileStep, runningImage } from '../plan/workloads.ts'
import { applySteps, componentsOf, definitionSteps, opening, withdrawSteps } from './common-steps.ts'
import { readableIn } from './definition-hop.ts'
import { storedNote } from './last-wave.ts'
import type { Situation } from './plan-upgrade.ts'
import { certificateOf, controllerOf, crdOf, objectsOf, workloadTarget } from './release-parts.ts'
import { rightsOfBoth } from './rights.ts'
import { shimSteps } from './shim-steps.ts'
import { shimNotes } from './shims.ts'
import type { Way, Ways } from './tier.ts'
import { upgradePlan } from './upgrade-plan.ts'

/** The steps, in the order said above, and what they interrupt. */
export const byStandby = (
  situation: Situation,
  ways: Ways,
  { steps: standby, why }: Extract<Way, { tier: 'standby' }>,
): Plan => {
  const { input, definitions, models, shims } = situation
  const { release, inventory } = input
  const controller = controllerOf(release)
  const before = workloadTarget(input, models.readable)
  const readable = readableIn(models.stored, models.served)
  const workloads = workloadTarget(input, readable)
  const probed = workloadTarget(input, storageVersionOf(crdOf(release, models)) ?? models.stored)
  const moved = moveOwnersSteps(before, models.ending, readable)
  const beside = objectsOf(release, 'controller', 'other').filter(
    ({ kind, metadata }) => kind !== controller.deployment.kind || metadata.name !== controller.deployment.name,
  )
  const access = objectsOf(release, 'namespace', 'access')
  const rights = rightsOfBoth(access, input.liveRights ?? [], controller.title)
  const steps: DraftStep[] = [
    ...opening(release, before, definitions, shims, rights.forBoth),
    ...moved,
    ...withdrawSteps(definitions),
    ...applySteps('Update what comes with the controller', beside),
    ...standby.arrive,
    { ...admissionStep(before, [models.readable]), title: 'Hear from the standby' },
    ...applySteps('Update webhook configurations', objectsOf(release, 'webhookConfiguration'), certificateOf(release)),
    ...definitionSteps(release, definitions),
    admissionStep(probed, models.served),
    ...standby.takeOver,
    reconcileStep(workloads),
    ...standby.comeHome,
    ...rights.leave,
    admissionStep(probed, models.served),
    reconcileStep(workloads),
    ...shimSteps(situation, ways, workloads),
    ...moved,
    {
      kind: 'compare-baseline',
      title: 'Compare the workloads',
      workloads,
      images: [controller, ...shims.map(({ led }) => led)].map(runningImage),
    },
  ]
  return upgradePlan(situation, {
    tier: 'standby',
    tierReason: why,
    components: componentsOf(shims, ways),
    notes: [...interruptions(situation, ways), ...shimNotes(inventory, release)],
    steps,
  })
}

const interruptions = ({ definitions, input }: Situation, ways: Ways): string[] => [
  'Each component with a standby changes hands twice: to the standby, and back to its usual Deployment. It reconciles nothing for some seconds each time, seldom more than 5. Models keep serving.',
  'Creating, updating and reading ModelDeployments goes on all the time: pods get requests only after they were proven to answer. A request that is on its way at the very moment when a pod goes may be lost; sent again it is answered.',
  ...(ways.shims.some(({ tier }) => tier === 'standby')
    ? [
        'A provider is not ready for some seconds while its shim changes hands; models that name no provider wait for it.',
      ]
    : []),
  ...(ways.shims.some(({ tier }) => tier === 'in-place')
    ? ['A shim that is updated where it is does not reconcile for 1 to 4 s; up to 17 s where the old pod does not go.']
    : []),
  ...definitions.map((each) => storedNote(each, input)),
]
