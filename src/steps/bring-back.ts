/**
 * Versions that objects are stored in and that have left the spec come back into it, for a migrate step whose plan has consent
 * for that. A list that fails names one such version at a time: which others there are shows only once that one can be read.
 */
import { ApiError, isConflict } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import { missingVersion } from '../migration/blockers.ts'
import { lossesOf, unacceptedLosses } from '../migration/losses.ts'
import type { MigrationTarget } from '../migration/migration.types.ts'
import { bringVersionsBack, repairOf } from '../migration/unreadable.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { definitionOf, wordOf } from './flip-storage.ts'
import { type StepContext, StepFailed } from './step.types.ts'

const READABLE_SECONDS = 60

export interface Readable {
  /** the definition as it is then */
  live: CustomResourceDefinition
  /** the versions that have come back, in this process or an earlier one of the run */
  versions: string[]
}

/** The definition with all versions in its spec that its objects are stored in. Nothing is brought back unless the step says so. */
export const readable = async (step: StepOf<'migrate'>, context: StepContext): Promise<Readable> => {
  let live = await definitionOf(step, context)
  if (step.bringBack === undefined) return { live, versions: [] }
  const name = `brought-back-${wordOf(step.definition)}`
  const versions = [...new Set([...step.bringBack, ...((await context.kept<string[]>(name)) ?? [])])]
  for (;;) {
    const repair = repairOf(live, versions)
    if (repair !== undefined) {
      context.report(`${versions.join(', ')} comes back into the spec`)
      live = await repaired(repair, context)
    }
    const missing = await missingIn(live, versions, context)
    if (missing === undefined) return { live, versions }
    versions.push(missing)
    // Whoever goes on with the run finds it in the spec, and has to know whence.
    await context.keep(name, versions)
  }
}

const repaired = async (
  repair: Parameters<typeof bringVersionsBack>[1],
  { client, signal }: StepContext,
): Promise<CustomResourceDefinition> => {
  try {
    return await bringVersionsBack(client, repair, { signal })
  } catch (error) {
    if (!isConflict(error)) throw error
    throw new StepFailed(
      `${repair.definition} is written by somebody all the time, so no version can be brought back.`,
      {
        cause: error,
      },
    )
  }
}

/** A version that objects are stored in and the spec still lacks; undefined where all of them can be read, in each version. */
const missingIn = async (
  live: CustomResourceDefinition,
  versions: readonly string[],
  { client, signal }: StepContext,
): Promise<string | undefined> => {
  const { group, names } = live.spec
  const kind = names.kind
  const served = live.spec.versions.find((version) => version.served)?.name ?? ''
  return waitFor(
    async () => {
      try {
        for await (const _page of client.metadataPages({ apiVersion: `${group}/${served}`, kind }, { signal })) continue
        for (const version of versions) {
          const path = `/apis/${group}/${version}/${names.plural}?limit=1`
          const { status } = await client.raw({ method: 'GET', path, signal })
          if (status !== 200) return { done: false, seen: `HTTP ${status} in ${version}` }
        }
        return { done: true, value: undefined }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        // One that is in the spec by now is not known to every API server yet: such an answer is waited out.
        const missing = missingVersion(error.message, live)
        if (missing === undefined) throw error
        return { done: true, value: missing }
      }
    },
    { what: `Reading all ${kind} objects`, timeoutSeconds: READABLE_SECONDS, signal },
  )
}

/**
 * Only now can it be seen what the storage version would drop of objects that nobody could read before: in whatever version
 * status names, for nothing could be looked at before the run.
 */
export const refuseLosses = async (
  { live, versions }: Readable,
  target: MigrationTarget,
  { client, signal, report }: StepContext,
): Promise<void> => {
  const { definition } = target
  const losses = await lossesOf(client, live, target, {
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
