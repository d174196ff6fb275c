/** Goes back to the release before the last upgrade, from wherever that upgrade, or going back from it, ended or stopped. */
import { takeInventory } from '../installation/take-inventory.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import { listRuns } from '../journal/records.ts'
import { newestStanding, releaseRuns, unfinishedRun, upgradeInForce } from '../journal/standing.ts'
import { Refusal } from '../report/refusal.ts'
import { goBack } from './go-back.ts'
import { mend } from './mend.ts'
import { type ChangeContext, type ChangeRequest, withClient } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'
import { nextOf, refuseWhileUnfinishedIsHeld } from './under-lock.ts'

/** Throws `cannot-go-back` with the reason where there is no way, or nothing to go back from. */
export const rollback = async (request: ChangeRequest, options: { dryRun: boolean }): Promise<ChangeResult> =>
  withClient(request, async (context) => rollbackWith(context, options))

const rollbackWith = async (context: ChangeContext, { dryRun }: { dryRun: boolean }): Promise<ChangeResult> => {
  if (!dryRun) await refuseWhileUnfinishedIsHeld(context, await listRuns(context.client, context.recordNamespace))
  const runs = await listRuns(context.client, context.recordNamespace)
  refuseWhileMigrating(runs)
  const byHand = upgradeInForce(runs) === undefined ? await repeatedByHand(context, runs) : undefined
  if (upgradeInForce(runs) === undefined && byHand === undefined) {
    const mended = await mend(context, { dryRun })
    if (mended !== undefined) return mended
  }
  const choose = (now: readonly RunSummary[]): RunSummary =>
    byHand !== undefined && now[0]?.number === runs[0]?.number ? byHand : runToUndo(now)
  const result = await goBack(context, { kind: 'rollback', dryRun, choose })
  if (result.outcome !== 'closed') return result
  // Asked for the release before: that runs, but not because of this command.
  const { run, closed } = result.report
  throw new Refusal(
    'cannot-go-back',
    `Run ${run.number} stopped before it changed anything${closed ? '; it is closed now' : ''}.`,
    { why: `${run.from} runs as before.`, next: `kubectl airunway upgrade --to ${run.to}` },
  )
}

/** Whoever goes back over a migration that may go on any moment cannot know what will be stored in the end. */
const refuseWhileMigrating = (runs: readonly RunSummary[]): void => {
  const run = unfinishedRun(runs)
  if (run?.kind !== 'migration') return
  throw new Refusal('cannot-go-back', `Run ${run.number} (migration of ${run.product}) is not over.`, {
    why: 'A migration is never undone, and while it can go on nobody can say in which version objects are stored.',
    next: nextOf(run),
  })
}

/**
 * The upgrade that has been gone back from, where somebody has applied its release by hand since: its back-up describes the
 * release before as well as then.
 */
const repeatedByHand = async (
  { client, now, signal }: ChangeContext,
  runs: readonly RunSummary[],
): Promise<RunSummary | undefined> => {
  const newest = newestStanding(releaseRuns(runs))
  const undone = runs.find(({ number, kind }) => number === newest?.undoes && kind === 'upgrade')
  if (newest?.kind !== 'rollback' || newest.state !== 'succeeded' || undone === undefined) return undefined
  const { installs } = await takeInventory(client, { now: now(), signal })
  const [install] = installs
  return install?.version.known && install.version.version === undone.to ? undone : undefined
}

/** The upgrade that a rollback is about. Throws `cannot-go-back` where there is none. */
export const runToUndo = (runs: readonly RunSummary[]): RunSummary => {
  refuseWhileMigrating(runs)
  const upgrade = upgradeInForce(runs)
  if (upgrade !== undefined) return upgrade
  const newest = newestStanding(releaseRuns(runs))
  if (newest === undefined)
    throw new Refusal(
      'cannot-go-back',
      'No upgrade of this installation is recorded, so there is nothing to go back to.',
      {
        why: 'Going back uses the back-up that `kubectl airunway upgrade` takes before it changes anything.',
        next: 'kubectl airunway upgrade --to VERSION, with the version you want to run',
      },
    )
  const was = newest.kind === 'abort' ? 'an abort that went back' : 'itself a rollback'
  throw new Refusal('cannot-go-back', `The last run (${newest.number}) was ${was} to ${newest.to}.`, {
    why: 'There is no upgrade after it that could be gone back from.',
    next: 'kubectl airunway upgrade --to VERSION, or kubectl airunway history',
  })
}
