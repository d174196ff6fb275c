/** The verb `preflight`: looks at the cluster, and at a release where one is named, and judges. Changes nothing. */
import type { ConnectionFlags } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { parseAcceptances } from '../preflight/acceptances.ts'
import type { TypedWords } from '../preflight/check.types.ts'
import { checkIds } from '../preflight/checks.ts'
import { readCompatibilityFile } from '../preflight/compatibility-sources.ts'
import { makeReport } from '../preflight/make-report.ts'
import { releaseVersion } from '../releases/versions.ts'
import { documentOf, type ReportDocument } from '../report/documents.ts'
import type { Progress } from '../report/progress.ts'
import { clusterOf } from './cluster-name.ts'
import { look } from './look.ts'

export interface PreflightOptions {
  connection: ConnectionFlags
  /** version to go to; without it only what runs now is looked at */
  to?: string | undefined
  /** folder, file or address of the release */
  source?: string | undefined
  /** folder of releases, one folder a version (AIRUNWAY_RELEASES) */
  releases?: string | undefined
  /** file with compatibility rows that go before all others */
  compatibility?: string | undefined
  /** `ID=reason`, each */
  accept?: readonly string[] | undefined
  /** what the commands named in the report carry on */
  typed?: TypedWords | undefined
  now: Date
  /** the date that support tables are read by */
  today: Date
  progress: Progress
  signal?: AbortSignal | undefined
}

/**
 * Gives the report. Input is judged before the cluster is asked.
 * Throws Refusal `usage` for acceptances and files, ReleaseError for the release, ApiError, ConnectionError and
 * ConfigurationError for the cluster.
 */
export async function preflight(options: PreflightOptions): Promise<ReportDocument<'PreflightReport'>> {
  const acceptances = parseAcceptances(options.accept ?? [], checkIds())
  if (options.to !== undefined) releaseVersion(options.to)
  const { compatibility: path } = options
  const compatibility = path === undefined ? undefined : await readCompatibilityFile(path)
  const client = await connect(options.connection)
  try {
    const context = await look(client, { ...options, compatibility })
    return documentOf('PreflightReport', makeReport(context, { cluster: clusterOf(client), acceptances }))
  } finally {
    await client.close()
  }
}
