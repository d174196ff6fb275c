/**
 * Looks, right before the first storage version moves, for what would keep the objects of a definition from being moved, or be
 * lost by it: its definition is now the one that they are written under. Reads, and dry runs. What is in the way stops the run
 * while it can still be gone back from.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import { denialsOf } from '../migration/denials.ts'
import { lossesOf, unacceptedLosses } from '../migration/losses.ts'
import type { MigrationTarget } from '../migration/migration.types.ts'
import type { DenialGroup, LostValue } from '../migration/survey.types.ts'
import { flippedTo, isBlocker, targetOf } from '../migration/target.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { definitionOf, wordOf } from './flip-storage.ts'
import { StepFailed, type StepHandler } from './step.types.ts'

/** Name under which a run keeps the values of a definition that are given up in it. */
export const lostName = (definition: string): string => `lost-${wordOf(definition)}`

/** These pass by themselves, and the migration waits for them. */
const PASSING = new Set<DenialGroup['cause']>(['conflict', 'throttled', 'server', 'connection'])

export const checkMigration: StepHandler<'check-migration'> = async (step, context) => {
  const { client, signal } = context
  const live = await definitionOf(step, context)
  const future = flippedTo(live, step.to)
  if (future === undefined)
    throw new StepFailed(`${step.definition} has no version ${step.to} any more: somebody has changed it.`)
  const target = targetOf(future)
  if (isBlocker(target)) throw new StepFailed(`${target.message}: ${target.why}. What helps: ${target.next}.`)
  await readInEach(client, target, signal)
  const values: LostValue[] = []
  const losses = await lossesOf(client, future, target, {
    signal,
    keep: (lost) => void values.push(lost),
    onProgress: (version, objects) => context.report(`${objects} read in ${version}`),
  })
  refuseLosses(step, unacceptedLosses(losses, step.accepted))
  // The back-up of the run's beginning lacks what was made since.
  if (values.length > 0) await context.keep(lostName(step.definition), values)
  const denials = await denialsOf(client, target, {
    pausedAnnotation: step.pausedAnnotation,
    all: step.tryAll === true,
    signal,
    onProgress: ({ checked, of }) => context.report(`${checked} of ${of} writes tried`),
  })
  refuseDenials(step, denials.groups, denials.checked)
  return { objects: denials.objects, tried: denials.checked, served: target.served, lost: values.length }
}

/** Whichever version an object is stored in, it has to be converted: one of each is a proof that this is answered. */
const readInEach = async (client: KubernetesClient, target: MigrationTarget, signal: AbortSignal): Promise<void> => {
  for (const version of target.served)
    try {
      const collection = { apiVersion: `${target.group}/${version}`, kind: target.kind }
      for await (const _page of client.pages(collection, { limit: 1, signal })) break
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      throw new StepFailed(`${target.definition} cannot be read in ${version}: ${error.message}. ${NOTHING_MOVED}`, {
        cause: error,
      })
    }
}

const NOTHING_MOVED = 'No storage version has moved'

const refuseLosses = ({ definition, to }: StepOf<'check-migration'>, paths: readonly string[]): void => {
  if (paths.length === 0) return
  throw new StepFailed(
    `${definition}: ${paths.map((path) => `^.${path}`).join(', ')} would be dropped for ever, for ${to} does not have ${paths.length === 1 ? 'it' : 'them'}. ${NOTHING_MOVED}; remove the values, or end the upgrade without moving objects`,
  )
}

/** Not what only the main endpoint refuses: those writes go through /status. */
const refuseDenials = (
  { definition }: StepOf<'check-migration'>,
  groups: readonly DenialGroup[],
  tried: number,
): void => {
  const denied = groups.filter(({ cause, objects, throughStatus }) => !PASSING.has(cause) && objects > throughStatus)
  if (denied.length === 0) return
  const told = denied.map(({ cause, subject, objects, examples }) => {
    const [first] = examples
    const named = first === undefined ? '' : `, such as ${nameOf(first)}: ${first.message}`
    return `${objects} of ${tried} tried are refused by ${subject === undefined ? cause : `${cause} ${subject}`}${named}`
  })
  throw new StepFailed(`The objects of ${definition} cannot be written: ${told.join('; ')}. ${NOTHING_MOVED}`)
}

const nameOf = ({ namespace, name }: { namespace?: string; name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`
