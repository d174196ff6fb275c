/**
 * The last steps of an upgrade, which move stored objects, killed at one of their writes. They are begun from a cluster that was
 * saved right before the first storage version moves, so a case need not upgrade first. There is one way on from here.
 */
import { join } from 'node:path'
import { isUnfinished } from '../../src/journal/standing.ts'
import type { CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { resume } from '../../src/services/resume.ts'
import type { ClusterDump } from '../support/cluster-dump.ts'
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts'
import { prefixOf, storedVersionsUnder } from '../support/etcd-bytes.ts'
import { PACE } from '../support/pace.ts'
import { saveCluster } from '../support/saved-cluster.ts'
import { settled } from '../support/settled.ts'
import type { Write } from '../support/write-proxy.ts'
import { type Kill, runUntilKilled } from './killed-run.ts'
import { becomes, exactly, letLockExpire, refusalOf, requestOf, runsOf } from './run-case.ts'
import { fillSmallCluster } from './small-cluster.ts'
import { dumpOf } from './undisturbed.ts'

export interface LastWave {
  /** folder that the cluster is restored from before the first storage version moves */
  saved: string
  /** of the run from there on */
  writes: readonly Write[]
  after: ClusterDump
}

const DEFINITIONS = ['modeldeployments', 'inferenceproviderconfigs'] as const
const GROUP = 'kubeairunway.ai'

/** The write of a definition that makes another version its storage version. */
export const isFlip = ({ method, path, body }: Write): boolean =>
  method === 'PUT' &&
  path.includes('/customresourcedefinitions/') &&
  (JSON.parse(body) as CustomResourceDefinition).spec.versions.some(
    ({ name, storage }) => storage && name === 'v1beta1',
  )

/** Saves the cluster in front of the last steps, and carries them out undisturbed. Throws Error where they fail. */
export async function takeLastWave(folder: string): Promise<LastWave> {
  const saved = join(folder, 'before-storage-moves')
  await using cluster = await startControlPlane({ pace: PACE })
  await fillSmallCluster(cluster.client, 'v0.1.0')
  await settled(cluster.client)
  const run = { kind: 'upgrade', tier: 'in-place', storage: 'moves' } as const
  const { killedAt } = await runUntilKilled(cluster, run, { write: isFlip, when: 'before' })
  if (killedAt === undefined) throw new Error('no storage version was to move')
  await settled(cluster.client)
  await saveCluster(cluster, saved)
  await letLockExpire(cluster)
  const { writes } = await runUntilKilled(cluster, { kind: 'resume' })
  await provedInEtcd(cluster)
  return { saved, writes, after: await dumpOf(cluster) }
}

/** Throws Error where the killed run does not end as the undisturbed one did: all moved, proved, trimmed, nothing disturbed. */
export async function runLastWaveCase(
  kill: Kill & { write: number },
  { after }: LastWave,
  cluster: ControlPlane,
): Promise<void> {
  await settled(cluster.client)
  const { killedAt } = await runUntilKilled(cluster, { kind: 'resume' }, kill)
  await letLockExpire(cluster)
  try {
    const [run] = await runsOf(cluster)
    if (run !== undefined && isUnfinished(run)) await goOn(cluster)
    else await refusalOf(resume(requestOf(cluster), { dryRun: false }))
    await provedInEtcd(cluster)
    await becomes(exactly('after', after), cluster)
    const left = (await runsOf(cluster)).find(isUnfinished)
    if (left !== undefined) throw new Error(`run ${left.number} is still ${left.state}`)
  } catch (error) {
    const at = killedAt === undefined ? 'it ended by itself' : `${killedAt.method} ${killedAt.path}`
    throw new Error(
      `killed ${kill.when} write ${kill.write} (${at}): ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  }
}

const goOn = async (cluster: ControlPlane): Promise<void> => {
  const result = await resume(requestOf(cluster), { dryRun: false })
  if (result.outcome !== 'ran') throw new Error(`the resume came to ${result.outcome}`)
  const { migrated = [], workloads } = result.report
  // One that was trimmed before the kill, and not recorded so, finds nothing to do.
  const odd = migrated.filter(({ outcome, proof }) => outcome !== 'nothing to do' && proof === undefined)
  if (migrated.length !== DEFINITIONS.length || odd.length > 0)
    throw new Error(`not all is proved: ${JSON.stringify(migrated)}`)
  if (!workloads.compared || workloads.disturbed > 0) throw new Error(`disturbed: ${workloads.changes.join(', ')}`)
}

/** What is stored is looked for where it is stored. */
const provedInEtcd = async (cluster: ControlPlane): Promise<void> => {
  for (const plural of DEFINITIONS) {
    const stored = Object.keys(await storedVersionsUnder(cluster.etcdUrl, prefixOf(GROUP, plural)))
    const name = `${plural}.${GROUP}`
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
    const { status } = await cluster.client.get<CustomResourceDefinition>(reference)
    const listed = status?.storedVersions ?? []
    if (stored.join() !== `${GROUP}/v1beta1` || listed.join() !== 'v1beta1')
      throw new Error(`${name} is stored in ${stored.join(', ')}; status lists ${listed.join(', ')}`)
  }
}
