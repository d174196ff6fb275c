/** What a run leaves behind: enough to explain it, to go on from any step, and to go back. */
import type { PlanKind } from '../plan/plan.types.ts'

/** `running` is also what a killed process leaves; the lock tells whether somebody still works on it. */
export type RunState = 'running' | 'succeeded' | 'failed' | 'interrupted' | 'superseded'

export interface JournalEntry {
  at: string
  step: string
  /** `intent` is written before the act, `done` after it was verified */
  event: 'intent' | 'done' | 'failed' | 'interrupted'
  /** what was seen and done: values for people and for later steps, never secrets */
  detail?: Record<string, unknown>
}

/** The head of a run: small, kept in annotations, so that `history` reads metadata only. */
export interface RunSummary {
  number: number
  kind: PlanKind
  product: string
  from: string
  to: string
  state: RunState
  startedAt: string
  finishedAt?: string
  /** user@host of whoever started it */
  by: string
  planHash: string
  /** the run that a rollback or an abort went back from */
  undoes?: number
  /** the run that took its place before it was over; absent where it was closed before it changed anything */
  supersededBy?: number
  /** a storage version has moved: what runs before it cannot be gone back to from here */
  storageMoved?: true
  /** why it failed or stopped */
  reason?: string
}

export interface Journal {
  summary: RunSummary
  entries: JournalEntry[]
}
