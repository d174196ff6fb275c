/**
 * The way back from a run between releases that cannot decode each other's objects. Pure.
 *
 * Here the old schema really comes back, no superset of it: under the new one the release before can neither register nor
 * decode. So all of both releases stop; the CRD gets its versions of before; each provider config is written as the back-up
 * has it, for under the old schema a converted one reads `engines: [{}]`, which stops every informer of the old release;
 * then that release starts. It is the same way for an upgrade in whatever state, for an unfinished rollback, and where
 * somebody has applied manifests of either release by hand in between. Nothing is deleted.
 */
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan, RestoreStep, RewriteStep } from '../plan/plan.types.ts'
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
import { type Component, replicasBack, stopping } from './components.ts'
import type { Situation } from './plan-rollback.ts'
import { applying } from './ways-back.ts'

const WHY = 'neither release can decode what the other one stores, so everything stops before the CRD changes'

/** The steps of a run that changed the form of stored objects; empty for every other run. */
export const formSteps = ({ steps }: Plan): (RewriteStep | RestoreStep)[] =>
  steps.filter((step) => step.kind === 'rewrite' || step.kind === 'restore')

/** The run changed what these objects look like: their definition has to come back whole. */
export const comesBackWhole = (plan: Plan, { spec: { group, names } }: CustomResourceDefinition): boolean =>
  formSteps(plan).some(
    ({ collection: { apiVersion, kind } }) => `${group} ${names.kind}` === `${apiVersion.split('/')[0]} ${kind}`,
  )

/** The steps, in the order said above. */
export const stopAndGoBack = (situation: Situation): Plan => {
  const { components, ways, input } = situation
  const led = components.map((each) => each.led)
  const steps: DraftStep[] = [
    ...opening(situation),
    ...webhooksBack(situation),
    ...ownersBack(situation),
    ...withdrawals(situation),
    ...applying('Restore access and Services', [...ways.rest, ...ways.services]),
    stopAll(components),
    ...definitionsBack(situation),
    ...formSteps(input.plan).map((step) => restoreStep(situation, step)),
    ...applying('Restore controller and shims', ways.deployments),
    replicasBack(components),
    ...led.map(rollOutStep),
    leaseStep(led.length === 1 ? 'Hand over the Lease' : 'Hand over the Leases', led),
    ...closing(situation, components),
  ]
  return backPlan(situation, {
    tier: 'in-place',
    tierReason: WHY,
    components: led.map(({ title }) => ({ component: title, tier: 'in-place', why: WHY })),
    notes: [
      `No ModelDeployment is reconciled, created or changed from the stop of the controller and the shims until those of ${input.run.from} hold their Leases: 10 to 30 s usually, up to 60 s where pods are slow to go or to start. Models keep serving.`,
      ...definitionNotes(situation),
      ...formSteps(input.plan).map(
        ({ collection: { kind } }) =>
          `Each ${kind} is written as it was backed up; one that was made since gets the form of ${input.run.from} from what it says now.`,
      ),
    ],
    steps,
  })
}

/** The back-up of the run that is gone back from, without what the API server sets. */
const restoreStep = (
  { input: { backup } }: Situation,
  { collection, changes }: RewriteStep | RestoreStep,
): Omit<RestoreStep, 'id'> => {
  const [group] = collection.apiVersion.split('/')
  const saved = Object.entries(backup.collections).flatMap(([key, objects]) =>
    key.startsWith(`${group}/`) && key.endsWith(` ${collection.kind}`) ? objects : [],
  )
  return {
    kind: 'restore',
    title: `Bring each ${collection.kind} back into the form of before`,
    collection,
    objects: saved.map((object) => written({ ...object, ...collection })),
    changes,
  }
}

/** What of a user's object can be written again. */
export const written = ({
  apiVersion,
  kind,
  metadata: { name, labels, annotations },
  ...fields
}: AnyObject): AnyObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) },
  spec: fields['spec'],
})

/** Standbys that another run may have left decode no better. What the back-up says about replicas counts, not a 0 of before. */
const stopAll = (components: Component[]): DraftStep => {
  const deployments = components.flatMap(({ led: { deployment }, standby }) => [deployment, standby])
  const stop = stopping('Stop the controller and all shims', deployments)
  const back = replicasBack(components)
  return stop.kind === 'scale' && back.kind === 'scale' && back.had ? { ...stop, had: back.had } : stop
}
