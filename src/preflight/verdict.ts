import type { Finding, Severity } from './finding.types.ts'
import type { Verdict } from './report.types.ts'

/** The verdict over findings that are not accepted: any error blocks, else any warning warns. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some((finding) => finding.severity === 'error')) return 'blocked'
  return findings.some((finding) => finding.severity === 'warning') ? 'warnings' : 'passed'
}

/** How many findings there are of each severity. */
export function countOf(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { error: 0, warning: 0, info: 0 }
  for (const { severity } of findings) counts[severity] += 1
  return counts
}
