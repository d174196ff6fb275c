/** From what the checks found to the report. Pure. */
import { type Acceptance, applyAcceptances } from './acceptances.ts'
import type { CheckContext } from './check.types.ts'
import type { Finding } from './finding.types.ts'
import type { CheckOutcome, PreflightReport } from './report.types.ts'
import { type CheckResult, runChecks, sortFindings } from './run-checks.ts'
import { productInQuestion, runningVersion } from './subject.ts'
import { countOf, verdictOf } from './verdict.ts'

/** Whose cluster it is, for the header. Never credentials. */
export interface ClusterName {
  context?: string | undefined
  server: string
  user?: string | undefined
}

/**
 * Runs every check, sets the accepted findings apart, and gives the verdict over the rest.
 * Throws a `usage` Refusal where an acceptance meets a finding that cannot be accepted.
 */
export function makeReport(
  context: CheckContext,
  options: { cluster: ClusterName; acceptances?: readonly Acceptance[] },
): PreflightReport {
  const results = runChecks(context)
  const all = sortFindings(results.flatMap(({ findings }) => findings))
  const { open, accepted, unused } = applyAcceptances(all, options.acceptances ?? [])
  const { release, inventory } = context
  const product = productInQuestion(context)?.name
  const from = runningVersion(inventory)
  return {
    metadata: { time: context.now.toISOString(), cluster: clusterOf(options.cluster, inventory.server.gitVersion) },
    ...(product !== undefined && { product }),
    ...(from !== undefined && { from }),
    ...(release && { to: { version: release.version, source: release.source, digest: release.digest } }),
    verdict: verdictOf(open),
    counts: { ...countOf(open), accepted: accepted.length },
    checks: results.map((result) => outcomeOf(result, new Set(open))),
    findings: open,
    accepted,
    unused,
  }
}

function clusterOf({ context, server, user }: ClusterName, kubernetes: string): PreflightReport['metadata']['cluster'] {
  return { ...(context !== undefined && { context }), server, ...(user !== undefined && { user }), kubernetes }
}

function outcomeOf({ check, skipped, findings }: CheckResult, open: ReadonlySet<Finding>): CheckOutcome {
  const severities = new Set(findings.filter((finding) => open.has(finding)).map(({ severity }) => severity))
  const worst = (['error', 'warning', 'info'] as const).find((severity) => severities.has(severity))
  const { group, title, ids } = check
  return { group, title, ids: [...ids], status: skipped ? 'skipped' : (worst ?? 'passed') }
}
