/** What every plan of a way back has: its head, its first steps, its last, and what is said beside them. Pure. */
import { sealed } from '../plan/hash.ts'
import { type DraftStep, numbered } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { Plan } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { admissionStep, reconcileStep, runningImage } from '../plan/workloads.ts'
import { type Component, withoutStandby } from './components.ts'
import type { RollbackInput, Situation } from './plan-rollback.ts'
import { appliedBy, applying, deleting, unique } from './ways-back.ts'

/** The plan with its head, its steps numbered and its hash. */
export const backPlan = (
  { input }: Situation,
  way: Pick<Plan, 'tier' | 'tierReason' | 'components' | 'notes'> & { steps: DraftStep[] },
): Plan =>
  sealed({
    kind: input.kind ?? 'rollback',
    product: input.plan.product,
    from: input.run.to,
    to: input.run.from,
    source: `the records of run ${input.run.number}`,
    ...way,
    wayBack: wayBackOf(input),
    steps: numbered(way.steps),
  })

/** While it is not finished, `abort` goes to what runs now again, if that is one release and not parts of two. */
const wayBackOf = ({ run, kind = 'rollback', settled = run.state === 'succeeded' }: RollbackInput): Plan['wayBack'] => {
  if (settled && kind === 'rollback' && run.kind === 'upgrade') return { possible: true }
  return { possible: false, why: 'what it starts from is half-way between two releases' }
}

/** Back-up and baseline: the back-up has all that the run touched, so that this run can be gone back from as well. */
export const opening = ({ input, definitions, workloads }: Situation): DraftStep[] => [
  {
    kind: 'back-up',
    title: 'Back up',
    objects: unique([
      ...input.plan.steps.flatMap((step) => (step.kind === 'back-up' ? step.objects : [])),
      ...appliedBy(input.plan).map(referenceOf),
      ...input.backup.objects.map(({ object }) => referenceOf(object)),
    ]),
    collections: definitions.map(({ group, kind, readable }) => ({ apiVersion: `${group}/${readable.now}`, kind })),
  },
  { kind: 'take-baseline', title: 'Note the workloads', workloads: workloads.now },
]

/** Configurations of before; those that the run added go, for nobody will answer them. */
export const webhooksBack = ({ ways }: Situation): DraftStep[] => [
  ...applying('Restore webhook configurations', ways.webhooks, ways.certificate),
  ...deleting('Delete added webhook configurations', ways.addedWebhooks),
]

/** Owner references that name a version which ends. */
export const ownersBack = ({ models, workloads }: Situation): DraftStep[] =>
  moveOwnersSteps(workloads.now, models.leaving, models.readable.after)

const withdrawalTitle = (leaving: string[], endsConversion: boolean): string => {
  if (leaving.length > 0) return `Withdraw ${leaving.join(', ')}${endsConversion ? ' and its conversion' : ''}`
  return endsConversion ? 'End the conversion' : 'Take back what is said of deprecation'
}

/**
 * Versions that the run added go, with the conversion that they needed, while the webhook that serves it still runs: a dead
 * conversion webhook makes every read of that version fail, and with it the deletion of namespaces. A definition that
 * the run added stays, but nobody will answer its conversion.
 */
export const withdrawals = ({ definitions, ways, input }: Situation): DraftStep[] => [
  ...definitions
    .filter(
      ({ leaving, endsConversion, deprecations }) =>
        leaving.length > 0 || endsConversion || Object.keys(deprecations).length > 0,
    )
    .map(
      ({ name, leaving, endsConversion, deprecations }): DraftStep => ({
        kind: 'withdraw-version',
        title: withdrawalTitle(leaving, endsConversion),
        definition: name,
        versions: leaving,
        ...(endsConversion ? { conversion: 'None' } : {}),
        ...(Object.keys(deprecations).length > 0 && { deprecations }),
      }),
    ),
  ...input.inventory.crds
    .filter(({ name, conversion }) => ways.addedDefinitions.includes(name) && conversion === 'Webhook')
    .map(
      ({ name }): DraftStep => ({
        kind: 'withdraw-version',
        title: 'End the conversion of an added CRD',
        definition: name,
        versions: [],
        conversion: 'None',
      }),
    ),
]

/** Versions and conversions that the run took out. */
export const definitionsBack = ({ definitions, ways }: Situation): DraftStep[] =>
  applying(
    'Restore CRDs, storage held',
    definitions.flatMap(({ comesBack }) => comesBack ?? []),
    ways.certificate,
  )

/** The proofs, then what nobody needs any more, then the comparison. */
export const closing = (
  { components, ways, models, workloads }: Situation,
  /** those of which a standby may be left */
  mayStandBy: Component[],
): DraftStep[] => [
  admissionStep(workloads.after, models.served),
  reconcileStep(workloads.after),
  ...deleting('Delete what the run added', ways.added),
  ...withoutStandby(mayStandBy),
  {
    kind: 'compare-baseline',
    title: 'Compare the workloads',
    workloads: workloads.after,
    images: components.map(({ led }) => runningImage(led)),
  },
]

/** What becomes of each definition. */
export const definitionNotes = ({ definitions, ways, input: { run } }: Situation): string[] => [
  ...definitions.map(({ name, leaving, comesBack, stored }) => {
    if (comesBack !== undefined)
      return `${name} has again what ${run.from} had, stored in ${stored} as now${leaving.length > 0 ? `; it loses ${leaving.join(', ')}, in which nothing is stored` : ''}.`
    return leaving.length === 0
      ? `${name} stays as it is: a superset of what ${run.from} had, stored in ${stored}.`
      : `${name} loses ${leaving.join(', ')}, in which nothing is stored; the rest stays as a superset.`
  }),
  ...ways.addedDefinitions.map(
    (name) => `${name} was added by run ${run.number} and stays: deleting a CRD deletes its objects.`,
  ),
]
