/** Saves what the run may change, before it changes anything. */
import type { Backup } from '../backup/backup.types.ts'
import { writeBackupFile } from '../backup/file.ts'
import { takeBackup } from '../backup/take.ts'
import type { StepHandler } from './step.types.ts'

/** Name under which a run keeps its back-up. */
export const BACKUP = 'backup'

export const backUp: StepHandler<'back-up'> = async (step, context) => {
  // A back-up that is already there was taken before the first change; a second one might not be.
  const existing = await context.kept<Backup>(BACKUP, { exact: true })
  const backup = existing ?? (await takeBackup(context.client, step, { now: context.now(), signal: context.signal }))
  if (existing === undefined) await context.keep(BACKUP, backup)
  // After the records: where the process dies in between, the next try writes the very same.
  const file =
    context.backupFile === undefined
      ? {}
      : {
          file: context.backupFile,
          fileBytes: await writeBackupFile(context.backupFile, backup, context.run),
        }
  const collected = Object.values(backup.collections).reduce((sum, objects) => sum + objects.length, 0)
  return { objects: backup.objects.length, absent: backup.absent.length, collected, takenAt: backup.takenAt, ...file }
}
