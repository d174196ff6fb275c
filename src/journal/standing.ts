/** Which of the recorded runs stands: what is unfinished, what runs now by the records, what can be gone back from. Pure. */
import type { RunSummary } from './journal.types.ts'

/** A run that is not over: it can be gone on with, or gone back from. */
export const isUnfinished = (run: RunSummary): boolean => ['running', 'failed', 'interrupted'].includes(run.state)

/** The run that has to be brought to an end before another one begins: the newest, where several are (a take-over that died). */
export const unfinishedRun = (runs: readonly RunSummary[]): RunSummary | undefined => runs.find(isUnfinished)

/**
 * The runs that went from a release to another one. A migration of stored versions is none: what of it keeps anybody from
 * going back is seen on the cluster, and a migration of somebody else's definitions keeps nobody.
 */
export const releaseRuns = (runs: readonly RunSummary[]): RunSummary[] =>
  runs.filter(({ kind }) => kind !== 'migration')

/** It was closed before it changed anything: as if it had never been. */
const isClosed = (run: RunSummary): boolean => run.state === 'superseded' && run.supersededBy === undefined

/** The newest run that has, or may have, changed something. Runs come newest first. */
export const newestStanding = (runs: readonly RunSummary[]): RunSummary | undefined =>
  runs.find((run) => !isClosed(run))

/**
 * The upgrade that a rollback now would go back from. Undefined where there is none: nothing is recorded, its records are gone,
 * or it has been gone back from. A way back that did not end is still about the upgrade below it; one that was aborted has
 * gone forward to that upgrade again.
 */
export const upgradeInForce = (all: readonly RunSummary[]): RunSummary | undefined => {
  const runs = releaseRuns(all)
  const newest = newestStanding(runs)
  if (newest === undefined || newest.kind === 'upgrade') return newest
  const undone = undoneBy(newest, runs)
  const forward = newest.kind === 'abort' && undone?.kind === 'rollback'
  if (newest.state === 'succeeded' && !forward) return undefined
  let below = undone
  while (below !== undefined && below.kind !== 'upgrade') below = undoneBy(below, runs)
  return below
}

const undoneBy = ({ undoes }: RunSummary, runs: readonly RunSummary[]): RunSummary | undefined =>
  runs.find(({ number }) => number === undoes)

/**
 * Whether the run began in the middle of another one: then its back-up describes half of that one, and to go back from it
 * leads nowhere that anybody wants to be.
 */
export const beganHalfWay = (run: RunSummary, runs: readonly RunSummary[]): boolean =>
  runs.some(({ supersededBy }) => supersededBy === run.number)
