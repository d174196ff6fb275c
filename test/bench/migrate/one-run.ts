/** One migration by one contestant, and everything that is measured meanwhile. */
import { type Latencies, startBystander } from './bystander.ts'
import type { BenchCluster } from './cluster.ts'
import { bareLoop, type Contestant, type Task } from './contestants.ts'
import { type Kind, otherVersion } from './kinds.ts'
import { busyTime, cpuTime, type Requests, requestsSoFar } from './machine.ts'
import { measureProcess, type ProcessFigures } from './measured-process.ts'
import type { Passes } from './passes.ts'

export interface RunOptions {
  /** between the beats of the bystander; 0 for none */
  beatMs: number
}

export interface Figures {
  process: ProcessFigures
  /** objects that were written, by etcd's own count */
  written: number
  /** objects that are still stored in another version */
  left: number
  /** about objects of the kind's API group, definitions and rights; discovery is not counted */
  requests: Requests
  /** processor time of the API server; undefined where the system does not tell */
  serverMs: number | undefined
  /** cores that neither the control plane nor the contestant nor we have used */
  foreign: number | undefined
  bystander: Latencies | undefined
  /** by its own account */
  passes: Passes | undefined
}

const besideObjects = new Set(['apiextensions.k8s.io', 'authorization.k8s.io'])

/** Flips the storage version to the one that the objects are not stored in, and lets the contestant move them. */
export async function oneRun(cluster: BenchCluster, contestant: Contestant, options: RunOptions): Promise<Figures> {
  const { kind, onlyTo, isOrdinary = false } = contestant
  const kubeconfig = isOrdinary ? cluster.ordinary : cluster.kubeconfig
  if (cluster.storageVersion(kind) === onlyTo) await moveBack(cluster, kind)
  const version = otherVersion(kind, cluster.storageVersion(kind))
  await cluster.flipStorage(kind, version)
  const revision = await cluster.revision()
  const isCounted = (group: string) => group.endsWith(kind.group) || besideObjects.has(group)
  const requestsBefore = await requestsSoFar(cluster.wire, isCounted)
  const bystander = options.beatMs > 0 ? startBystander(cluster.kubeconfig, options.beatMs) : undefined
  const before = usage(cluster)
  const measured = await measureProcess(contestant.command({ kubeconfig, kind, version }))
  const after = usage(cluster)
  const latencies = await bystander?.stop()
  const requests = await requestsSoFar(cluster.wire, isCounted)
  const { objects, byVersion, writtenSince } = await cluster.stored(kind, revision)
  const passes = await passesOf(contestant, measured, { kubeconfig, kind, version }, options)
  if (contestant.leavesManagers === true) await renameManagers(cluster, kind)
  return {
    process: measured,
    written: writtenSince,
    left: objects - (byVersion[`${kind.group}/${version}`] ?? 0),
    requests: {
      all: requests.all - requestsBefore.all,
      writes: requests.writes - requestsBefore.writes,
      throttled: requests.throttled - requestsBefore.throttled,
    },
    ...compared(before, after, measured),
    bystander: latencies,
    passes,
  }
}

/** A yardstick proves nothing: how fast it would be, a second run tells. */
async function passesOf(
  contestant: Contestant,
  measured: ProcessFigures,
  task: Task,
  { beatMs }: RunOptions,
): Promise<Passes | undefined> {
  if (contestant.passes === undefined || measured.code !== 0) return undefined
  const passes = contestant.passes(measured)
  if (contestant.isRunAgain !== true) return passes
  // As in the first run, somebody else is there.
  const bystander = beatMs > 0 ? startBystander(task.kubeconfig, beatMs) : undefined
  const again = await measureProcess(contestant.command(task))
  await bystander?.stop()
  return { ...passes, proof: contestant.passes(again).rewrite }
}

/** For those who know one direction: the yardstick takes the objects back, and nobody looks at the clock. */
async function moveBack(cluster: BenchCluster, kind: Kind): Promise<void> {
  const version = otherVersion(kind, cluster.storageVersion(kind))
  await cluster.flipStorage(kind, version)
  await aside(cluster, kind, `the way back of ${kind.plural}`)
}

/**
 * Whoever comes next finds objects as they are where they have always been: stored in a version, and their managers named in
 * it. Otherwise one who renames them would have nothing to rename.
 */
async function renameManagers(cluster: BenchCluster, kind: Kind): Promise<void> {
  await aside(cluster, kind, `renaming the managers of ${kind.plural}`, '--rename')
}

async function aside(cluster: BenchCluster, kind: Kind, what: string, ...more: string[]): Promise<void> {
  const task: Task = { kubeconfig: cluster.kubeconfig, kind, version: cluster.storageVersion(kind) }
  const { code, complaint } = await measureProcess(bareLoop(task, 8, ...more))
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${complaint}`)
}

interface Usage {
  /** of all cores */
  busy: number
  server: number | undefined
  /** control plane and this process */
  house: number | undefined
}

function usage(cluster: BenchCluster): Usage {
  const processes = cluster.processes()
  const times = Object.values(processes).map(cpuTime)
  const { user, system } = process.cpuUsage()
  const house = times.reduce((sum, time) => (sum === undefined || time === undefined ? undefined : sum + time), 0)
  return {
    busy: busyTime(),
    server: cpuTime(processes['kube-apiserver'] ?? 0),
    house: house === undefined ? undefined : house + (user + system) / 1000,
  }
}

function compared(
  before: Usage,
  after: Usage,
  { seconds, cpuMs }: ProcessFigures,
): Pick<Figures, 'serverMs' | 'foreign'> {
  const difference = (name: keyof Usage): number | undefined => {
    const [from, to] = [before[name], after[name]]
    return from === undefined || to === undefined ? undefined : to - from
  }
  const house = difference('house')
  const busy = after.busy - before.busy
  return {
    serverMs: difference('server'),
    foreign: house === undefined ? undefined : (busy - house - cpuMs) / 1000 / seconds,
  }
}
