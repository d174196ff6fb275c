/** Runs that nobody disturbs: how many writes they have, and the states that they begin and end in. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tier } from '../../src/plan/plan.types.ts'
import { memoryFolder } from '../../src/playground/playground.ts'
import { type ClusterDump, dumpCluster } from '../support/cluster-dump.ts'
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { saveCluster } from '../support/saved-cluster.ts'
import { settled } from '../support/settled.ts'
import type { Trip } from './cases.ts'
import { runUntilKilled } from './killed-run.ts'
import { fillSmallCluster } from './small-cluster.ts'

export const RECORDS = 'airunway-runs'

export interface Undisturbed {
  /** folder that the cluster is restored from before the run */
  saved: string
  writes: number
  before: ClusterDump
  after: ClusterDump
}

export interface Baseline {
  of(trip: Trip): Undisturbed
  remove(): void
}

export const dumpOf = async (cluster: ControlPlane): Promise<ClusterDump> => {
  await settled(cluster.client)
  return dumpCluster(cluster.client, { without: [RECORDS] })
}

/** Carries each trip out once, and saves the clusters that they begin with. Throws Error where one fails undisturbed. */
export async function takeBaseline(tiers: readonly Tier[]): Promise<Baseline> {
  const folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-torture-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // A test that is given up, for it takes too long, removes nothing itself.
  process.once('exit', remove)
  const known = new Map<string, Undisturbed>()
  try {
    const pristine = join(folder, 'pristine')
    let cluster = await startControlPlane({ pace: PACE })
    try {
      await fillSmallCluster(cluster.client, 'v0.1.0')
      const before = await dumpOf(cluster)
      await saveCluster(cluster, pristine)
      for (const [index, tier] of tiers.entries()) {
        if (index > 0) {
          await cluster.stop()
          cluster = await startControlPlane({ saved: pristine, pace: PACE })
        }
        await takeTier(cluster, tier, { known, pristine, before, upgraded: join(folder, `upgraded-${tier}`) })
      }
    } finally {
      await cluster.stop()
    }
  } catch (error) {
    remove()
    throw error
  }
  return {
    of: (trip) => {
      const found = known.get(keyOf(trip))
      if (found === undefined) throw new Error(`there was no undisturbed ${trip.kind} by ${trip.tier}`)
      return found
    },
    remove,
  }
}

const keyOf = ({ kind, tier }: Trip): string => `${kind} ${tier}`

interface TierContext {
  known: Map<string, Undisturbed>
  pristine: string
  before: ClusterDump
  /** folder that the upgraded cluster is saved in */
  upgraded: string
}

const takeTier = async (cluster: ControlPlane, tier: Tier, context: TierContext): Promise<void> => {
  await settled(cluster.client)
  const there = await runUntilKilled(cluster, { kind: 'upgrade', tier })
  const after = await dumpOf(cluster)
  await saveCluster(cluster, context.upgraded)
  const back = await runUntilKilled(cluster, { kind: 'rollback', tier })
  context.known.set(keyOf({ kind: 'upgrade', tier }), {
    saved: context.pristine,
    writes: there.writes.length,
    before: context.before,
    after,
  })
  context.known.set(keyOf({ kind: 'rollback', tier }), {
    saved: context.upgraded,
    writes: back.writes.length,
    before: after,
    after: await dumpOf(cluster),
  })
}
