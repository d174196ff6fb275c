/** Five thousand random objects through our decoding and a real API server's; `SEED=n` gives the same ones again. */
import { describe, expect, test } from 'vitest'
import { clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { decodeConstructs, decodeDifferences, decodeTable } from '../support/properties/crd-decode-differences.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000)

describe.skipIf(!clusterTestsPossible().possible)('decoding of custom resources, at length', () => {
  test(`5,000 objects are pruned, defaulted and refused as by the API server (SEED=${seed})`, async () => {
    await using cluster = await startControlPlane()
    const run = await decodeDifferences(cluster.client, seed, 5000)
    process.stderr.write(`SEED=${seed}\n${decodeTable(run)}`)
    expect(run.differences.slice(0, 3).join('\n\n')).toBe('')
    expect(decodeConstructs.filter((construct) => (run.constructs.get(construct) ?? 0) < 100)).toEqual([])
    const { pruned, defaulted, invalid } = run.outcomes
    expect(Math.min(pruned, defaulted, invalid) / run.pairs).toBeGreaterThanOrEqual(0.2)
  })
})
