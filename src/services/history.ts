/** What was done to this installation: the recorded runs. */

import type { JournalEntry, RunSummary } from '../journal/journal.types.ts'
import { listRuns, openRun } from '../journal/records.ts'
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { isNotFound } from '../kubernetes/errors.ts'
import { Refusal } from '../report/refusal.ts'
import { type ClusterName, clusterOf } from './cluster-name.ts'

export interface HistoryReport {
  metadata: { time: string; cluster: ClusterName; recordNamespace: string }
  runs: RunSummary[]
  /** of one run, where a number was given */
  entries?: JournalEntry[]
}

/** The runs, newest first; with `number` just that one and every entry of its journal. Throws `usage` where there is none. */
export const history = async (options: {
  connection: ConnectionFlags
  recordNamespace: string
  number?: number | undefined
  now: Date
}): Promise<HistoryReport> => {
  const client = await connect(options.connection)
  try {
    return await read(client, options)
  } finally {
    await client.close()
  }
}

const read = async (
  client: KubernetesClient,
  options: { recordNamespace: string; number?: number | undefined; now: Date },
): Promise<HistoryReport> => {
  const metadata = {
    time: options.now.toISOString(),
    cluster: clusterOf(client),
    recordNamespace: options.recordNamespace,
  }
  if (options.number === undefined) return { metadata, runs: await listRuns(client, options.recordNamespace) }
  try {
    const journal = await openRun(client, options.recordNamespace, options.number)
    return { metadata, runs: [journal.summary], entries: [...journal.entries] }
  } catch (error) {
    throw isNotFound(error) ? noSuchRun(options.number, options.recordNamespace, error) : error
  }
}

/** Why a number leads nowhere. */
export const noSuchRun = (number: number, recordNamespace: string, cause: unknown): Refusal =>
  new Refusal('usage', `There is no run ${number} in the namespace ${recordNamespace}.`, {
    next: 'kubectl airunway history',
    cause,
  })
