/** What `preflight` gives: every check with its outcome, every finding, and the verdict. */
import type { CheckGroup } from './check.types.ts'
import type { Finding } from './finding.types.ts'

/** `passed`: nothing but information; `warnings`: nothing worse than warnings; `blocked`: at least one error. */
export type Verdict = 'passed' | 'warnings' | 'blocked'

export interface CheckOutcome {
  group: CheckGroup
  title: string
  ids: string[]
  /**
   * the worst of its findings that is not accepted; `unknown` where it found nothing wrong in what could not all be read;
   * `skipped` where it needs a release and none was named
   */
  status: 'passed' | 'info' | 'warning' | 'error' | 'unknown' | 'skipped'
}

export interface AcceptedFinding {
  reason: string
  finding: Finding
}

export interface PreflightReport {
  metadata: {
    /** when the cluster was read, RFC 3339 */
    time: string
    cluster: { context?: string; server: string; user?: string; kubernetes: string }
  }
  /** absent where no installation was found and no release named */
  product?: string
  /** version that runs; absent where it is not known */
  from?: string
  /** the release looked at; absent without `--to` */
  to?: { version: string; source: string; digest: string }
  verdict: Verdict
  /** the command to type next, whole; absent where it is blocked, where nothing is to be done, and without `--to` */
  next?: string
  counts: { error: number; warning: number; info: number; accepted: number }
  checks: CheckOutcome[]
  findings: Finding[]
  accepted: AcceptedFinding[]
  /** acceptances for which there was nothing to accept */
  unused: { id: string; reason: string }[]
}
