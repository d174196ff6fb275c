/**
 * Brings the objects of a collection back into the form that they had under the CRD of before, which is in force again. What
 * the back-up of the earlier run has is written as it was, also where somebody has deleted it since. What was made since is
 * turned back out of this run's own back-up, which was taken while its form could still be read. Nothing is deleted: one
 * object that does not decode stops every controller, so a list of which nothing can be read is emptied and named.
 */
import type { Backup } from '../backup/backup.types.ts'
import { asSaved, intoOldForm, withoutUnreadable } from '../backup/provider-config-shape.ts'
import { isConflict } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { referenceOf } from '../plan/reference.ts'
import { BACKUP } from './back-up.ts'
import { replaceWith, savedByUid } from './rewrite.ts'
import type { StepContext, StepHandler } from './step.types.ts'

const FIELD_MANAGER = 'kubectl-airunway'

export const restore: StepHandler<'restore'> = async (step, context) => {
  const { apiVersion, kind } = step.collection
  const saved = new Map(step.objects.map((object) => [object.metadata.name, object]))
  const own = savedByUid(await context.kept<Backup>(BACKUP), step.collection)
  const restored: string[] = []
  const incomplete: string[] = []
  const oldForm = (live: AnyObject): AnyObject => {
    const before = own.get(live.metadata.uid ?? '')
    for (const source of [live, ...(before === undefined ? [] : [before])]) {
      const shaped = intoOldForm(source, step.changes)
      if ('object' in shaped) return asSaved(live, shaped.object, step.changes)
    }
    incomplete.push(live.metadata.name)
    return withoutUnreadable(live, step.changes)
  }
  const listed = await context.client.list<AnyObject>(step.collection, { signal: context.signal })
  for (const each of listed) {
    const wanted = saved.get(each.metadata.name)
    const shape = wanted === undefined ? oldForm : (live: AnyObject) => asSaved(live, wanted, step.changes)
    if (await replaceWith(context, { ...each, apiVersion, kind }, shape)) restored.push(each.metadata.name)
  }
  const names = new Set(listed.map(({ metadata }) => metadata.name))
  for (const object of step.objects.filter(({ metadata }) => !names.has(metadata.name))) {
    await createAgain(context, { ...object, apiVersion, kind }, (live) => asSaved(live, object, step.changes))
    restored.push(object.metadata.name)
  }
  return { restored, unchanged: names.size - restored.length, ...(incomplete.length > 0 && { incomplete }) }
}

/** A POST, so that a late request of a stopped process changes nothing that is there. */
const createAgain = async (
  context: StepContext,
  object: AnyObject,
  shape: (live: AnyObject) => AnyObject,
): Promise<void> => {
  const { client, signal } = context
  try {
    await client.create(object, { fieldManager: FIELD_MANAGER, signal })
  } catch (error) {
    if (!isConflict(error)) throw error
    const live = await client.get<AnyObject>(referenceOf(object), signal)
    await replaceWith(context, live, shape)
  }
}
