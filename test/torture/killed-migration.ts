/**
 * A migration that is killed at one of its writes and gone on with, held to what an undisturbed one comes to. Each case moves
 * the objects of one definition from the one version to the other: the next case moves them back, so they are made once.
 */
import { listRuns, readKept } from '../../src/journal/records.ts'
import { isUnfinished } from '../../src/journal/standing.ts'
import type { AnyObject, Lease } from '../../src/kubernetes/objects.ts'
import type { MigrationCheckpoint } from '../../src/migration/migration.types.ts'
import { resume } from '../../src/services/resume.ts'
import type { ChangeResult, RunReport } from '../../src/services/run-report.types.ts'
import { wordOf } from '../../src/steps/flip-storage.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { type StoredObject, storedObjects } from '../support/etcd-bytes.ts'
import { usual } from '../support/migrate-stories.ts'
import { group, type MovingKind } from '../support/migrating.ts'
import type { Write } from '../support/write-proxy.ts'
import { type Ended, runUntilKilled } from './killed-run.ts'
import {
  isFlip,
  isObjectWrite,
  isTrim,
  type Moved,
  numberAt,
  type Part,
  type Point,
  partsOf,
} from './migration-points.ts'
import { letLockExpire, refusalOf, requestOf, runsOf } from './run-case.ts'
import { RECORDS } from './undisturbed.ts'

/** Where the objects are, and how many. */
export interface Stage {
  cluster: ControlPlane
  kind: MovingKind
  objects: number
}

/** A migration from here on: where to, and what is stored before. */
export interface Begun extends Stage {
  from: string
  to: string
  /** of the newest run before */
  known: number
  before: Map<string, StoredObject>
}

/** Nothing is wrong with the objects that a story begins with. */
export async function begin(stage: Stage): Promise<Begun> {
  const { cluster, kind, objects } = stage
  const live = await kind.read()
  const from = live.spec.versions.find(({ storage }) => storage)?.name ?? ''
  const stored = await kind.stored()
  if (stored[from] !== objects || (await runsOf(cluster)).some(isUnfinished))
    throw new Error(`the case before has not ended: ${from} is the storage version of ${JSON.stringify(stored)}`)
  return {
    ...stage,
    from,
    to: from === 'v1alpha1' ? 'v1beta1' : 'v1alpha1',
    known: (await runsOf(cluster))[0]?.number ?? 0,
    before: await storedObjects(cluster.etcdUrl, kind.prefix),
  }
}

/** Moves the objects; killed at the point, where one is given. */
export async function migrateUntilKilled(
  { cluster, kind, objects, to }: Begun,
  kill?: { point: Point; sizes: ReadonlyMap<Part, number> },
): Promise<Ended> {
  const run = {
    kind: 'migrate',
    // One API server: what it has answered after the flip is stored as the flip says.
    migrate: { ...usual, names: [kind.name], storage: { [kind.name]: to }, lateWriteSeconds: 0 },
  } as const
  if (kill === undefined) return runUntilKilled(cluster, run)
  const tell = partsOf({ definition: kind.name, objects })
  const wanted = numberAt(kill.point, kill.sizes)
  const isThere = (write: Write): boolean => {
    const { part, number } = tell(write)
    return part === kill.point.part && number === wanted
  }
  const ended = await runUntilKilled(cluster, run, { write: isThere, when: kill.point.when })
  if (ended.killedAt === undefined)
    throw new Error(`it has ended before write ${wanted} of its part "${kill.point.part}"`)
  await letLockExpire(cluster)
  return ended
}

/** What the killed process has left. */
export interface Left {
  /** undefined where it had no record yet */
  run: { number: number; unfinished: boolean } | undefined
  checkpoint: MigrationCheckpoint | undefined
  storedVersions: string[]
}

export async function leftOf({ cluster, kind, known }: Begun): Promise<Left> {
  const storedVersions = await kind.storedVersions()
  const run = (await listRuns(cluster.client, RECORDS)).find(({ number }) => number > known)
  if (run === undefined) return { run: undefined, checkpoint: undefined, storedVersions }
  const name = `checkpoint-${wordOf(kind.name)}`
  const checkpoint = await readKept<MigrationCheckpoint>(cluster.client, RECORDS, run.number, name)
  return { run: { number: run.number, unfinished: isUnfinished(run) }, checkpoint, storedVersions }
}

/** What went on with it: the writes of that process, and its report. Undefined where all was done already. */
export type WentOn = { writes: readonly Write[]; report: RunReport } | undefined

/** Resumes it, or begins it again where nothing of it is recorded. */
export async function goOn(begun: Begun, left: Left): Promise<WentOn> {
  if (left.run?.unfinished === false) {
    const refused = await refusalOf(resume(requestOf(begun.cluster), { dryRun: false }))
    if (refused.kind !== 'usage') throw new Error(`the resume was refused as ${refused.kind}`, { cause: refused })
    return undefined
  }
  const { writes, output } =
    left.run === undefined ? await migrateUntilKilled(begun) : await runUntilKilled(begun.cluster, { kind: 'resume' })
  const { result } = JSON.parse(output) as { result: ChangeResult }
  if (result.outcome !== 'ran') throw new Error(`it came to ${result.outcome}`)
  return { writes, report: result.report }
}

/** So many writes may have been on their way when it was killed. */
const IN_FLIGHT = usual.maxInFlight

/** Kills it, goes on with it, and tells everything that is not as it has to be then; the empty text where all is. */
export async function runKill(stage: Stage, point: Point, sizes: ReadonlyMap<Part, number>): Promise<string> {
  const begun = await begin(stage)
  const { killedAt, writes } = await migrateUntilKilled(begun, { point, sizes })
  const left = await leftOf(begun)
  // Only what the kill let pass has been done; what came before it has been answered.
  const done = writes.filter((write) => write !== killedAt || point.when === 'after')
  const found = oddlyLeft(begun, left, done)
  const wentOn = await goOn(begun, left)
  if (wentOn !== undefined) found.push(...oddlyGoneOn(begun, left, { ...wentOn, done }))
  found.push(...(await oddlyEnded(begun, wentOn)))
  if (found.length === 0) return ''
  const at = `killed ${point.when} ${killedAt?.method} ${killedAt?.path} (write ${killedAt?.number})`
  return [`${at}, then from ${JSON.stringify(left)}`, ...found].join('\n  ')
}

/** Trimmed is only what was proved, and what is proved is recorded. */
const oddlyLeft = ({ kind, from, to, objects }: Begun, left: Left, done: readonly Write[]): string[] => {
  const moved: Moved = { definition: kind.name, objects }
  const isFlipped = done.some((write) => isFlip(write, moved))
  const isTrimmed = done.some((write) => isTrim(write, moved))
  const wanted = isTrimmed ? [to] : isFlipped ? [from, to] : [from]
  const proof = left.checkpoint?.passes.at(-1)
  const isProved = proof?.rewritten === 0 && proof.failed === 0 && proof.unchanged === objects
  return [
    ...(same(left.storedVersions, wanted) ? [] : [`storedVersions was ${left.storedVersions.join()} after the kill`]),
    ...(isTrimmed && !isProved ? ['it was trimmed, and no proof is recorded'] : []),
  ]
}

/** What is recorded is not done again; nothing is trimmed before all is proved. */
const oddlyGoneOn = (
  { kind, objects }: Begun,
  left: Left,
  { writes, report, done }: NonNullable<WentOn> & { done: readonly Write[] },
): string[] => {
  const moved: Moved = { definition: kind.name, objects }
  const trims = writes.filter((write) => isTrim(write, moved))
  const sent = writes.filter((write) => isObjectWrite(write, moved))
  const { least, most } = toSend(left.checkpoint, objects, done.filter((write) => isObjectWrite(write, moved)).length)
  const [migrated] = report.migrated ?? []
  const last = migrated?.passes.at(-1)
  const isProved = migrated?.proof?.objects === objects && last?.rewritten === 0 && last.failed === 0
  // One that was trimmed before the kill and not recorded so finds nothing to do.
  const wasDone = left.checkpoint?.phase === 'done' && migrated?.outcome === 'nothing to do'
  const wasTrimmed = left.storedVersions.length === 1 && left.checkpoint !== undefined
  return [
    ...(sent.length < least ? [`it sent ${sent.length} writes of objects; ${least} are the least that proves it`] : []),
    ...(sent.length > most ? [`it sent ${sent.length} writes of objects, and ${most} would do`] : []),
    ...(isProved || wasDone ? [] : [`it proved nothing: ${JSON.stringify(migrated)}`]),
    ...(trims.length === (wasTrimmed ? 0 : 1) ? [] : [`it trimmed ${trims.length} times`]),
    ...(trims[0] === undefined || sent.every(({ number }) => number < (trims[0]?.number ?? 0))
      ? []
      : ['it wrote objects after the trim']),
  ]
}

/** How many writes of objects are left, by what is recorded, when the dead process has sent so many. */
const toSend = (
  checkpoint: MigrationCheckpoint | undefined,
  objects: number,
  sent: number,
): { least: number; most: number } => {
  if (checkpoint?.phase === 'done') return { least: 0, most: 0 }
  const { passes = [], place } = checkpoint ?? {}
  const { rewritten = 0, unchanged = 0, gone = 0, failed = 0 } = place?.counts ?? {}
  const done = passes.length * objects + rewritten + unchanged + gone + failed
  const left = 2 * objects - done
  // The list goes on as of the moment when it began: what was rewritten since is refused once, and looked at again.
  const stale = place !== undefined && checkpoint?.phase === 'rewrite' ? Math.max(0, sent - done) : 0
  // Where all was rewritten and nothing of it recorded, one pass may be the proof.
  return { least: done === 0 ? objects : left, most: left + stale + IN_FLIGHT }
}

/** The state that an undisturbed migration ends in. */
const oddlyEnded = async (begun: Begun, wentOn: WentOn): Promise<string[]> => {
  const { cluster, kind, to, objects, known } = begun
  const stored = await kind.stored()
  const storedVersions = await kind.storedVersions()
  const [run, ...others] = await runsOf(cluster)
  const lease = await cluster.client.get<Lease>({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    namespace: RECORDS,
    name: 'run-lock',
  })
  const holder = lease.spec?.holderIdentity
  return [
    ...(same(Object.keys(stored), [to]) && stored[to] === objects ? [] : [`stored is ${JSON.stringify(stored)}`]),
    ...(same(storedVersions, [to]) ? [] : [`storedVersions is ${storedVersions.join()}`]),
    ...(await oddObjects(begun)),
    ...(run?.state === 'succeeded' && run.number === known + 1 ? [] : [`the run is ${JSON.stringify(run)}`]),
    ...(others.some(isUnfinished) ? ['another run is unfinished'] : []),
    // The lock of a process that was killed with its work done expires.
    ...(holder && wentOn !== undefined ? [`${holder} holds the lock`] : []),
  ]
}

/** Each object is as before, in whichever of the two versions its managers are named, and was stored once more, by whomever. */
const oddObjects = async ({ cluster, kind, before, to }: Begun): Promise<string[]> => {
  const after = await storedObjects(cluster.etcdUrl, kind.prefix)
  const odd = [...before].flatMap(([key, { object, writes }]) => {
    const now = after.get(key)
    if (now === undefined) return [`${key} is gone`]
    const asBefore = withoutVersions(now.object) === withoutVersions(object)
    return [
      ...(asBefore && now.object.apiVersion === `${group}/${to}` ? [] : [`${key} is ${JSON.stringify(now.object)}`]),
      ...(now.writes === writes + 1 ? [] : [`${key} was stored ${now.writes - writes} times`]),
    ]
  })
  if (after.size !== before.size) odd.push(`there are ${after.size} objects, and there were ${before.size}`)
  return odd.length > 5 ? [...odd.slice(0, 5), `and ${odd.length - 5} more like these`] : odd
}

const withoutVersions = ({ metadata, ...rest }: AnyObject): string => {
  const managedFields = metadata.managedFields?.map((entry) => ({ ...entry, apiVersion: '' }))
  return JSON.stringify({ ...rest, apiVersion: '', metadata: { ...metadata, managedFields } })
}

const same = (left: readonly string[], right: readonly string[]): boolean =>
  left.toSorted().join() === right.toSorted().join()
