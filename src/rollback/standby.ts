/**
 * The way back by standbys. Pure.
 *
 * The shims go first: the upgrade had both shims work with the newer controller, and a shim that reads a version which has
 * been withdrawn does not work. Then the controller: its standby of before comes up and is proven; the versions that the
 * upgrade added are withdrawn with the conversion, which only the newer pods answer; right after that the Service is moved
 * and the newer controller is stopped, so that it is without its version for a second or two. Forward again the controller
 * goes first, as in the upgrade, and what comes back into a CRD does so when pods that answer its conversion have the Service.
 *
 * Both releases work for a while, so the rights of both are granted before the first of before starts, and just those of
 * before when the last of the other has gone.
 *
 * Where a run stopped in the middle, what is there is used rather than made again: a Deployment that is told the image of
 * before only has to get the Lease and the requests; a standby of the run that works carries on while the usual Deployment
 * comes back behind it.
 */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import type { StandbySteps } from '../plan/standby.ts'
import { admissionStep, leaseStep, rollOutStep } from '../plan/workloads.ts'
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
import { type Component, replicasBack, stopping, withoutStandby } from './components.ts'
import type { Situation } from './plan-rollback.ts'
import { applying, type WaysBack } from './ways-back.ts'

const HAND_OVER = 'a second Deployment waits under the same Lease and takes over within seconds'

/** The steps, in the order said above. */
export const standbyBack = (situation: Situation): Plan => {
  const { components, ways, forward } = situation
  const [controllers, shims] = [true, false].map((wanted) => components.filter((each) => each.isController === wanted))
  const moved = [...(forward ? (controllers ?? []) : []), ...(shims ?? []), ...(forward ? [] : (controllers ?? []))]
  const steps: DraftStep[] = [
    ...opening(situation),
    ...(forward ? [] : webhooksBack(situation)),
    ...applying('Grant the rights of both releases', [...ways.restForBoth, ...deletedServices(situation)]),
    ...moved.flatMap((component) =>
      component.isController ? controllerSteps(component, situation) : handOver(component, NOTHING),
    ),
    ...applying('Restore access and Services', [...ways.rest, ...ways.services, ...others(ways, components)]),
    ...closing(situation, []),
  ]
  return backPlan(situation, {
    tier: 'standby',
    tierReason: HAND_OVER,
    components: components.map((component) => {
      const blocks = component.blocks(component.led.image)
      return 'impossible' in blocks
        ? { component: component.led.title, tier: 'in-place', why: blocks.impossible }
        : { component: component.led.title, tier: 'standby', why: HAND_OVER }
    }),
    notes: notesOf(situation),
    steps,
  })
}

/** What happens in the middle of a hand-over. */
interface Between {
  /** before pods of before get the requests: what only the others answer ends */
  ending: DraftStep[]
  /** after that: what only they answer begins */
  beginning: DraftStep[]
  /** when the other release has gone */
  gone: DraftStep[]
}

const controllerSteps = (component: Component, situation: Situation): DraftStep[] => [
  ...handOver(component, {
    ending: [...ownersBack(situation), ...withdrawals(situation)],
    beginning: proven(definitionsBack(situation), situation),
    // What the newer controller created until it went may name the version again that has gone.
    gone: [...ownersBack(situation), admissionStep(situation.workloads.after, situation.models.served)],
  }),
  ...(situation.forward ? webhooksBack(situation) : []),
]

/** What is converted again is read before the last pod that could convert it otherwise goes. */
const proven = (definitions: DraftStep[], { workloads, models }: Situation): DraftStep[] =>
  definitions.length === 0 ? [] : [...definitions, admissionStep(workloads.after, models.served)]

const NOTHING: Between = { ending: [], beginning: [], gone: [] }

/** From whatever there is to the usual Deployment as before, and no standby. */
const handOver = (component: Component, between: Between): DraftStep[] => {
  const { led, tells, standsBy } = component
  const blocks = component.blocks(led.image)
  if ('impossible' in blocks) return [...between.ending, ...between.beginning, ...replaced(component), ...between.gone]
  // It is told already: what is left is to see that it has the requests and the Lease, and that no standby stays.
  if (tells === led.image) return comingHome(blocks, between)
  const standing = standsBy === undefined || standsBy === led.image ? undefined : component.blocks(standsBy)
  // A standby of the other release works: it carries on alone while the usual one comes back behind it.
  if (standing !== undefined && !('impossible' in standing))
    return [...standing.takeOver, ...comingHome(blocks, between)]
  return [
    ...blocks.arrive.filter(({ kind }) => kind !== 'route'),
    ...between.ending,
    ...blocks.arrive.filter(({ kind }) => kind === 'route'),
    ...between.beginning,
    ...blocks.takeOver,
    ...between.gone,
    ...blocks.comeHome,
  ]
}

/** The usual one comes home while pods of the other release still answer. */
const comingHome = ({ comeHome }: StandbySteps, { ending, beginning, gone }: Between): DraftStep[] => {
  const rolledOut = comeHome.findIndex(({ kind }) => kind === 'roll-out') + 1
  const rest = comeHome.slice(rolledOut)
  const routes = rest.filter(({ kind }) => kind === 'route')
  return [
    ...comeHome.slice(0, rolledOut),
    ...ending,
    ...routes,
    ...beginning,
    ...rest.filter((step) => !routes.includes(step)),
    ...gone,
  ]
}

/** In place, where there can be no standby. */
const replaced = (component: Component): DraftStep[] => [
  ...applying(`Update ${component.led.title}`, [component.deployment]),
  replicasBack([component]),
  rollOutStep(component.led),
  ...(component.hasStandby ? [stopping('Stop the standby that is left', [component.standby])] : []),
  leaseStep(`Hand over the Lease of ${component.led.title}`, [component.led]),
  ...withoutStandby([component]),
]

/** Services that the run deleted: one that comes before its pods harms nobody. The others change when the pods do. */
const deletedServices = ({ input, ways }: Situation): AnyObject[] => {
  const deleted = new Set(
    input.plan.steps.flatMap((step) => (step.kind === 'delete' ? step.objects.map((ref) => keyOf(ref)) : [])),
  )
  return ways.services.filter((service) => deleted.has(keyOf(referenceOf(service))))
}

/** Deployments that the run did not roll out. */
const others = ({ deployments }: WaysBack, components: Component[]): AnyObject[] =>
  deployments.filter((each) => components.every(({ deployment }) => deployment !== each))

const notesOf = (situation: Situation): string[] => [
  'No ModelDeployment is reconciled for some seconds, seldom more than 5, at each hand-over; a component has two: to its standby and from it. Models keep serving, and admission is not interrupted.',
  ...(situation.models.leaving.length > 0
    ? [
        `${situation.models.leaving.join(', ')} ends a few seconds before the controller of ${situation.input.run.to} is stopped: in between it cannot read ModelDeployments.`,
      ]
    : []),
  'A provider may show as not ready for some seconds when its shim changes hands.',
  ...definitionNotes(situation),
]
