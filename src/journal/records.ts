/**
 * The records of runs, kept as Secrets in a namespace of their own: not in the controller's, whose certificate rotator
 * caches every Secret of its namespace under a 128 MiB limit.
 *
 * One run `7` is: `run-7-plan-0…` (and what steps keep: `run-7-backup-0…`), and its journal `run-7`, which is created
 * last: a run exists from then on. Each write of the journal is conditional on the resourceVersion of the one before, so
 * a second process that believes it owns the run fails at its next write.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import { parseExact } from '../kubernetes/exact-json.ts'
import type { AnyObject, KubernetesObject, ObjectReference, Secret } from '../kubernetes/objects.ts'
import type { Plan } from '../plan/plan.types.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { Refusal } from '../report/refusal.ts'
import { damaged, fromChunks, toChunks } from './chunks.ts'
import type { Journal, JournalEntry, RunSummary } from './journal.types.ts'
import { isUnfinished } from './standing.ts'

/** The newest runs that are kept. */
export const RUNS_KEPT = 10

const RECORD_LABEL = 'cli.airunway.ai/record'
const SUMMARY_ANNOTATION = 'cli.airunway.ai/summary'

/** Somebody else wrote the journal since we last did: this process does not own the run any more. */
export class JournalLost extends Error {
  override readonly name = 'JournalLost'
}

const secretOf = (
  namespace: string,
  name: string,
  labels: Record<string, string>,
  data: Record<string, string>,
): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'kubectl-airunway', ...labels } },
  type: 'airunway.ai/run-record',
  data,
})

const journalReference = (namespace: string, number: number): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace,
  name: `run-${number}`,
})

/** Entries hold values, never lists of objects, so a journal fits one Secret; more than that is a defect. */
const journalData = (journal: Journal): string => {
  const [chunk, ...rest] = toChunks(journal)
  if (chunk === undefined || rest.length > 0) throw new Error('The journal of a run must fit one Secret.')
  return chunk
}

/** The journal of one run, open for writing. */
export class OpenJournal {
  readonly #client: KubernetesClient
  readonly #namespace: string
  #journal: Journal
  #secret: Secret
  /** what this process has kept so far: a value that is kept often costs one request each time */
  readonly #kept: KnownVersions = new Map()

  constructor(client: KubernetesClient, namespace: string, journal: Journal, secret: Secret) {
    this.#client = client
    this.#namespace = namespace
    this.#journal = journal
    this.#secret = secret
  }

  get summary(): RunSummary {
    return this.#journal.summary
  }

  get entries(): readonly JournalEntry[] {
    return this.#journal.entries
  }

  /** Ids of the steps that are done. */
  done(): Set<string> {
    return new Set(this.#journal.entries.filter((entry) => entry.event === 'done').map((entry) => entry.step))
  }

  /** Appends an entry. Throws JournalLost if another process wrote in between. */
  async append(entry: JournalEntry, summary?: Partial<RunSummary>): Promise<void> {
    await this.#write({ summary: this.#changed(summary), entries: [...this.#journal.entries, entry] })
  }

  /** Changes the head of the run only. */
  async settle(summary: Partial<RunSummary>): Promise<void> {
    await this.#write({ ...this.#journal, summary: this.#changed(summary) })
  }

  /** Why it once stopped is no news of a run that goes on, or has succeeded. */
  #changed(summary: Partial<RunSummary> = {}): RunSummary {
    const { reason, ...kept } = this.#journal.summary
    const isOver = reason === undefined || summary.state === 'succeeded' || summary.state === 'running'
    return { ...(isOver ? kept : { ...kept, reason }), ...summary }
  }

  async #write(journal: Journal): Promise<void> {
    const next: Secret = {
      ...this.#secret,
      metadata: {
        ...this.#secret.metadata,
        annotations: { ...this.#secret.metadata.annotations, [SUMMARY_ANNOTATION]: JSON.stringify(journal.summary) },
      },
      data: { journal: journalData(journal) },
    }
    try {
      this.#secret = await this.#client.replace(next)
    } catch (error) {
      // The answer may have been lost, not the write: then what is stored is what we wanted to store.
      const stored = await this.#client
        .get<Secret>(journalReference(this.#namespace, journal.summary.number))
        .catch(() => undefined)
      if (stored?.data?.['journal'] === next.data?.['journal'] && stored !== undefined) this.#secret = stored
      else if (isConflict(error) && stored !== undefined)
        throw new JournalLost(
          `Run ${journal.summary.number} is being carried on by another process; this one has stopped.`,
        )
      else throw error
    }
    this.#journal = journal
  }

  /** Saves a value that later steps, or the way back, need. Saving the same name again replaces it. */
  async keep(name: string, value: unknown): Promise<void> {
    await keepChunks(this.#client, this.#namespace, this.summary.number, { name, value, known: this.#kept })
  }

  /** A value that `keep` saved in this run, or undefined. */
  async kept<T>(name: string, options?: KeptOptions): Promise<T | undefined> {
    return readKept<T>(this.#client, this.#namespace, this.summary.number, name, options)
  }
}

/** Of Secrets, by name: what this process has written last. Not their data: back-ups are large. */
type KnownVersions = Map<string, Pick<Secret, 'metadata'>>

const keepChunks = async (
  client: KubernetesClient,
  namespace: string,
  number: number,
  { name, value, known = new Map() }: { name: string; value: unknown; known?: KnownVersions },
): Promise<void> => {
  const chunks = toChunks(value)
  for (const [index, chunk] of chunks.entries()) {
    const secret = secretOf(
      namespace,
      partName(number, name, index),
      { [RUN_LABEL]: String(number), [RECORD_LABEL]: name },
      { chunk, of: Buffer.from(String(chunks.length)).toString('base64') },
    )
    const { metadata } = await keepOne(client, secret, known.get(secret.metadata.name))
    known.set(secret.metadata.name, { metadata })
  }
}

const keepOne = async (
  client: KubernetesClient,
  secret: Secret,
  known: Pick<Secret, 'metadata'> | undefined,
): Promise<Secret> => {
  const over = async (live: Pick<Secret, 'metadata'>): Promise<Secret> =>
    client.replace({ ...secret, metadata: { ...secret.metadata, ...versionOf(live) } })
  try {
    return known === undefined ? await client.create(secret) : await over(known)
  } catch (error) {
    if (known !== undefined && isNotFound(error)) return client.create(secret)
    // A step that runs again after a crash saves again: what is there is from before the crash.
    if (!isConflict(error)) throw error
    const { name, namespace } = secret.metadata
    return over(await client.get<Secret>({ apiVersion: 'v1', kind: 'Secret', name, ...(namespace && { namespace }) }))
  }
}

/** Of the object that was read: a write or a deletion of any other version of it, or of another one of its name, fails (409). */
const versionOf = ({ metadata: { uid, resourceVersion } }: Pick<KubernetesObject, 'metadata'>): Version => ({
  ...(uid !== undefined && { uid }),
  ...(resourceVersion !== undefined && { resourceVersion }),
})

interface Version {
  uid?: string
  resourceVersion?: string
}

export interface KeptOptions {
  /** integers beyond 2^53 stay as they were kept, see `parseExact`: for what is written again as a whole */
  exact?: boolean
}

/**
 * A value that a run kept under `name`. Undefined where there is none, or where not all its parts are there: a process
 * that died while it saved them had not finished that step.
 */
export const readKept = async <T>(
  client: KubernetesClient,
  namespace: string,
  number: number,
  name: string,
  { exact = false }: KeptOptions = {},
): Promise<T | undefined> => {
  const secrets = await client.list<Secret>({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    labelSelector: `${RUN_LABEL}=${number},${RECORD_LABEL}=${name}`,
  })
  const parts = new Map(secrets.map(({ metadata, data }) => [metadata.name, data ?? {}]))
  const wanted = Number(Buffer.from(parts.get(partName(number, name, 0))?.['of'] ?? '', 'base64').toString())
  const chunks = Array.from({ length: wanted }, (_, index) => parts.get(partName(number, name, index))?.['chunk'])
  const complete = chunks.filter((chunk) => chunk !== undefined)
  const isWhole = wanted > 0 && complete.length === wanted
  if (!isWhole) return undefined
  return fromChunks<T>(complete, `run-${number}-${name}`, exact ? parseExact : undefined)
}

const partName = (number: number, name: string, index: number): string => `run-${number}-${name}-${index}`

const summaryOf = (text: string, name: string): RunSummary => {
  try {
    return JSON.parse(text) as RunSummary
  } catch (cause) {
    throw damaged(name, cause)
  }
}

/** Heads of all recorded runs, newest first. Reads metadata only; none where the namespace does not exist. */
export const listRuns = async (client: KubernetesClient, namespace: string): Promise<RunSummary[]> => {
  const runs: RunSummary[] = []
  const pages = client.metadataPages({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    labelSelector: `${RECORD_LABEL}=journal`,
  })
  for await (const page of pages)
    for (const item of page.items) {
      const text = item.metadata.annotations?.[SUMMARY_ANNOTATION]
      if (text !== undefined) runs.push(summaryOf(text, item.metadata.name))
    }
  return runs.toSorted((a, b) => b.number - a.number)
}

/** The namespace of the records, created by the first run. */
export const ensureRecordNamespace = async (client: KubernetesClient, namespace: string): Promise<void> => {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace }
  const live = await client.find(ref)
  if (live?.metadata.deletionTimestamp !== undefined)
    throw new Refusal(
      'failed',
      `The namespace ${namespace} is being deleted by somebody, and the records of all runs with it.`,
      {
        why: 'Nothing can be recorded in it, and without records nothing is changed.',
        next: `kubectl get namespace ${namespace}; try again when it is gone`,
      },
    )
  if (live !== undefined) return
  const created: AnyObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'app.kubernetes.io/managed-by': 'kubectl-airunway' } },
  }
  try {
    await client.create(created)
  } catch (error) {
    if (!isConflict(error)) throw error
  }
}

/** Begins a run: its plan first, its journal last. Throws ApiError (409) where the number was taken meanwhile. */
export const beginRun = async (
  client: KubernetesClient,
  namespace: string,
  plan: Plan,
  head: { by: string; now: Date; undoes?: number },
): Promise<OpenJournal> => {
  const number = ((await listRuns(client, namespace))[0]?.number ?? 0) + 1
  // Left by a process that died before its journal, or by somebody who deleted a journal: a back-up of another run.
  await removeRecords(client, namespace, number)
  await keepChunks(client, namespace, number, { name: 'plan', value: plan })
  const summary: RunSummary = {
    number,
    kind: plan.kind,
    product: plan.product,
    from: plan.from,
    to: plan.to,
    state: 'running',
    startedAt: head.now.toISOString(),
    by: head.by,
    planHash: plan.hash,
    ...(head.undoes === undefined ? {} : { undoes: head.undoes }),
  }
  const journal: Journal = { summary, entries: [] }
  const secret = secretOf(
    namespace,
    `run-${number}`,
    { [RUN_LABEL]: String(number), [RECORD_LABEL]: 'journal' },
    { journal: journalData(journal) },
  )
  secret.metadata.annotations = { [SUMMARY_ANNOTATION]: JSON.stringify(summary) }
  return new OpenJournal(client, namespace, journal, await client.create(secret))
}

/** Opens the journal of a run that exists. */
export const openRun = async (client: KubernetesClient, namespace: string, number: number): Promise<OpenJournal> => {
  const secret = await client.get<Secret>(journalReference(namespace, number))
  const journal = fromChunks<Journal>([secret.data?.['journal'] ?? ''], `run-${number}`)
  return new OpenJournal(client, namespace, journal, secret)
}

/** The plan that a run recorded before it began. */
export const planOf = async (client: KubernetesClient, namespace: string, number: number): Promise<Plan> => {
  const plan = await readKept<Plan>(client, namespace, number, 'plan')
  if (plan === undefined) throw new Error(`Run ${number} has no recorded plan.`)
  return plan
}

/** Removes the records of runs beyond the newest ten. Unfinished ones are never removed. */
export const pruneRuns = async (client: KubernetesClient, namespace: string): Promise<number[]> => {
  const old = (await listRuns(client, namespace)).slice(RUNS_KEPT).filter((run) => !isUnfinished(run))
  for (const run of old) await removeRecords(client, namespace, run.number)
  return old.map((run) => run.number)
}

/** The journal goes last: as long as it is there, the rest is found again. */
const removeRecords = async (client: KubernetesClient, namespace: string, number: number): Promise<void> => {
  const secrets: KubernetesObject[] = []
  const pages = client.metadataPages({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    labelSelector: `${RUN_LABEL}=${number}`,
  })
  for await (const page of pages) secrets.push(...page.items)
  const isJournal = ({ metadata }: KubernetesObject): boolean => metadata.labels?.[RECORD_LABEL] === 'journal'
  for (const secret of secrets.toSorted((a, b) => Number(isJournal(a)) - Number(isJournal(b))))
    await client
      .delete(
        { apiVersion: 'v1', kind: 'Secret', namespace, name: secret.metadata.name },
        { preconditions: versionOf(secret) },
      )
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
}
