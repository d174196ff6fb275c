/** Kills a run at one of its writes, goes on, and compares what comes of it with what comes of a run that nobody disturbs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunSummary } from '../../src/journal/journal.types.ts'
import { listRuns } from '../../src/journal/records.ts'
import { isUnfinished } from '../../src/journal/standing.ts'
import type { Lease } from '../../src/kubernetes/objects.ts'
import { silentProgress } from '../../src/report/progress.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { abort } from '../../src/services/abort.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import { type ClusterDump, differences, dumpCluster } from '../support/cluster-dump.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { settled } from '../support/settled.ts'
import { type Case, nameOf } from './cases.ts'
import { type Ended, REQUEST_LIMIT_MS, runUntilKilled } from './killed-run.ts'
import { RECORDS, type Undisturbed } from './undisturbed.ts'

/** A settled cluster may still have an event on its way: so long it may take to become what is expected. */
const CONVERGENCE_MS = 15_000

/** Throws Error with all that is needed to see what went wrong, and the command that does just this again. */
export async function runCase(one: Case, undisturbed: Undisturbed, cluster: ControlPlane): Promise<void> {
  await settled(cluster.client)
  const known = await runsOf(cluster)
  const ended = await runUntilKilled(cluster, one, one)
  await letLockExpire(cluster)
  const run = (await runsOf(cluster)).find(({ number }) => number > (known[0]?.number ?? 0))
  try {
    const expected = await goOn(one, run, cluster, undisturbed)
    await becomes(expected, cluster)
    const left = (await runsOf(cluster)).find(isUnfinished)
    if (left !== undefined) throw new Error(`run ${left.number} is still ${left.state}`)
  } catch (error) {
    throw told(one, ended, run, error)
  }
}

export const runsOf = async (cluster: ControlPlane): Promise<RunSummary[]> => listRuns(cluster.client, RECORDS)

interface Expected {
  name: string
  objects: Record<string, unknown>
  /** schemas may be as they were before or after: what a run has added to one may stay */
  schemas: ClusterDump['schemas'][]
}

export const exactly = (name: string, dump: ClusterDump): Expected => ({
  name,
  objects: dump.objects,
  schemas: [dump.schemas],
})

/** Carries the way on out, and says what has to come of it. */
const goOn = async (
  { kind, way }: Case,
  run: RunSummary | undefined,
  cluster: ControlPlane,
  { before, after }: Undisturbed,
): Promise<Expected> => {
  const back = { ...exactly('before', before), schemas: [before.schemas, after.schemas] }
  const service = way === 'resume' ? resume : abort
  if (run === undefined || !isUnfinished(run)) {
    // Nothing was begun, or all was done: there is nothing to go on with, and that has to be said.
    const refused = await refusalOf(service(requestOf(cluster), { dryRun: false }))
    if (refused.kind !== 'usage') throw new Error(`the ${way} was refused as ${refused.kind}`, { cause: refused })
    if (run === undefined) return exactly('before', before)
    if (way === 'resume' || kind === 'rollback') return exactly('after', after)
    await rollback(requestOf(cluster), { dryRun: false })
    return back
  }
  try {
    await service(requestOf(cluster), { dryRun: false })
  } catch (error) {
    if (!closed(error, await runsOf(cluster))) throw error
  }
  return way === 'resume' ? exactly('after', after) : back
}

/** A run that has changed nothing is closed, and then there is no way to go: that is an end as well. */
const closed = (error: unknown, runs: RunSummary[]): boolean =>
  error instanceof Refusal && error.kind === 'cannot-go-back' && !runs.some(isUnfinished)

export const requestOf = (cluster: ControlPlane): ChangeRequest => ({
  connection: { kubeconfig: cluster.kubeconfig },
  recordNamespace: RECORDS,
  now: () => new Date(),
  today: new Date('2026-11-22'),
  progress: silentProgress,
  signal: new AbortController().signal,
  confirm: async () => true,
  requestLimitMs: REQUEST_LIMIT_MS,
})

/** The dead do not renew their lock: what a minute of waiting would come to is written into it. */
export const letLockExpire = async ({ client }: ControlPlane): Promise<void> => {
  const lock = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: RECORDS, name: 'run-lock' }
  const lease = await client.find<Lease>(lock)
  if (!lease?.spec?.holderIdentity) return
  const renewTime = new Date(Date.now() - 60_000).toISOString().replace('Z', '000Z')
  await client.patch(lock, { spec: { renewTime } }, { type: 'merge' })
}

export const refusalOf = async (work: Promise<unknown>): Promise<Refusal> => {
  const error = await work.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof Refusal) return error
  throw error
}

/** Waits until nothing differs any more. Throws Error with what still does. */
export const becomes = async (expected: Expected, cluster: ControlPlane): Promise<void> => {
  await settled(cluster.client)
  const end = performance.now() + CONVERGENCE_MS
  for (;;) {
    const now = await dumpCluster(cluster.client, { without: [RECORDS] })
    const lines = [...differences(expected.objects, now.objects), ...strangeSchemas(expected.schemas, now.schemas)]
    if (lines.length === 0) return
    if (performance.now() > end)
      throw new Error(
        `the cluster is not as ${expected.name} the undisturbed run:\n  ${lines.slice(0, 40).join('\n  ')}`,
      )
    await sleep(200)
  }
}

/** Schemas that are none of the expected ones. */
const strangeSchemas = (expected: ClusterDump['schemas'][], schemas: ClusterDump['schemas']): string[] =>
  Object.entries(schemas).flatMap(([name, schema]) => {
    const found = expected.map((all) => differences({ [name]: all[name] }, { [name]: schema }))
    return found.some((lines) => lines.length === 0) ? [] : (found[0] ?? [])
  })

const told = (one: Case, { killedAt, writes }: Ended, run: RunSummary | undefined, error: unknown): Error => {
  const at = killedAt ?? writes.at(-1)
  const request = at === undefined ? 'no write' : `${at.method} ${at.path}`
  const lines = [
    `${nameOf(one)}: the ${one.kind} by ${one.tier} ${killedAt === undefined ? 'ended by itself' : `was killed ${one.when} write ${one.write}`} (${request}), then ${one.way}.`,
    run === undefined ? 'It had no record.' : `Its record then: run ${run.number}, ${run.state}.`,
    error instanceof Refusal
      ? [error.kind, error.message, error.why, error.next].filter(Boolean).join(' | ')
      : error instanceof Error
        ? error.message
        : String(error),
    `Again: TORTURE_CASE=${nameOf(one)} npm run test:torture`,
  ]
  return new Error(lines.join('\n'), { cause: error })
}
