/** Saves what the run may change, before it changes anything. */
import type { Backup } from '../backup/backup.types.ts'
import { takeBackup } from '../backup/take.ts'
import type { StepHandler } from './step.types.ts'

/** Name under which a run keeps its back-up. */
export const BACKUP = 'backup'

export const backUp: StepHandler<'back-up'> = async (step, context) => {
  // A back-up that is already there was taken before the first change; a second one might not be.
  const existing = await context.kept<Backup>(BACKUP)
  const backup = existing ?? (await takeBackup(context.client, step, { now: context.now(), signal: context.signal }))
  if (existing === undefined) await context.keep(BACKUP, backup)
  const collected = Object.values(backup.collections).reduce((sum, objects) => sum + objects.length, 0)
  return { objects: backup.objects.length, absent: backup.absent.length, collected, takenAt: backup.takenAt }
}
