/** The rights that taking the place of an unfinished run needs: what that one may be about to write is written first. */
import { listRuns, openRun, readKept } from '../journal/records.ts'
import { isUnfinished } from '../journal/standing.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import { outdatingAccess, type RequiredAccess } from '../plan/access.ts'
import type { Plan } from '../plan/plan.types.ts'

/**
 * For a way back, or an abort; an upgrade begins only where nothing is unfinished. `run` is the number of a run that is gone
 * on with: just those before it are superseded. Whoever may not read the records is told that by name elsewhere.
 */
export const supersedeAccess = async (
  client: KubernetesClient,
  recordNamespace: string,
  { plan, run }: { plan: Plan; run?: number | undefined },
): Promise<RequiredAccess[]> => {
  if (plan.kind === 'upgrade') return []
  try {
    const runs = (await listRuns(client, recordNamespace)).filter(isUnfinished)
    const earlier = runs.filter(({ number }) => run === undefined || number < run)
    const accesses = await Promise.all(
      earlier.map(async ({ number }) => {
        const [journal, undone] = await Promise.all([
          openRun(client, recordNamespace, number),
          readKept<Plan>(client, recordNamespace, number, 'plan'),
        ])
        const begun = new Set(journal.entries.map(({ step }) => step))
        const done = journal.done()
        return (undone?.steps ?? []).filter(({ id }) => begun.has(id) && !done.has(id)).flatMap(outdatingAccess)
      }),
    )
    return accesses.flat()
  } catch (error) {
    if (isForbidden(error)) return []
    throw error
  }
}
