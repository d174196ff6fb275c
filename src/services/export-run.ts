/** One run as a document of its own: what it was, what was planned, what was done, and what was there before. */
import type { Backup } from '../backup/backup.types.ts'
import { writeNewFile } from '../backup/file.ts'
import type { JournalEntry, RunSummary } from '../journal/journal.types.ts'
import { openRun, planOf, readKept } from '../journal/records.ts'
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import { connect } from '../kubernetes/connect.ts'
import { isNotFound } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import type { LostValue } from '../migration/survey.types.ts'
import type { Plan } from '../plan/plan.types.ts'
import { BACKUP } from '../steps/back-up.ts'
import { lostName } from '../steps/check-migration.ts'
import { firstName } from '../steps/first-objects.ts'
import { type ClusterName, clusterOf } from './cluster-name.ts'
import { noSuchRun } from './history.ts'

export interface RunRecord {
  metadata: { time: string; cluster: ClusterName; recordNamespace: string }
  summary: RunSummary
  plan: Plan
  entries: JournalEntry[]
  /** absent where the run stopped before it was taken */
  backup?: Backup
  /** what an upgrade gave up by consent, as it was right before it went: later than the back-up */
  lost?: LostOfDefinition[]
  /** objects that were rewritten before all others, to see what their conversion webhook brings back, as they were */
  first?: { definition: string; objects: AnyObject[] }[]
}

interface LostOfDefinition {
  definition: string
  values: LostValue[]
}

/** What was written where. */
export interface RunExport {
  metadata: { time: string; cluster: ClusterName; recordNamespace: string }
  run: number
  file: string
  bytes: number
}

export interface ExportOptions {
  connection: ConnectionFlags
  recordNamespace: string
  number: number
  now: Date
}

/** Reads all records of a run. Throws `usage` where there is none, `failed` where a record is damaged. */
export const readRun = async (options: ExportOptions): Promise<RunRecord> => {
  const { recordNamespace, number, now } = options
  const client = await connect(options.connection)
  try {
    const journal = await openRun(client, recordNamespace, number).catch((error: unknown) => {
      throw isNotFound(error) ? noSuchRun(number, recordNamespace, error) : error
    })
    const [plan, backup] = await Promise.all([
      planOf(client, recordNamespace, number),
      readKept<Backup>(client, recordNamespace, number, BACKUP, { exact: true }),
    ])
    const lost = await lostIn(client, options, plan)
    const first = await firstIn(client, options, plan)
    return {
      metadata: { time: now.toISOString(), cluster: clusterOf(client), recordNamespace },
      summary: journal.summary,
      plan,
      entries: [...journal.entries],
      ...(backup === undefined ? {} : { backup }),
      ...(lost.length === 0 ? {} : { lost }),
      ...(first.length === 0 ? {} : { first }),
    }
  } finally {
    await client.close()
  }
}

const lostIn = async (
  client: KubernetesClient,
  { recordNamespace, number }: ExportOptions,
  { steps }: Plan,
): Promise<LostOfDefinition[]> => {
  const lost: LostOfDefinition[] = []
  for (const step of steps) {
    if (step.kind !== 'check-migration') continue
    const { definition } = step
    const values = await readKept<LostValue[]>(client, recordNamespace, number, lostName(definition), {
      exact: true,
    })
    if (values !== undefined) lost.push({ definition, values })
  }
  return lost
}

const firstIn = async (
  client: KubernetesClient,
  { recordNamespace, number }: ExportOptions,
  { steps }: Plan,
): Promise<NonNullable<RunRecord['first']>> => {
  const first: NonNullable<RunRecord['first']> = []
  for (const step of steps) {
    if (step.kind !== 'migrate') continue
    const { definition } = step
    const name = firstName(definition)
    const objects = await readKept<AnyObject[]>(client, recordNamespace, number, name, { exact: true })
    if (objects !== undefined) first.push({ definition, objects })
  }
  return first
}

/** Writes the text of a run's record to a new file. Throws Refusal: `usage` where it exists, `failed` where it cannot be written. */
export const exportRun = async (record: RunRecord, file: string, text: string): Promise<RunExport> => ({
  metadata: record.metadata,
  run: record.summary.number,
  file,
  bytes: await writeNewFile(file, text),
})
