/** What a migration came to, as a value. Pure. */
import type { MigrationCheckpoint, MigrationResult, MigrationTarget, PassPlace, PassResult } from './migration.types.ts'

/** How it ended. `after`: storedVersions as read last, where they were read. */
export type Ended = Pick<MigrationResult, 'outcome' | 'reason' | 'stopped' | 'proof'> & { after?: string[] }

/** What the checkpoint does not say. `rewrittenFirst`: objects that were rewritten before the first pass. */
type Told = { notes: string[]; rewrittenFirst: number } & Pick<MigrationResult, 'seconds' | 'requests'>

/** The result of a migration of the target that stands where the checkpoint says. */
export function migrationResult(
  { definition, storageVersion, storedVersions: found, versions }: MigrationTarget,
  { storedVersions, place, passes }: MigrationCheckpoint,
  { after = found, ...ended }: Ended,
  { notes, seconds, requests, rewrittenFirst }: Told,
): MigrationResult {
  const trimmed = ended.outcome === 'migrated' || ended.outcome === 'nothing to do'
  const gone = versions.filter((version) => storedVersions.includes(version) && !after.includes(version))
  const told = [...notes, ...alteredNotes([...passes, ...(place ? [unfinished(place)] : [])])]
  return {
    definition,
    storageVersion,
    before: { storedVersions },
    after: { storedVersions: after },
    ...ended,
    ...(told.length > 0 && { notes: told }),
    passes: withThoseBefore(place ? [...passes, unfinished(place)] : passes, rewrittenFirst),
    seconds,
    requests,
    removable: trimmed ? gone : [],
  }
}

/** A rewrite should change nothing but the encoding: whoever reconciles the objects acts on anything more. */
function alteredNotes(passes: readonly PassResult[]): string[] {
  const altered = passes.reduce((sum, pass) => sum + pass.altered, 0)
  if (altered === 0) return []
  return [
    `${altered} object${altered === 1 ? ' was' : 's were'} changed by the rewrite, not only stored anew: a mutating webhook or policy, or defaults of the version that is written. The generation went up, so controllers act on it`,
  ]
}

/** The first pass has found them current, but it was this migration that has rewritten them. */
function withThoseBefore(passes: PassResult[], rewrittenFirst: number): PassResult[] {
  const [first, ...others] = passes
  const moved = Math.min(rewrittenFirst, first?.unchanged ?? 0)
  if (first === undefined || moved === 0) return passes
  return [{ ...first, rewritten: first.rewritten + moved, unchanged: first.unchanged - moved }, ...others]
}

/** What of the passes is the proof. */
export function proofOf(
  pass: PassResult,
  { flippedAt, passes }: Pick<MigrationCheckpoint, 'flippedAt' | 'passes'>,
): NonNullable<MigrationResult['proof']> {
  const { startedAt, unchanged } = pass
  return {
    pass: passes.indexOf(pass) + 1,
    objects: unchanged,
    startedAt,
    ...(flippedAt !== undefined && { secondsAfterFlip: (Date.parse(startedAt) - Date.parse(flippedAt)) / 1000 }),
  }
}

const unfinished = ({ counts, failures, startedAt = '' }: PassPlace): PassResult => ({
  ...counts,
  failures,
  startedAt,
  seconds: 0,
  requests: 0,
  mostInFlight: 0,
})
