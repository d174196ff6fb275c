/**
 * The way back in place: the Deployments are put back where they are. Pure.
 *
 * The order is the upgrade's turned round where it matters: webhook configurations go back first (the running controller
 * still answers the old paths), then versions that the upgrade added leave the CRDs together with the conversion, while the
 * webhook that serves it still runs. Then the controller. Forward again it is the upgrade's: what was withdrawn comes back
 * before the controller, and the webhook configurations after it.
 *
 * A run that went by a standby may have left one that holds the Lease and answers the webhooks, and the usual Deployment
 * with no replicas. So the Services go back after the roll-out, and the standby is stopped before the Lease is waited for.
 */
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan } from '../plan/plan.types.ts'
import { leaseStep, rollOutStep } from '../plan/workloads.ts'
import {
  backPlan,
  closing,
  definitionNotes,
  definitionsBack,
  opening,
  ownersBack,
  webhooksBack,
  withdrawals,
} from './back-plan.ts'
import { replicasBack, stopping } from './components.ts'
import type { Situation } from './plan-rollback.ts'
import { applying } from './ways-back.ts'

/** The steps in the order said above; `why` it goes in place. */
export const inPlaceBack = (situation: Situation, why: string): Plan => {
  const { components, ways, forward } = situation
  const led = components.map((each) => each.led)
  const besides = mayStandBy(situation)
  const steps: DraftStep[] = [
    ...opening(situation),
    ...(forward ? [] : webhooksBack(situation)),
    ...ownersBack(situation),
    ...withdrawals(situation),
    ...applying('Restore access and Services', besides ? ways.rest : [...ways.rest, ...ways.services]),
    ...definitionsBack(situation),
    ...applying('Restore controller and shims', ways.deployments),
    ...(besides ? [replicasBack(components)] : []),
    ...led.map(rollOutStep),
    ...(forward ? webhooksBack(situation) : []),
    ...(besides
      ? [
          ...applying('Restore Services', ways.services),
          stopping(
            'Stop standbys that are left',
            components.map(({ standby }) => standby),
          ),
        ]
      : []),
    // What the newer release created until it went may name the version again that has gone.
    ...ownersBack(situation),
    leaseStep(led.length === 1 ? 'Hand over the Lease' : 'Hand over the Leases', led),
    ...closing(situation, besides ? components : []),
  ]
  return backPlan(situation, {
    tier: 'in-place',
    tierReason: why,
    components: led.map(({ title }) => ({ component: title, tier: 'in-place', why })),
    notes: [
      'No ModelDeployment is reconciled from the moment a version is withdrawn, or the controller is replaced, until the controller of before holds the Lease. Models keep serving.',
      ...conversionNotes(situation),
      ...definitionNotes(situation),
    ],
    steps,
  })
}

/** The run went by a standby, or another one has been under way since; one is there, or a Deployment has been stopped. */
const mayStandBy = ({ input, components }: Situation): boolean =>
  input.settled === false ||
  input.plan.steps.some(({ kind }) => kind === 'stand-by' || kind === 'scale') ||
  components.some(({ hasStandby, stopped }) => hasStandby || stopped)

const conversionNotes = ({ definitions }: Situation): string[] =>
  definitions.flatMap(({ name, comesBack, conversion, stored, served }) => {
    const converted = served.filter((version) => version !== stored)
    if (comesBack === undefined || conversion === undefined || converted.length === 0) return []
    return [
      `${name}: ${converted.join(', ')} needs the conversion webhook of the controller that comes back and cannot be read until its pod is ready. ${stored} can be read throughout.`,
    ]
  })
