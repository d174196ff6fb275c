/** A CRD that somebody deletes in the middle of a run: no CRD is ever made anew, empty, in its place. */
import type { Backup } from '../backup/backup.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { referenceOf } from '../plan/reference.ts'
import { BACKUP } from './back-up.ts'
import { type StepContext, StepFailed } from './step.types.ts'

/** Throws StepFailed where the CRD is being deleted, or is gone although the back-up has it: its objects go with it. */
export const refuseLostDefinition = async (
  definition: AnyObject,
  { client, signal, run, kept }: Pick<StepContext, 'client' | 'signal' | 'run' | 'kept'>,
): Promise<void> => {
  const { name } = definition.metadata
  const live = await client.find(referenceOf(definition), signal)
  if (live !== undefined && live.metadata.deletionTimestamp === undefined) return
  const backup = await kept<Backup>(BACKUP)
  const wasThere = backup?.objects.some(
    ({ object }) => object.kind === definition.kind && object.metadata.name === name,
  )
  if (live === undefined && wasThere !== true) return
  throw new StepFailed(
    `Somebody ${live === undefined ? 'has deleted' : 'deletes'} CustomResourceDefinition ${name}, and with it all its objects. This tool never does that, and makes no empty one in its place; the objects are in the back-up of run ${run}.`,
  )
}
