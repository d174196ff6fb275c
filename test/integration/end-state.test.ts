/** An upgrade ends where a fresh install of the same release would: nothing of the way there is left. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryFolder } from '../../src/playground/playground.ts'
import { type ClusterDump, differences, dumpCluster } from '../support/cluster-dump.ts'
import { clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { saveCluster } from '../support/saved-cluster.ts'
import { settled } from '../support/settled.ts'
import { TIERS } from '../torture/cases.ts'
import { runUntilKilled, TARGET } from '../torture/killed-run.ts'
import { fillSmallCluster } from '../torture/small-cluster.ts'
import { RECORDS } from '../torture/undisturbed.ts'

/** Says what was applied first, and by `kubectl apply`; the fields it speaks of are compared themselves. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const ALLOWED = [
  // A shim names its owner once, by the version that it knew then; both are served.
  /› ownerReferences › \d+ › apiVersion: "kubeairunway.ai\/v1beta1" -> "kubeairunway.ai\/v1alpha1"$/,
  // Where each API server listens.
  /^Service default\/kubernetes › spec › ports /,
]
const isAllowed = (line: string): boolean => ALLOWED.some((one) => one.test(line))

const dumpOf = async (cluster: Awaited<ReturnType<typeof startControlPlane>>): Promise<ClusterDump> => {
  await settled(cluster.client)
  return dumpCluster(cluster.client, { without: [RECORDS], withoutAnnotations: [LAST_APPLIED] })
}

describe.skipIf(!clusterTestsPossible().possible)('the end of an upgrade', () => {
  const folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-end-state-'))
  let fresh: ClusterDump

  beforeAll(async () => {
    {
      await using cluster = await startControlPlane({ pace: PACE })
      await fillSmallCluster(cluster.client, TARGET)
      fresh = await dumpOf(cluster)
    }
    await using cluster = await startControlPlane({ pace: PACE })
    await fillSmallCluster(cluster.client, 'v0.1.0')
    await settled(cluster.client)
    await saveCluster(cluster, join(folder, 'before'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(TIERS)('by %s is a fresh install of the release', async (tier) => {
    await using cluster = await startControlPlane({ saved: join(folder, 'before'), pace: PACE })
    await settled(cluster.client)
    await runUntilKilled(cluster, { kind: 'upgrade', tier, storage: 'moves' })
    const upgraded = await dumpOf(cluster)
    const lines = differences(fresh.objects, upgraded.objects)
    expect(lines.filter((line) => !isAllowed(line))).toEqual([])
    expect(differences(fresh.schemas, upgraded.schemas)).toEqual([])
    // The dumps are of two releases' worth of objects, not of nothing.
    expect(Object.keys(fresh.objects).filter((key) => key.includes('kubeairunway')).length).toBeGreaterThan(20)
  })
})
