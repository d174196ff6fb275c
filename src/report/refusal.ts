/** Why a command did not do what was asked, for people: what happened, why, and the next thing to type. */

/** Kinds of refusal; `src/cli/exit-codes.ts` maps each to its exit code. */
export type RefusalKind =
  | 'usage'
  | 'failed'
  | 'blocked'
  | 'locked'
  | 'unfinished'
  | 'went-back'
  | 'cannot-go-back'
  | 'interrupted'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly kind: RefusalKind
  /** The reason, one or two sentences; undefined where the message says it all. */
  readonly why: string | undefined
  /** The next command to type, or what else to do. */
  readonly next: string | undefined
  /** For `-o json`: further values, never credentials. */
  readonly details: Record<string, unknown> | undefined

  constructor(
    kind: RefusalKind,
    message: string,
    options?: {
      why?: string | undefined
      next?: string | undefined
      details?: Record<string, unknown> | undefined
      cause?: unknown
    },
  ) {
    super(message, { cause: options?.cause })
    this.kind = kind
    this.why = options?.why
    this.next = options?.next
    this.details = options?.details
  }
}

/** What to do without the rights for a command that knows --print-rbac. */
export const askForRights =
  'ask for these rights (the same command with --print-rbac, run by somebody who may read all of it, prints them as YAML), or use another user with --context or --as'
