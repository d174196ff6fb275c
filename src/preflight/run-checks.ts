/** Runs every check before anything is decided. */
import type { Check, CheckContext, ReleaseContext } from './check.types.ts'
import { checks as allChecks } from './checks.ts'
import type { Finding, Severity } from './finding.types.ts'

/** A check and what it found; `skipped` where it needs a release and none was named. */
export interface CheckResult {
  check: Check
  skipped: boolean
  findings: Finding[]
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, info: 2 }

/** Runs all checks over one context. A check that throws is a defect and is let through. */
export function runChecks(context: CheckContext, checks: readonly Check[] = allChecks): CheckResult[] {
  return checks.map((check) => {
    if (check.needs === 'cluster') return { check, skipped: false, findings: check.run(context) }
    if (!hasRelease(context)) return { check, skipped: true, findings: [] }
    return { check, skipped: false, findings: check.run(context) }
  })
}

/** Errors first, then by ID, object and evidence: the same findings always come in the same order. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity] || compare(sortKey(a), sortKey(b)))
}

function sortKey(finding: Finding): string {
  const { object } = finding
  return [finding.id, object?.kind, object?.namespace, object?.name, finding.evidenceHash].join('\u0000')
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function hasRelease(context: CheckContext): context is ReleaseContext {
  return context.release !== undefined
}
