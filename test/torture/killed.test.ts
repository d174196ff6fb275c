/**
 * Every run killed before and after each of its writes, then resumed or aborted. Takes hours: run it in parts with
 * `npm run test:torture -- --shard 2/8`, or one case by TORTURE_CASE=upgrade/standby/57/after/abort, and only some tiers by
 * `--tier in-place`.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { clusterTestsPossible } from '../support/control-plane.ts'
import { casesOf, nameOf, parseCase, shardOf, TIERS, trips } from './cases.ts'
import { restoredClusters } from './restored-clusters.ts'
import { runCase } from './run-case.ts'
import { takeBaseline } from './undisturbed.ts'

const { TORTURE_CASE, TORTURE_SHARD = '1/1', TORTURE_TIERS } = process.env
const wanted = TORTURE_CASE === undefined ? undefined : parseCase(TORTURE_CASE)
const tiers = TIERS.filter((tier) =>
  wanted === undefined ? (TORTURE_TIERS?.split(',') ?? TIERS).includes(tier) : tier === wanted.tier,
)
const { possible } = clusterTestsPossible()

// The writes are counted before the tests are named.
const baseline = possible ? await takeBaseline(tiers) : undefined
const every = baseline === undefined ? [] : trips(tiers).flatMap((trip) => casesOf(trip, baseline.of(trip).writes))
const cases = wanted === undefined ? shardOf(every, TORTURE_SHARD) : [wanted]
const clusters = restoredClusters(cases.flatMap((one) => (baseline === undefined ? [] : [baseline.of(one).saved])))

describe.skipIf(!possible)(`runs that are killed (${cases.length} of ${every.length} cases)`, () => {
  afterAll(async () => {
    await clusters.close()
    baseline?.remove()
  })

  for (const [index, one] of cases.entries())
    test(`${index + 1} of ${cases.length}: ${nameOf(one)}`, async () => {
      if (baseline === undefined) throw new Error('there is no control plane')
      await using cluster = await clusters.next()
      await expect(runCase(one, baseline.of(one), cluster)).resolves.toBeUndefined()
    })
})
