/**
 * The last steps of an upgrade: stored objects move to the versions of the release. Pure.
 *
 * Until here the storage versions were held, and whatever went wrong could be gone back from. So all that may stand in the way
 * is looked at again before the first storage version moves; then all of them move, so that the seconds in which writes from
 * before may land go by for all definitions at once; then the objects of each are written anew, proved and trimmed. Last the
 * workloads are compared once more, for each object that was written was an event to those who reconcile it.
 */
import { storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { flipStep, type MovedDefinition, migrateStep } from '../plan/migration-steps.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { MigrateStep } from '../plan/plan.types.ts'
import { admissionStep } from '../plan/workloads.ts'
import type { DefinitionHop } from './definition-hop.ts'
import type { Situation, UpgradeInput } from './plan-upgrade.ts'
import { workloadTarget } from './release-parts.ts'

/** How stored objects move. */
export interface StorageMove {
  /** fields that may be lost, by definition: what was accepted, and what nobody had when it could be seen last */
  accepted?: Record<string, string[]>
  /** at most so many writes at the same time; it begins with few and finds the right number itself */
  maxInFlight?: number | undefined
  /** at most so many writes a second */
  maxQps?: number | undefined
  /** the writes of all objects are tried before, not those of a sample */
  tryAll?: boolean
  /** seconds in which a write that began before a flip may land, where it is not the API server's limit */
  lateWriteSeconds?: number | undefined
}

/** As many writes at a time as the usual migration takes at most. */
const MOST_IN_FLIGHT = 32

const limitsOf = ({ maxInFlight = MOST_IN_FLIGHT, maxQps }: StorageMove): MigrateStep['limits'] => ({
  maxInFlight,
  ...(maxQps !== undefined && { maxQps }),
})

/** The definitions whose objects move; none where the storage is to be held. */
const migratedDefinitions = (
  definitions: readonly DefinitionHop[],
  { holdStorage }: Pick<UpgradeInput, 'holdStorage'>,
): MovedDefinition[] =>
  holdStorage === true
    ? []
    : definitions.flatMap(({ wanted, uid, stored, wantedStorage, storedVersions, ending, leaving }) => {
        const others = storedVersions.some((version) => version !== wantedStorage)
        // Nobody can write in such a version any more, so whoever is named in it has to be renamed before it leaves.
        const force = ending.some((version) => !leaving.includes(version))
        // One that the release adds is stored as it says from the beginning.
        if (uid === undefined || (stored === wantedStorage && !others && !force)) return []
        const crd = wanted as unknown as CustomResourceDefinition
        return [{ crd, uid, from: stored, to: wantedStorage, storedVersions, ...(force && { force }) }]
      })

/** Those of them that get another storage version. */
export const movedStorage = (
  definitions: readonly DefinitionHop[],
  input: Pick<UpgradeInput, 'holdStorage'>,
): MovedDefinition[] => migratedDefinitions(definitions, input).filter(({ from, to }) => from !== to)

/** The steps, in the order said above. `before` are those of the upgrade itself. */
export const lastWave = ({ input, definitions, models }: Situation, before: readonly DraftStep[]): DraftStep[] => {
  const { release, storage = {} } = input
  const all = migratedDefinitions(definitions, input)
  const flips = movedStorage(definitions, input)
  const compared = before.findLast((step) => step.kind === 'compare-baseline')
  if (all.length === 0) return []
  const { lateWriteSeconds } = storage
  const options = {
    limits: limitsOf(storage),
    engine: 'own',
    ...(lateWriteSeconds !== undefined && { lateWriteSeconds }),
  } as const
  const version = models.served.includes(models.wantedStorage) ? models.wantedStorage : models.readable
  const workloads = workloadTarget(input, version)
  return [
    // Each rewrite goes through the conversion, so each version has to be answered in.
    {
      ...admissionStep(workloads, models.served),
      title: flips.length > 0 ? 'Hear from the webhooks before storage moves' : 'Hear from the webhooks once more',
    },
    ...all.map(({ crd, uid, to }): DraftStep => {
      const { name } = crd.metadata
      return {
        kind: 'check-migration',
        title: `Check the migration of ${crd.spec.names.kind}`,
        definition: name,
        uid,
        to,
        accepted: storage.accepted?.[name] ?? [],
        pausedAnnotation: release.product.pausedAnnotation,
        ...(storage.tryAll === true && { tryAll: true }),
      }
    }),
    ...flips.map(flipStep),
    ...all.map((each) =>
      migrateStep(
        { ...each, ...converted(each, storage) },
        options,
        all.map(({ crd }) => crd.metadata.name),
      ),
    ),
    ...(compared === undefined ? [] : [{ ...compared, title: 'Compare the workloads again', workloads }]),
  ]
}

/** What a webhook leaves out shows only when the first objects are rewritten. */
const converted = ({ crd }: MovedDefinition, { accepted = {} }: StorageMove): Pick<MovedDefinition, 'accepted'> =>
  crd.spec.conversion?.strategy === 'Webhook' ? { accepted: accepted[crd.metadata.name] ?? [] } : {}

/** What is said of it before: what becomes of the way back, and how to keep it. */
export const lastWaveNotes = ({ input, definitions }: Situation): string[] => {
  const { install, release } = input
  const before = install.version.known ? install.version.version : 'what runs now'
  const moved = movedStorage(definitions, input)
  if (moved.length > 0) {
    const named = moved.map(({ crd, to }) => `${crd.metadata.name} in ${to}`).join(', ')
    return [
      `Last of all the cluster stores ${named}. From the first of these on there is no rollback to ${before}; until then abort goes back. --hold-storage ends before it, and keeps the way back.`,
    ]
  }
  const held = definitions.filter(({ stored, wantedStorage }) => stored !== wantedStorage)
  if (input.holdStorage !== true || held.length === 0) return []
  return [
    `Stored objects stay in the versions of ${before}, so that rollback can go back to it. kubectl airunway migrate moves them to those of ${release.version}; from then on it cannot.`,
  ]
}

/** What becomes of the stored objects of one definition. */
export const storedNote = ({ wanted, stored, wantedStorage }: DefinitionHop, { holdStorage }: UpgradeInput): string =>
  holdStorage === true || stored === wantedStorage
    ? `${wanted.metadata.name}: objects stay stored in ${stored}.`
    : `${wanted.metadata.name}: objects stay stored in ${stored} until the last steps, which move them to ${wantedStorage}.`

/** The release's definition of each that moves, as it will be while its objects are written. */
export const definitionsToMove = (
  input: Pick<UpgradeInput, 'inventory' | 'release' | 'holdStorage'>,
): CustomResourceDefinition[] => {
  if (input.holdStorage === true) return []
  const crds = input.release.objects.filter(({ role }) => role === 'crd').map(({ object }) => object)
  return (crds as unknown as CustomResourceDefinition[]).filter((crd) => {
    const live = input.inventory.crds.find(({ name }) => name === crd.metadata.name)
    const to = storageVersionOf(crd)
    const held = live?.versions.find((version) => version.storage)?.name !== to
    return live !== undefined && (held || live.storedVersions.some((version) => version !== to))
  })
}
