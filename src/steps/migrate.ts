/** Moves the objects of a definition to its storage version; how far it is lies in the records, so that a run can go on. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { storageFlip } from '../migration/flip-time.ts'
import { forgettingVersions } from '../migration/forgotten-managers.ts'
import { migrateDefinition } from '../migration/migrate.ts'
import type {
  CheckpointStore,
  MigrationCheckpoint,
  MigrationProgress,
  MigrationResult,
  MigrationTarget,
  PassResult,
} from '../migration/migration.types.ts'
import { keepMemorySmall } from '../migration/pass-memory.ts'
import { renamableVersions } from '../migration/renamed-managers.ts'
import { readClocks } from '../migration/survey.ts'
import { isBlocker, targetOf } from '../migration/target.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { readable, refuseLosses } from './bring-back.ts'
import { firstLookAt } from './first-looks.ts'
import { firstObjects } from './first-objects.ts'
import { flipOf, wordOf } from './flip-storage.ts'
import { type Evidence, type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FAILURES_NAMED = 5

export const migrate: StepHandler<'migrate'> = async (step, context) => {
  keepMemorySmall()
  const found = await readable(step, context)
  const target = await targetNow(step, found.live, context)
  if (step.bringBack !== undefined) await refuseLosses(found, target, context)
  // They come back just for this, so what managers are called in them goes as well.
  const also = found.versions.filter((version) => step.bringBack?.includes(version) !== true)
  const look = await firstLookAt(target, step.together, context)
  // Each request looks at the lock by itself: the client of a run does.
  const result = await migrateDefinition(context.client, target, {
    limits: step.limits,
    checkpoints: checkpointsIn(context),
    staleVersions: [...new Set([...staleVersions(step, found.live, target), ...also])],
    renamableVersions: renamableVersions(found.live, target),
    engine: step.engine,
    signal: context.signal,
    first: async (signal) => firstObjects(step, { live: found.live, target }, { ...context, signal }),
    progress: (progress) => context.report(progressText(progress)),
    ...(look !== undefined && { firstLookAt: look }),
    ...(step.force === true && { force: true }),
    ...(step.lateWriteSeconds !== undefined && { window: step.lateWriteSeconds }),
  })
  if (result.outcome === 'migrated' || result.outcome === 'nothing to do') return evidenceOf(withNote(result, also))
  throw new StepFailed(failureText(result))
}

const withNote = (result: MigrationResult, also: readonly string[]): MigrationResult =>
  also.length === 0
    ? result
    : {
        ...result,
        notes: [
          ...(result.notes ?? []),
          `${also.join(', ')} came back into the spec as well: objects were stored in it`,
        ],
      }

/** Entries of managedFields that are renamed: of versions that will leave, and of those that would cost all of them. */
const staleVersions = (
  { staleVersions: leaving, force }: StepOf<'migrate'>,
  live: CustomResourceDefinition,
  target: MigrationTarget,
): string[] => {
  const isRewritten = force === true || target.storedVersions.some((version) => version !== target.storageVersion)
  return [...new Set([...leaving, ...(isRewritten ? forgettingVersions(live, target) : [])])]
}

const targetNow = async (
  step: StepOf<'migrate'>,
  live: CustomResourceDefinition,
  context: StepContext,
): Promise<MigrationTarget> => {
  const [clocks, known] = await Promise.all([
    readClocks(context.client, { signal: context.signal }),
    flipOf(step.definition, context),
  ])
  const target = targetOf(live, storageFlip(live, clocks, known)?.at)
  if (isBlocker(target)) throw new StepFailed(`${target.message}: ${target.why}. What helps: ${target.next}.`)
  if (target.storageVersion === step.storageVersion) return target
  throw new StepFailed(
    `Somebody has made ${target.storageVersion} the storage version of ${step.definition}; the run was planned for ${step.storageVersion}. To move there: end this run (kubectl airunway abort, or of an upgrade kubectl airunway resume --hold-storage), then kubectl airunway migrate ${step.definition}.`,
  )
}

/** One checkpoint for each definition, among the run's records. */
const checkpointsIn = ({ keep, kept }: Pick<StepContext, 'keep' | 'kept'>): CheckpointStore => ({
  load: async (definition) => kept<MigrationCheckpoint>(checkpointName(definition)),
  save: async (checkpoint) => keep(checkpointName(checkpoint.definition), checkpoint),
})

const checkpointName = (definition: string): string => `checkpoint-${wordOf(definition)}`

/** The steps of a migration and its end, without names of objects: the journal has to stay small. */
const evidenceOf = ({ passes, ...result }: MigrationResult): Evidence => ({
  ...result,
  passes: passes.map(({ failures: _failures, ...counts }) => counts),
})

const PHASES = {
  settle: 'waiting until every API server stores the new version',
  rewrite: 'rewriting',
  prove: 'proving',
  trim: 'trimming storedVersions',
  done: 'done',
} as const

/** `rewriting: 1200 of 5000, 210/s, 18 s left` */
const progressText = ({ phase, pass, done, total, perSecond, secondsLeft }: MigrationProgress): string => {
  const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`
  if (phase !== 'rewrite' && phase !== 'prove') return PHASES[phase]
  if (done === 0 && perSecond === 0 && phase === 'prove' && left !== '')
    return `waiting until no write from before the flip can land any more${left}`
  const again = pass > 2 ? ` (pass ${pass})` : ''
  return `${PHASES[phase]}${again}: ${done} of ${total}, ${Math.round(perSecond)}/s${left}`
}

/** Why it is not migrated, who is in the way, and what became of the rest. */
const failureText = ({ definition, outcome, reason, passes, after }: MigrationResult): string => {
  const last = passes.findLast(({ failed }) => failed > 0)
  const rewritten = passes.reduce((sum, pass) => sum + pass.rewritten, 0)
  const told = reason ?? `the migration of ${definition} ended: ${outcome}`
  return [
    `${definition}: ${told}.`,
    ...(last === undefined ? [] : [`Among them: ${namesOf(last)}.`]),
    `${rewritten} objects have been rewritten and stay so; storedVersions is ${after.storedVersions.join(', ')}`,
  ].join(' ')
}

const namesOf = ({ failed, failures }: PassResult): string => {
  const named = failures
    .slice(0, FAILURES_NAMED)
    .map(({ namespace, name, cause, subject, message }) => {
      const by = subject === undefined ? cause : `${cause} ${subject}`
      return `${namespace === undefined ? '' : `${namespace}/`}${name} (${by}: ${message})`
    })
    .join('; ')
  return failed > FAILURES_NAMED ? `${named}; and ${failed - FAILURES_NAMED} more` : named
}
