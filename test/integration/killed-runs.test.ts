/**
 * Runs that are killed at a write, by chance: a sample of all cases that `npm run test:torture` has. The seed is in the
 * title; TORTURE_SEED takes another one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterTestsPossible } from '../support/control-plane.ts'
import { caseOf, sample, TIERS } from '../torture/cases.ts'
import { type RestoredClusters, restoredClusters } from '../torture/restored-clusters.ts'
import { runCase } from '../torture/run-case.ts'
import { type Baseline, takeBaseline } from '../torture/undisturbed.ts'

const CASES = 24
const seed = Number(process.env['TORTURE_SEED'] ?? Math.floor(Date.now() / 1000))
const slots = sample(CASES, seed)

describe.skipIf(!clusterTestsPossible().possible)(`${CASES} runs that are killed (TORTURE_SEED=${seed})`, () => {
  let baseline: Baseline
  let clusters: RestoredClusters

  beforeAll(async () => {
    baseline = await takeBaseline(TIERS)
    clusters = restoredClusters(slots.map((slot) => baseline.of(slot).saved))
  })
  afterAll(async () => {
    await clusters?.close()
    baseline?.remove()
  })

  for (const [index, slot] of slots.entries())
    test(`${index + 1}: ${titleOf(slot)}`, async () => {
      const undisturbed = baseline.of(slot)
      await using cluster = await clusters.next()
      await expect(runCase(caseOf(slot, undisturbed.writes), undisturbed, cluster)).resolves.toBeUndefined()
    })
})

function titleOf({ kind, tier, when, way, share }: (typeof slots)[number]): string {
  return `${kind} by ${tier}, killed ${when} a write ${Math.round(share * 100)} % of the way, then ${way}`
}
