/**
 * What proves a migration, and what comes next while nothing does. A pass proves that all objects are stored at the storage
 * version if it had nothing to rewrite, nothing failed, and it began when no write under an old version could land any more:
 * an API server that began a write before the flip ends it within its limit for writes. Pure.
 */
import type { FailureCause, MigrationCheckpoint, PassResult } from './migration.types.ts'

/** An API server takes up a flip some milliseconds after it has answered it: a write that begins until then counts as before. */
const takeUpMs = 1_000

/** Since when no write under an old version can land, in milliseconds; nothing before the first look counts as known. */
export function lateWritesEnd(
  { flippedAt, firstLookAt }: Pick<MigrationCheckpoint, 'flippedAt' | 'firstLookAt'>,
  windowSeconds: number,
): number {
  return Date.parse(flippedAt ?? firstLookAt) + windowSeconds * 1000 + takeUpMs
}

/** Why the pass proves nothing; undefined where it does. */
export function whyNoProof(pass: PassResult, lateEnd: number): string | undefined {
  if (pass.failed > 0) return `${pass.failed} objects could not be written`
  if (pass.rewritten > 0) return `${pass.rewritten} objects had to be rewritten`
  return Date.parse(pass.startedAt) >= lateEnd
    ? undefined
    : 'it began while a write under the old version could still land'
}

/**
 * What comes next. `late`: only once no write under an old version can land any more. `unsettled`: a pass that should have
 * found nothing did, so some API server was behind for longer.
 */
export type Move =
  | { kind: 'pass'; phase: 'rewrite' | 'prove'; late: boolean; unsettled: boolean }
  | { kind: 'trim'; proof: PassResult }
  | { kind: 'end'; reason: string }

const mostPasses = 6
const passing = new Set<FailureCause>(['server', 'connection', 'throttled', 'conflict'])

/** The next move after these passes, oldest first. */
export function nextMove(passes: readonly PassResult[], lateEnd: number): Move {
  const last = passes.at(-1)
  if (last === undefined) return { kind: 'pass', phase: 'rewrite', late: false, unsettled: false }
  if (whyNoProof(last, lateEnd) === undefined) return { kind: 'trim', proof: last }
  const before = passes.at(-2)
  if (last.failed > 0) {
    if (!mayPass(last) || (before?.failed ?? 0) > 0) return { kind: 'end', reason: failuresText(last) }
    return { kind: 'pass', phase: 'rewrite', late: false, unsettled: false }
  }
  // The first pass is there to rewrite most.
  if (passes.length > 2 && before !== undefined && rewroteMost(before) && rewroteMost(last)) {
    return { kind: 'end', reason: restless(last) }
  }
  if (passes.length >= mostPasses) return { kind: 'end', reason: busy(last) }
  // What a later pass finds was written in an old version since.
  const unsettled = before !== undefined && last.rewritten > 0 && Date.parse(last.startedAt) >= lateEnd
  return { kind: 'pass', phase: 'prove', late: true, unsettled }
}

// The list of failures is cut: of those that it leaves out nothing is known.
const mayPass = ({ failed, failures }: PassResult): boolean =>
  failures.length === failed && failures.every(({ cause }) => passing.has(cause))

const rewroteMost = ({ rewritten, unchanged }: PassResult): boolean => rewritten > unchanged

const failuresText = ({ failed, failures }: PassResult): string => {
  const causes = new Map<string, number>()
  for (const { cause, subject } of failures) {
    const words = subject === undefined ? cause : `${cause} ${subject}`
    causes.set(words, (causes.get(words) ?? 0) + 1)
  }
  const said = [...causes].map(([words, count]) => `${count} by ${words}`).join(', ')
  return `${failed} objects could not be rewritten (${said}), so storedVersions was not trimmed`
}

const restless = ({ rewritten, unchanged }: PassResult): string =>
  `${rewritten} of ${rewritten + unchanged} objects changed again by a write that changes nothing, so it cannot be proved how they are stored: a mutating webhook or another controller alters them with each write`

const busy = ({ rewritten }: PassResult): string =>
  `${rewritten} objects still had to be rewritten in the last of ${mostPasses} passes, so it is not proved that all are current: an API server that is behind, or something else that writes them all the time`
