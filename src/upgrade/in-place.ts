/**
 * The plan of an in-place upgrade: the Deployments are updated where they are. Pure.
 *
 * The order: what the new controller needs before it starts (RBAC moves with the binary, Services, certificate Secret),
 * then the CRDs with the storage version held at what is stored now, then the controller, then the webhook configurations
 * (a path that only the new controller answers would be refused until it runs), then the proofs, then the shims, each with
 * its own proofs. A back-up comes first and the comparison with the baseline last.
 */
import { storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { Plan } from '../plan/plan.types.ts'
import { admissionStep, leaseStep, reconcileStep, rollOutStep, runningImage } from '../plan/workloads.ts'
import { applySteps, componentsOf, definitionSteps, opening, withdrawSteps } from './common-steps.ts'
import { readableIn } from './definition-hop.ts'
import { storedNote } from './last-wave.ts'
import type { Situation } from './plan-upgrade.ts'
import { certificateOf, controllerOf, crdOf, objectsOf, workloadTarget } from './release-parts.ts'
import { shimSteps } from './shim-steps.ts'
import { shimNotes } from './shims.ts'
import type { Ways } from './tier.ts'
import { upgradePlan } from './upgrade-plan.ts'

/** The steps, in the order said above, and what they interrupt. */
export const inPlace = (situation: Situation, ways: Ways): Plan => {
  const { input, definitions, models, shims } = situation
  const { release, inventory } = input
  const before = workloadTarget(input, models.readable)
  const workloads = workloadTarget(input, readableIn(models.stored, models.served))
  const probed = workloadTarget(input, storageVersionOf(crdOf(release, models)) ?? models.stored)
  const controller = controllerOf(release)
  const moved = moveOwnersSteps(before, models.ending, readableIn(models.stored, models.served))
  const steps: DraftStep[] = [
    ...opening(release, before, definitions, shims),
    ...moved,
    ...withdrawSteps(definitions),
    ...definitionSteps(release, definitions),
    ...applySteps('Update the controller', objectsOf(release, 'controller', 'other')),
    rollOutStep(controller),
    ...applySteps('Update webhook configurations', objectsOf(release, 'webhookConfiguration'), certificateOf(release)),
    leaseStep('Hand over the Lease', [controller]),
    admissionStep(probed, models.served),
    reconcileStep(workloads),
    ...shimSteps(situation, ways, workloads),
    // What the old shims created until they went names the old version again.
    ...moved,
    {
      kind: 'compare-baseline',
      title: 'Compare the workloads',
      workloads,
      images: [controller, ...shims.map(({ led }) => led)].map(runningImage),
    },
  ]
  return upgradePlan(situation, {
    tier: 'in-place',
    tierReason: ways.controller.why,
    components: componentsOf(shims, ways),
    notes: [...interruptions(situation), ...shimNotes(inventory, release)],
    steps,
  })
}

const interruptions = (situation: Situation): string[] => [
  'No ModelDeployment is reconciled while the Lease changes hands: 1 to 4 s for the controller, and again for each shim that moves; up to 17 s where the old pod does not go. Models keep serving.',
  'A create or update of a ModelDeployment may be refused for some seconds while the pods change: the API server still calls the old one, or the new one before it has its certificate.',
  ...situation.definitions.flatMap((definition) => {
    const { wanted, stored, served } = definition
    const crd = wanted as unknown as CustomResourceDefinition
    const others = served.filter((version) => version !== stored)
    const converted = crd.spec.conversion?.strategy === 'Webhook' && others.length > 0
    return [
      storedNote(definition, situation.input),
      ...(converted
        ? [
            `${crd.metadata.name}: ${others.join(', ')} needs the new controller's conversion webhook and cannot be read until its pod is ready (about the time of its roll-out). ${stored} can be read throughout.`,
          ]
        : []),
    ]
  }),
]
