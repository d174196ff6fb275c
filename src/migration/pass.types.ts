/** What a pass over the objects of a definition is asked for, and what it tells while it runs. */
import type { PaceLimits, PassCounts, PassPlace } from './migration.types.ts'

/** How far a pass is. */
export interface PassProgress {
  /** objects that have a verdict, those before `place` included */
  done: number
  /** objects that are known to follow; undefined where the server did not say */
  left?: number
  perSecond: number
  inFlight: number
  counts: PassCounts
}

export interface PassOptions {
  limits: PaceLimits
  /** where an earlier pass stood: it goes on from there, with its counts */
  place?: PassPlace
  /** told after each page whose objects all have a verdict, in order; never for the last one. What it throws ends the pass. */
  onPlace?: (place: PassPlace) => void | Promise<void>
  /** told at most four times a second */
  onProgress?: (progress: PassProgress) => void
  /** ends the pass once what is on its way has been answered */
  signal?: AbortSignal
  /**
   * Versions that will leave the definition: managedFields in them are renamed in the same write. Such an object counts as
   * rewritten even if it was current, so a pass that is to prove something runs without.
   */
  staleVersions?: readonly string[]
  /**
   * Versions that may be named otherwise in managedFields: renamed as well in an object that has to be rewritten by all that is
   * known, because the API server carries out such a write faster. One that is current stays unwritten.
   */
  renamableVersions?: readonly string[]
  /** asked before each write, such as whether the lock is still ours; what it throws ends the pass */
  before?: () => void | Promise<void>
  /** how long everything may fail before the pass ends; 120 unless told otherwise */
  outageSeconds?: number
  /** milliseconds since the epoch, never going back; injected in tests */
  now?: () => number
  /** calls back after so many milliseconds, gives what cancels it; injected in tests */
  after?: (milliseconds: number, act: () => void) => () => void
  /** from 0 to below 1, for the jitter of repeated requests; injected in tests */
  random?: () => number
}

export type StopReason = 'forbidden' | 'not-served' | 'unreadable' | 'outage' | 'refused'
