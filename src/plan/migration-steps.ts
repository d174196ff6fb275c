/** The steps that move stored objects to another version, as every plan has them. Pure. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { DraftStep } from './numbering.ts'
import type { FlipStorageStep, MigrateStep, Plan, Step } from './plan.types.ts'

/** One definition whose objects move, with its schemas as they are while that is done. */
export interface MovedDefinition {
  crd: CustomResourceDefinition
  uid: string
  /** storage version before */
  from: string
  /** storage version in which all objects are at the end */
  to: string
  /** as status has them before a flip */
  storedVersions: string[]
  /** fields that may be lost */
  accepted?: readonly string[]
  /** looked at in any case: managers are named in versions that nobody is served any more */
  force?: boolean
}

type FlipDraft = Extract<DraftStep, { kind: FlipStorageStep['kind'] }>
type MigrateDraft = Extract<DraftStep, { kind: MigrateStep['kind'] }>

/** Moves the storage flag. */
export const flipStep = ({ crd, uid, from, to }: MovedDefinition): FlipDraft => ({
  kind: 'flip-storage',
  title: `Store ${crd.spec.names.kind} in ${to}`,
  definition: crd.metadata.name,
  uid,
  from,
  to,
})

/** Moves the objects. `all` are those of the same plan: the times in which late writes may land go by together. */
export const migrateStep = (
  { crd, uid, from, to, storedVersions, accepted = [], force }: MovedDefinition,
  options: Pick<MigrateStep, 'limits' | 'engine' | 'lateWriteSeconds'>,
  all: readonly string[],
): MigrateDraft => ({
  kind: 'migrate',
  title: `Migrate ${crd.spec.names.kind}`,
  definition: crd.metadata.name,
  uid,
  storageVersion: to,
  storedVersions: [...new Set([...storedVersions, ...(from === to ? [] : [to])])],
  limits: options.limits,
  // Nobody can write in them any more, so what managedFields say of them is all that would hinder their end.
  staleVersions: crd.spec.versions.filter(({ name, served }) => !served && name !== to).map(({ name }) => name),
  engine: options.engine,
  ...(accepted.length > 0 && { accepted: [...accepted] }),
  ...(force === true && { force }),
  ...(all.length > 1 && { together: [...all] }),
  ...(options.lateWriteSeconds !== undefined && { lateWriteSeconds: options.lateWriteSeconds }),
})

/** Why nobody goes back by `rollback` once it has moved. */
export const noRollbackAcross = (definition: string, to: string): string =>
  `${definition} is stored in ${to} at the end, and there is no rollback across that yet`

const MOVING = new Set<Step['kind']>(['check-migration', 'flip-storage', 'migrate'])

/** What of the plan moves stored objects and is not done. */
export const stillMoving = ({ steps }: Pick<Plan, 'steps'>, done: ReadonlySet<string>): Step[] =>
  steps.filter(({ kind, id }) => MOVING.has(kind) && !done.has(id))

/** The plan without what of it is left to move; its hash stays, for it is the same run. */
export const withStorageHeld = (plan: Plan, done: ReadonlySet<string>): Plan => {
  const left = stillMoving(plan, done)
  const flips = plan.steps.filter((step) => step.kind === 'flip-storage')
  const held = flips.filter((step) => left.includes(step))
  const notMigrated = left.flatMap((step) =>
    step.kind === 'migrate' && held.every(({ definition }) => definition !== step.definition) ? [step.definition] : [],
  )
  const [first] = flips
  const { wayBack } = plan
  // Nothing else has stood in the way of going back, and that does not come to pass.
  const isOpen =
    first !== undefined &&
    held.length === flips.length &&
    !wayBack.possible &&
    wayBack.why === noRollbackAcross(first.definition, first.to)
  return {
    ...plan,
    ...(held.length > 0 && { heldStorage: Object.fromEntries(held.map(({ definition, to }) => [definition, to])) }),
    ...(notMigrated.length > 0 && { notMigrated }),
    wayBack: isOpen ? { possible: true } : wayBack,
    steps: plan.steps.filter((step) => !left.includes(step)),
  }
}
