/** From what the checks found to the report. Pure. */
import type { Inventory } from '../installation/inventory.types.ts'
import { type Acceptance, applyAcceptances } from './acceptances.ts'
import type { CheckContext } from './check.types.ts'
import type { Finding } from './finding.types.ts'
import { upgradeCommand } from './own-command.ts'
import type { CheckOutcome, PreflightReport } from './report.types.ts'
import { type CheckResult, runChecks, sortFindings } from './run-checks.ts'
import { productInQuestion, runningVersion, runsAlready } from './subject.ts'
import { couldRead } from './unread.ts'
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
  const verdict = verdictOf(open)
  const goesOn = release && verdict !== 'blocked' && !runsAlready(context)
  return {
    metadata: { time: context.now.toISOString(), cluster: clusterOf(options.cluster, inventory.server.gitVersion) },
    ...(product !== undefined && { product }),
    ...(from !== undefined && { from }),
    ...(release && { to: { version: release.version, source: release.source, digest: release.digest } }),
    verdict,
    ...(goesOn && { next: upgradeCommand(context, release.version) }),
    counts: { ...countOf(open), accepted: accepted.length },
    checks: results.map((result) => outcomeOf(result, new Set(open), inventory)),
    findings: open,
    accepted,
    unused,
  }
}

function clusterOf({ context, server, user }: ClusterName, kubernetes: string): PreflightReport['metadata']['cluster'] {
  return { ...(context !== undefined && { context }), server, ...(user !== undefined && { user }), kubernetes }
}

function outcomeOf(
  { check, skipped, findings }: CheckResult,
  open: ReadonlySet<Finding>,
  inventory: Inventory,
): CheckOutcome {
  const severities = new Set(findings.filter((finding) => open.has(finding)).map(({ severity }) => severity))
  const worst = (['error', 'warning'] as const).find((severity) => severities.has(severity))
  const { group, title, ids, reads } = check
  const status = () => {
    if (skipped) return 'skipped'
    if (worst) return worst
    if (!reads.every((reading) => couldRead(inventory, reading))) return 'unknown'
    return severities.has('info') ? 'info' : 'passed'
  }
  return { group, title, ids: [...ids], status: status() }
}
