/** The plan of a migration: back-up of what is lost by consent, new storage versions, then one definition after the other. Pure. */
import { storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { sealed } from '../plan/hash.ts'
import { flipStep, type MovedDefinition, migrateStep, noRollbackAcross } from '../plan/migration-steps.ts'
import { type DraftStep, numbered } from '../plan/numbering.ts'
import type { Plan } from '../plan/plan.types.ts'
import { lossName } from './accepted-losses.ts'

export interface MigrationOptions {
  limits: { maxInFlight: number; maxQps?: number }
  engine: 'own' | 'in-tree'
  force: boolean
  lateWriteSeconds?: number
}

/** One definition that is to be migrated. */
export interface ToMigrate {
  crd: CustomResourceDefinition
  flipTo?: string
  /** versions that come back into the spec first */
  bringBack?: string[]
}

/** What does not follow from the definitions alone. */
export interface Decided {
  /** collections that hold what a rewrite drops, in the version that shows it */
  backUp: { apiVersion: string; kind: string }[]
  accepted: NonNullable<Plan['accepted']>
  notes: string[]
}

/** Storage versions first: the time in which late writes may land goes by for all definitions at once. */
export const migrationPlan = (all: readonly ToMigrate[], decided: Decided, options: MigrationOptions): Plan => {
  const flips = all.filter(({ flipTo }) => flipTo !== undefined)
  const steps: DraftStep[] = [
    ...(decided.backUp.length === 0
      ? []
      : [{ kind: 'back-up' as const, title: 'Back up', objects: [], collections: decided.backUp }]),
    ...flips.map((each) => flipStep(moved(each))),
    ...all.map((each) => stepOf(each, options, { all, decided })),
  ]
  const [only] = all
  const name = all.length === 1 && only ? only.crd.metadata.name : `${all.length} definitions`
  const targets = [...new Set(all.map(targetVersion))]
  const sources = [...new Set(all.flatMap((each) => olderVersions(each)))]
  return sealed({
    kind: 'migration',
    product: name,
    from: (sources.length === 0 ? targets : sources).join(', '),
    to: targets.join(', '),
    source: 'the cluster itself',
    tier: 'in-place',
    tierReason: 'objects are rewritten where they are',
    components: [],
    notes: [...flipNotes(flips), ...flips.flatMap(ownerNotes), ...decided.notes],
    wayBack: wayBackOf(flips),
    ...(decided.accepted.length > 0 && { accepted: decided.accepted }),
    steps: numbered(steps),
  })
}

const storageOf = (crd: CustomResourceDefinition): string => storageVersionOf(crd) ?? ''

const targetVersion = ({ crd, flipTo }: ToMigrate): string => flipTo ?? storageOf(crd)

const olderVersions = (each: ToMigrate): string[] =>
  moved(each).storedVersions.filter((version) => version !== targetVersion(each))

/** The definition as the steps see it. */
const moved = (each: ToMigrate): MovedDefinition => ({
  crd: each.crd,
  uid: each.crd.metadata.uid ?? '',
  from: storageOf(each.crd),
  to: targetVersion(each),
  storedVersions: [...new Set([...(each.crd.status?.storedVersions ?? []), ...(each.bringBack ?? [])])],
})

/** Nobody can write in them any more, so what managedFields say of them is all that would hinder their end. */
const staleVersions = (each: ToMigrate): string[] => {
  const { versions } = each.crd.spec
  const notServed = versions.filter(({ served }) => !served).map(({ name }) => name)
  // They come back just for this.
  const back = (each.bringBack ?? []).filter((version) => versions.every(({ name }) => name !== version))
  return [...notServed, ...back].filter((version) => version !== targetVersion(each))
}

const stepOf = (
  each: ToMigrate,
  options: MigrationOptions,
  { all, decided }: { all: readonly ToMigrate[]; decided: Decided },
): DraftStep => ({
  ...migrateStep(
    { ...moved(each), accepted: acceptedOf(each, decided), force: options.force },
    options,
    all.map(({ crd }) => crd.metadata.name),
  ),
  staleVersions: staleVersions(each),
  ...(each.bringBack !== undefined && { bringBack: each.bringBack }),
})

/** What a webhook leaves out shows only when the first objects are rewritten. */
const acceptedOf = ({ crd }: ToMigrate, { accepted }: Decided): string[] => {
  if (crd.spec.conversion?.strategy !== 'Webhook') return []
  const prefix = lossName(crd.metadata.name, '')
  return accepted.flatMap(({ id }) => (id.startsWith(prefix) ? [id.slice(prefix.length)] : []))
}

const flipNotes = (flips: readonly ToMigrate[]): string[] => {
  if (flips.length === 0) return []
  const named = flips.map(({ crd, flipTo }) => `${crd.metadata.name} in ${flipTo}`).join(', ')
  return [
    `From then on the cluster stores ${named}. A release that does not know that version cannot be gone back to by rollback.`,
  ]
}

const OWN_MANAGER = 'kubectl-airunway'

/**
 * Who else has set the list of versions, which is one field: the write that moves the storage version takes it from them, and
 * whatever they apply next is about the whole list again.
 */
const ownerNotes = ({ crd, flipTo }: ToMigrate): string[] => {
  const owners = (crd.metadata.managedFields ?? []).filter(
    ({ manager, subresource, fieldsV1 }) =>
      manager !== OWN_MANAGER && !subresource && hasVersions(fieldsV1?.['f:spec']),
  )
  if (owners.length === 0) return []
  const { name } = crd.metadata
  const told = owners.map(({ manager = 'somebody', operation }) =>
    operation === 'Apply' ? `${manager} (server-side apply)` : manager,
  )
  return [
    `spec.versions of ${name} belongs to ${[...new Set(told)].join(', ')}, and the new storage version is written over it: the next time that it is applied from its source it goes back to ${storageOf(crd)}, or is refused for a conflict. Set storage: true for ${flipTo} there as well, before anything is synced.`,
  ]
}

const hasVersions = (fields: unknown): boolean =>
  typeof fields === 'object' && fields !== null && 'f:versions' in fields

const wayBackOf = (flips: readonly ToMigrate[]): Plan['wayBack'] => {
  const [first] = flips
  if (first === undefined) return { possible: true }
  return { possible: false, why: noRollbackAcross(first.crd.metadata.name, targetVersion(first)) }
}
