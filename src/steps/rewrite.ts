/**
 * Puts the objects of a collection into the form that their CRD has now, within the same version. The API server prunes
 * what the new schema does not know on every read, and for good with the next write of whatever part of the object (a
 * heartbeat is enough); so what is hidden comes from the run's back-up. Nobody who writes or decodes the old form runs now.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Backup } from '../backup/backup.types.ts'
import { intoNewForm } from '../backup/provider-config-shape.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { referenceOf } from '../plan/reference.ts'
import { BACKUP } from './back-up.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

/** Times that one object is read again because somebody wrote it in between: shims of others go on with their heartbeat. */
const ATTEMPTS = 8

export const rewrite: StepHandler<'rewrite'> = async (step, context) => {
  const { apiVersion, kind } = step.collection
  const saved = savedByUid(await context.kept<Backup>(BACKUP), step.collection)
  const rewritten: string[] = []
  let unchanged = 0
  for (const listed of await context.client.list<AnyObject>(step.collection, { signal: context.signal })) {
    const shape = (live: AnyObject): AnyObject => {
      const shaped = intoNewForm(live, saved.get(live.metadata.uid ?? ''), step.changes)
      if ('object' in shaped) return shaped.object
      throw new StepFailed(
        `${kind} ${live.metadata.name} was made after the back-up, and the new schema hides a part of it (${shaped.unreadable}). Write it in the new form (kubectl edit ${kind.toLowerCase()} ${live.metadata.name}), then: kubectl airunway resume`,
      )
    }
    if (await replaceWith(context, { ...listed, apiVersion, kind }, shape)) rewritten.push(listed.metadata.name)
    else unchanged++
  }
  return { rewritten, unchanged }
}

/** The objects of a collection as a back-up has them, by uid. */
export const savedByUid = (
  backup: Backup | undefined,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): Map<string, AnyObject> => {
  const objects = Object.entries(backup?.collections ?? {}).find(
    ([key]) => key.split('/')[0] === apiVersion.split('/')[0] && key.endsWith(` ${kind}`),
  )?.[1]
  if (objects === undefined) throw new StepFailed(`The run's back-up has no ${kind} objects.`)
  return new Map(objects.map((object) => [object.metadata.uid ?? '', object]))
}

/**
 * Writes the live object in its new form, on the uid and resourceVersion that were read; where somebody writes in between
 * it is read again. False where nothing had to be written, or the object is gone.
 */
export const replaceWith = async (
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
  listed: AnyObject,
  shape: (live: AnyObject) => AnyObject,
): Promise<boolean> => {
  const reference = referenceOf(listed)
  let live: AnyObject | undefined = listed
  for (let attempt = 1; live !== undefined; attempt++) {
    const wanted = shape(live)
    if (isDeepStrictEqual(wanted, live)) return false
    try {
      await client.replace(wanted, { signal })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isConflict(error)) throw refused(listed, error)
      if (attempt === ATTEMPTS) throw error
    }
    live = await client.find<AnyObject>(reference, signal)
  }
  return false
}

const refused = ({ kind, metadata: { name } }: AnyObject, error: unknown): unknown =>
  error instanceof Error && 'code' in error && error.code === 422
    ? new StepFailed(`${kind} ${name} is not accepted in its new form: ${error.message}`)
    : error
