/** The way in which a pass ends before its last object. */
import type { PassPlace } from './migration.types.ts'
import type { StopReason } from './pass.types.ts'
import type { Refused } from './verdict.ts'

/**
 * No further object of the kind would fare better: rights are missing, the kind is not served any more, a list cannot be
 * read, or everything failed for too long. What was done stays done; `place` is where another pass goes on.
 */
export class PassStopped extends Error {
  override readonly name = 'PassStopped'
  readonly reason: StopReason
  /** the answer that ended it */
  readonly answer: Refused
  readonly place: PassPlace

  constructor(reason: StopReason, answer: Refused, place: PassPlace) {
    super(answer.message)
    this.reason = reason
    this.answer = answer
    this.place = place
  }
}
