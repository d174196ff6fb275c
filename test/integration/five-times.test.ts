/** There and back again, five times round: nothing is left behind, and nothing grows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listRuns } from '../../src/journal/records.ts'
import { type ClusterDump, differences } from '../support/cluster-dump.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { runUntilKilled } from '../torture/killed-run.ts'
import { fillSmallCluster } from '../torture/small-cluster.ts'
import { dumpOf, RECORDS } from '../torture/undisturbed.ts'

const ROUNDS = 5
const RUNS_KEPT = 10

/** What comes and goes with the clock, and the records, which have their own limit. */
const NOT_COUNTED = new RegExp(`^/registry/(events|leases|masterleases)/|/${RECORDS}(/|$)`)
/** Names that are generated say nothing. */
const GENERATED = /-[a-z0-9]{5}$/

/** The keys of all objects, by etcd's JSON gateway. */
const keysOf = async ({ etcdUrl }: ControlPlane): Promise<string[]> => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const answer = await fetch(`${etcdUrl}/v3/kv/range`, {
    method: 'POST',
    // From the prefix to the next one that is not it: `0` comes after `/`.
    body: JSON.stringify({ key: base64('/registry/'), range_end: base64('/registry0'), keys_only: true }),
  })
  const { kvs = [] } = (await answer.json()) as { kvs?: { key: string }[] }
  return kvs
    .map(({ key }) => Buffer.from(key, 'base64').toString())
    .filter((key) => !NOT_COUNTED.test(key))
    .map((key) => key.replace(GENERATED, '-*'))
    .toSorted()
}

describe.skipIf(!clusterTestsPossible().possible)(`an upgrade and a rollback, ${ROUNDS} times round`, () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ pace: PACE })
    await fillSmallCluster(cluster.client, 'v0.1.0')
  })
  afterAll(async () => cluster?.stop())

  /** The first round is by the same tier as the last. */
  const tierOf = (round: number) => (round % 2 === 0 ? 'in-place' : 'standby')

  test('leaves as much behind as one, and the newest ten records', { timeout: 600_000 }, async () => {
    const seen: { dump: ClusterDump; keys: string[] }[] = []
    const kept: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      for (const kind of ['upgrade', 'rollback'] as const) {
        await runUntilKilled(cluster, { kind, tier: tierOf(round) })
        kept.push((await listRuns(cluster.client, RECORDS)).length)
      }
      const dump = await dumpOf(cluster)
      seen.push({ dump, keys: await keysOf(cluster) })
    }
    const [first, last] = [seen[0], seen.at(-1)]
    if (first === undefined || last === undefined) throw new Error('there was no round')
    expect(first.keys.length).toBeGreaterThan(200)
    expect(last.keys).toEqual(first.keys)
    expect(differences(first.dump.objects, last.dump.objects)).toEqual([])
    expect(differences(first.dump.schemas, last.dump.schemas)).toEqual([])

    // One more, and the oldest record goes.
    await runUntilKilled(cluster, { kind: 'upgrade', tier: 'in-place' })
    const runs = (await listRuns(cluster.client, RECORDS)).map(({ number }) => number)
    expect(runs).toEqual(Array.from({ length: RUNS_KEPT }, (_, index) => 2 * ROUNDS + 1 - index))
    expect(Math.max(...kept)).toBeLessThanOrEqual(RUNS_KEPT)
  })
})
