/** Moves the objects of a definition to its storage version; how far it is lies in the records, so that a run can go on. */
import { isConflict } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import { storageFlip } from '../migration/flip-time.ts'
import { forgettingVersions } from '../migration/forgotten-managers.ts'
import { lossesOf, unacceptedLosses } from '../migration/losses.ts'
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
import { readClocks } from '../migration/survey.ts'
import { isBlocker, targetOf } from '../migration/target.ts'
import { bringVersionsBack, repairOf } from '../migration/unreadable.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { firstLookAt } from './first-looks.ts'
import { definitionOf, flipOf, wordOf } from './flip-storage.ts'
import { type Evidence, type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const FAILURES_NAMED = 5
const READABLE_SECONDS = 60

export const migrate: StepHandler<'migrate'> = async (step, context) => {
  keepMemorySmall()
  const live = await readable(step, context)
  const target = await targetNow(step, live, context)
  if (step.bringBack !== undefined) await refuseLosses(step.bringBack, live, target, context)
  const look = await firstLookAt(target, step.together, context)
  // Each request looks at the lock by itself: the client of a run does.
  const result = await migrateDefinition(context.client, target, {
    limits: step.limits,
    checkpoints: checkpointsIn(context),
    staleVersions: staleVersions(step, live, target),
    engine: step.engine,
    signal: context.signal,
    progress: (progress) => context.report(progressText(progress)),
    ...(look !== undefined && { firstLookAt: look }),
    ...(step.force === true && { force: true }),
    ...(step.lateWriteSeconds !== undefined && { window: step.lateWriteSeconds }),
  })
  if (result.outcome === 'migrated' || result.outcome === 'nothing to do') return evidenceOf(result)
  throw new StepFailed(failureText(result))
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

/** Versions that are stored and gone from the spec come back first, which this step's plan has consent for. */
const readable = async (step: StepOf<'migrate'>, context: StepContext): Promise<CustomResourceDefinition> => {
  const live = await definitionOf(step, context)
  const repair = step.bringBack === undefined ? undefined : repairOf(live, step.bringBack)
  if (repair === undefined) return live
  context.report(`${repair.bringBack.join(', ')} comes back into the spec`)
  try {
    return await bringVersionsBack(context.client, repair, { signal: context.signal })
  } catch (error) {
    if (!isConflict(error)) throw error
    throw new StepFailed(`${step.definition} is written by somebody all the time, so no version can be brought back.`, {
      cause: error,
    })
  }
}

/** Only now can it be seen what the storage version would drop of objects that nobody could read before. */
const refuseLosses = async (
  versions: readonly string[],
  live: CustomResourceDefinition,
  target: MigrationTarget,
  { client, signal, report }: StepContext,
): Promise<void> => {
  const { definition, group, kind } = target
  for (const version of versions)
    await waitFor(
      async () => {
        const path = `/apis/${group}/${version}/${target.plural}?limit=1`
        const { status } = await client.raw({ method: 'GET', path, signal })
        return status === 200 ? { done: true, value: undefined } : { done: false, seen: `HTTP ${status}` }
      },
      { what: `Reading ${kind} objects in ${version}`, timeoutSeconds: READABLE_SECONDS, signal },
    )
  const losses = await lossesOf(client, live, target, {
    stored: versions,
    signal,
    onProgress: (version, objects) => report(`${objects} read in ${version}`),
  })
  const lost = unacceptedLosses(losses, [])
  if (lost.length === 0) return
  const told = lost.map((path) => {
    const field = losses.fields.find((each) => each.path === path && each.objects > 0)
    return field === undefined
      ? `^.${path}`
      : `^.${path} of ${field.objects} objects, such as ${field.examples[0]?.name}`
  })
  throw new StepFailed(
    `${definition} can be read again, in ${versions.join(', ')}, and nothing of it is lost. But ${target.storageVersion} lacks fields that objects have: ${told.join('; ')}. To give them up, backed up first: kubectl airunway abort, then kubectl airunway migrate ${definition} ${lost.map((path) => `--accept-loss '${definition}:^.${path}=REASON'`).join(' ')}`,
  )
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
