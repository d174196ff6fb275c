/** Random objects under random schemas become of ours what they become of a real API server's decoding. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import {
  decodeConstructs,
  decodeDifferences,
  decodeRowDifferences,
  decodeTable,
} from '../support/properties/crd-decode-differences.ts'

const possible = clusterTestsPossible().possible
const seed = Number(process.env['SEED'] ?? 1)

describe.skipIf(!possible)('decoding of custom resources', () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane()
  })
  afterAll(async () => cluster?.stop())

  test('rows, formats and patterns: the API server judges alike', async () => {
    const run = await decodeRowDifferences(cluster.client)
    expect(run.differences.join('\n\n')).toBe('')
  })

  test(`200 objects are pruned, defaulted and refused as by the API server (SEED=${seed})`, async () => {
    const run = await decodeDifferences(cluster.client, seed, 200)
    process.stderr.write(decodeTable(run))
    expect(run.differences.slice(0, 3).join('\n\n')).toBe('')
    expect([...run.constructs.keys()].toSorted()).toEqual([...decodeConstructs].toSorted())
  })
})
