/**
 * Makes another version of a definition its storage version, by a whole PUT on the resourceVersion that was read: whatever
 * somebody writes in between, this write is refused and looked at again. Objects stay as they are; the API server adds the
 * version to status.storedVersions in the same write.
 */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { holdStorage, storageVersionOf } from '../crds/versions.ts'
import { isConflict } from '../kubernetes/errors.ts'
import { definitionPath, readExact } from '../kubernetes/exact-json.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { KnownFlip } from '../migration/flip-time.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { type Evidence, type StepContext, StepFailed, type StepHandler } from './step.types.ts'

/** Times that the definition is read again because somebody wrote it in between: controllers keep CA bundles in it fresh. */
const ATTEMPTS = 10

/** A flip, and whose clock its time is by. */
interface NotedFlip extends KnownFlip {
  clock: string
}

export const flipStorage: StepHandler<'flip-storage'> = async (step, context) => {
  for (let attempt = 1; ; attempt++) {
    const live = await definitionOf(step, context)
    const storage = storageVersionOf(live)
    if (storage === step.to) return evidenceOf(live, await flipOf(step.definition, context))
    if (storage !== step.from)
      throw new StepFailed(
        `Somebody has made ${storage} the storage version of ${step.definition}; it was ${step.from} when the run was planned.`,
      )
    const flipped = holdStorage(live, step.to)
    if (!flipped.held) throw new StepFailed(`${flipped.why}: somebody has changed it.`)
    try {
      const after = await context.client.replace(flipped.crd, { signal: context.signal })
      return evidenceOf(after, await noted(after, context))
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}

/** The definition, if it is still the one of the plan. */
export const definitionOf = async (
  { definition, uid }: Pick<StepOf<'flip-storage'>, 'definition' | 'uid'>,
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
): Promise<CustomResourceDefinition> => {
  // It is written back as a whole, with the defaults and limits in its schemas.
  const live = await readExact<CustomResourceDefinition>(client, definitionPath(definition), signal)
  if (live?.metadata.uid === uid && live.metadata.deletionTimestamp === undefined) return live
  const name = `CustomResourceDefinition ${definition}`
  if (live !== undefined && live.metadata.uid !== uid)
    throw new StepFailed(`Somebody has deleted ${name}, with all its objects, and made another one of that name.`)
  throw new StepFailed(
    `Somebody ${live === undefined ? 'has deleted' : 'deletes'} ${name}, and with it all its objects.`,
  )
}

/**
 * What a run of this very process knows of its flip. Another process' time is by another clock: with that a proof could begin
 * too early.
 */
export const flipOf = async (
  definition: string,
  { kept }: Pick<StepContext, 'kept'>,
): Promise<KnownFlip | undefined> => {
  const flip = await kept<NotedFlip>(flipName(definition))
  if (flip === undefined || flip.clock !== ownClock()) return undefined
  const { clock: _clock, ...known } = flip
  return known
}

/** Taken after the answer, by the clock that proofs go by. A process that dies before it is kept counts from its first look. */
const noted = async (
  { metadata: { name, uid = '', generation = 0 } }: CustomResourceDefinition,
  { keep }: Pick<StepContext, 'keep'>,
): Promise<KnownFlip> => {
  const answeredAt = clockTime()
  const flip = { uid, generation, answeredAt }
  await keep(flipName(name), { ...flip, clock: ownClock() })
  return flip
}

const evidenceOf = (live: CustomResourceDefinition, flip: KnownFlip | undefined): Evidence => ({
  storageVersion: storageVersionOf(live),
  storedVersions: live.status?.storedVersions ?? [],
  ...(flip !== undefined && { answeredAt: flip.answeredAt }),
})

const flipName = (definition: string): string => `flip-${wordOf(definition)}`

/** The name of a definition may be longer than the value of a label. */
export const wordOf = (definition: string): string => createHash('sha256').update(definition).digest('hex').slice(0, 12)

/** By the clock that proofs go by, which never goes back. */
export const clockTime = (): string => new Date(performance.timeOrigin + performance.now()).toISOString()

/** Tells whether a time that was kept is by the clock of this very process. */
export const ownClock = (): string => `${hostname()}/${process.pid}/${performance.timeOrigin}`
