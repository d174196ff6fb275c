/**
 * The plan of the way back from a run, whatever it was and from any point it reached. Pure: the run's plan and back-up, and
 * what is on the cluster now, go in. The goal is the state that the back-up describes: the release before an upgrade, or the
 * one before a rollback that is not finished, which is forward again.
 *
 * A run may have died between a write and its record, so what its journal lacks may still have been done. No plan here asks
 * what was done: each has one order that is right from every point, and what is already so costs nothing.
 */
import type { Backup } from '../backup/backup.types.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { CompareBaselineStep, Plan, Tier, WorkloadTarget } from '../plan/plan.types.ts'
import type { Planned, Refused } from '../plan/refused.types.ts'
import { type Component, componentsOf } from './components.ts'
import { type DefinitionBack, definitionBack } from './definitions-back.ts'
import { inPlaceBack } from './in-place.ts'
import { standbyBack } from './standby.ts'
import { comesBackWhole, formSteps, stopAndGoBack } from './stop-and-go.ts'
import { type WaysBack, waysBack } from './ways-back.ts'

export interface RollbackInput {
  /** the run that is gone back from */
  run: RunSummary
  plan: Plan
  backup: Backup
  inventory: Inventory
  /** what the new run is called: `abort` ends a run that is not finished */
  kind?: 'rollback' | 'abort'
  /** the way that was asked for; that of the run where it is possible, unless told otherwise */
  tier?: Tier
  /**
   * What is on the cluster is the end of `run`: no later run has touched it. Only then is there a release to go to again
   * from the new run. Unless told otherwise: the run has succeeded.
   */
  settled?: boolean
}

/** What both ways need to know. */
export interface Situation {
  input: RollbackInput
  /** the way goes to the newer release again: from a rollback that is not finished */
  forward: boolean
  definitions: DefinitionBack[]
  /** that of the ModelDeployments */
  models: DefinitionBack
  ways: WaysBack
  /** the controller first */
  components: Component[]
  /** the workloads, read in a version that is served now, and at the end */
  workloads: { now: WorkloadTarget; after: WorkloadTarget }
}

/** Plans the way back, or says why there is none: refused for what is stored, for a CRD that is gone, for a half-way back-up. */
export const planRollback = (input: RollbackInput): Planned => {
  const halfWay = whyHalfWay(input)
  if (halfWay !== undefined) return { refused: halfWay }
  const definitions: DefinitionBack[] = []
  for (const saved of input.backup.objects.filter(({ object }) => object.kind === 'CustomResourceDefinition')) {
    const whole = comesBackWhole(input.plan, saved.object as unknown as CustomResourceDefinition)
    const back = definitionBack(saved, input.inventory.crds, input.run.from, whole)
    if ('refused' in back) return { refused: withWayOn(back.refused, input.run) }
    definitions.push(back.definition)
  }
  const compared = input.plan.steps.find((step) => step.kind === 'compare-baseline')
  const models = definitions.find(({ name }) => compared !== undefined && name.startsWith('modeldeployments.'))
  if (compared === undefined || models === undefined)
    return { refused: { message: `Run ${input.run.number} does not tell which workloads it was about.` } }
  return planned(situationOf(input, definitions, models, compared))
}

const situationOf = (
  input: RollbackInput,
  definitions: DefinitionBack[],
  models: DefinitionBack,
  { workloads }: CompareBaselineStep,
): Situation => {
  const ways = waysBack(input)
  const forward = input.run.kind === 'rollback'
  const [group] = workloads.apiVersion.split('/')
  const readIn = (version: string): WorkloadTarget => ({ ...workloads, apiVersion: `${group}/${version}` })
  return {
    input,
    forward,
    definitions,
    models,
    ways,
    components: componentsOf({ ...input, forward }, ways, definitions),
    workloads: { now: readIn(models.readable.now), after: readIn(models.readable.after) },
  }
}

/** Which way: that of the run, or the one that was asked for; in place where a standby is not possible. */
const planned = (situation: Situation): Planned => {
  const { input, components } = situation
  // A run that changed the form of stored objects has one way, whatever was asked for: nobody may run meanwhile.
  if (formSteps(input.plan).length > 0) return { plan: stopAndGoBack(situation) }
  const asked = input.tier
  const controller = components.find(({ isController }) => isController)
  if ((asked ?? input.plan.tier) === 'in-place')
    return { plan: inPlaceBack(situation, asked === undefined ? 'the run went in place too' : 'it was asked for') }
  const blocks = controller?.blocks(controller.led.image) ?? { impossible: 'the run did not move it' }
  if (!('impossible' in blocks)) return { plan: standbyBack(situation) }
  const why = `the controller cannot have a standby: ${blocks.impossible}`
  if (asked === undefined) return { plan: inPlaceBack(situation, why) }
  return {
    refused: {
      message: 'There is no way back by a standby.',
      why: `${why}.`,
      next: 'go back in place: --tier in-place',
    },
  }
}

/** Where an upgrade has not ended and cannot be gone back from any more, its end is the only release there is to get to. */
const withWayOn = (refused: Refused, { number, kind, state }: RunSummary): Refused =>
  kind !== 'upgrade' || !['running', 'failed', 'interrupted'].includes(state)
    ? refused
    : { ...refused, next: `kubectl airunway resume (goes on with run ${number})` }

/** Only an upgrade's back-up, and that of a rollback from a finished upgrade, describes one release and not parts of two. */
const whyHalfWay = ({ run, plan }: RollbackInput): Refused | undefined =>
  run.kind === 'upgrade' || plan.wayBack.possible
    ? undefined
    : {
        message: `There is nothing to go to from run ${run.number} (${run.kind}): ${plan.wayBack.why}.`,
        next: 'kubectl airunway resume (go on with it), or kubectl airunway rollback (to the release before the upgrade)',
      }
