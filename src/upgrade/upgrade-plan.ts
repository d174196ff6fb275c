/** What an upgrade's plan says beside its steps. Pure. */
import type { Install } from '../installation/inventory.types.ts'
import { sealed } from '../plan/hash.ts'
import { noRollbackAcross } from '../plan/migration-steps.ts'
import { type DraftStep, numbered } from '../plan/numbering.ts'
import type { Plan } from '../plan/plan.types.ts'
import { keyOf } from '../plan/reference.ts'
import type { DefinitionHop } from './definition-hop.ts'
import { lastWave, lastWaveNotes, movedStorage } from './last-wave.ts'
import type { Situation } from './plan-upgrade.ts'

/** The plan with its head, its steps numbered and its hash. */
export const upgradePlan = (
  situation: Situation,
  way: Pick<Plan, 'tier' | 'tierReason' | 'components' | 'notes'> & { steps: DraftStep[] },
): Plan => {
  const { input, definitions } = situation
  return sealed({
    kind: 'upgrade',
    product: input.release.product.name,
    from: input.install.version.known ? input.install.version.version : 'unknown',
    to: input.release.version,
    source: `${input.release.source} (sha256 ${input.release.digest.slice(0, 12)})`,
    ...way,
    notes: [...way.notes, ...lastWaveNotes(situation)],
    wayBack: wayBackOf(situation),
    ...runningUnderMovingTag(input.install),
    ...(input.holdStorage === true ? heldStorageOf(definitions) : {}),
    ...(input.accepted && input.accepted.length > 0 ? { accepted: input.accepted } : {}),
    steps: numbered(
      [...way.steps, ...lastWave(situation, way.steps)].map((step) =>
        step.kind === 'apply' ? { ...step, conflicts: input.conflicts ?? 'keep' } : step,
      ),
    ),
  })
}

/** Kept with the run: the CRDs as they are applied do not tell any more what the release stores its objects in. */
const heldStorageOf = (definitions: DefinitionHop[]): Pick<Plan, 'heldStorage'> => {
  const held = definitions.filter(({ stored, wantedStorage }) => stored !== wantedStorage)
  return held.length === 0
    ? {}
    : {
        heldStorage: Object.fromEntries(held.map(({ wanted, wantedStorage }) => [wanted.metadata.name, wantedStorage])),
      }
}

const wayBackOf = ({ definitions, input }: Situation): Plan['wayBack'] => {
  const { install } = input
  const why = definitions.find(({ noWayBack }) => noWayBack !== undefined)?.noWayBack
  if (why !== undefined) return { possible: false, why }
  const lost = !install.version.known && runningUnderMovingTag(install).running === undefined
  if (lost) return { possible: false, why: `${install.image} names no version, and no digest of it is known` }
  const [moved] = movedStorage(definitions, input)
  return moved === undefined
    ? { possible: true }
    : { possible: false, why: noRollbackAcross(moved.crd.metadata.name, moved.to) }
}

/** A tag that moves may be another version by the time of a rollback: the digest that runs now is kept. */
const runningUnderMovingTag = ({ version, deployment, pods }: Install): Pick<Plan, 'running'> => {
  const digest = pods.find(({ ready, imageID }) => ready && imageID.includes('@sha256:'))?.imageID
  return version.known || digest === undefined
    ? {}
    : { running: { [keyOf(deployment)]: digest.replace(/^.*:\/\//, '') } }
}
