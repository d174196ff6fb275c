/** How a step meets the cluster. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { StepKind, StepOf } from '../plan/plan.types.ts'

/** What a step may use. Its evidence goes to the journal; bigger values are kept beside it under a name. */
export interface StepContext {
  client: KubernetesClient
  /** number of the run: what it creates carries it as a label */
  run: number
  /** a file that the back-up is written to as well */
  backupFile?: string
  /** aborts on Ctrl-C and when the lock is lost */
  signal: AbortSignal
  now(): Date
  /** tells people what is being waited for */
  report(text: string): void
  keep(name: string, value: unknown): Promise<void>
  /** `exact`: integers beyond 2^53 stay as they were, for what is written again as a whole */
  kept<T>(name: string, options?: { exact?: boolean }): Promise<T | undefined>
}

/** Values for people and for the journal: small, and never secrets. */
export type Evidence = Record<string, unknown>

/**
 * Acts, then verifies, then says what it saw. Idempotent: it may have run before, whole or in part, and reaches the same
 * state again. Throws where the state was not reached.
 */
export type StepHandler<K extends StepKind> = (step: StepOf<K>, context: StepContext) => Promise<Evidence>

/** A step did not reach its state: why, for people. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}
