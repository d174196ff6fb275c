/** The last steps of an upgrade, killed before and after each of their writes. In parts by TORTURE_SHARD, as all of these. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryFolder } from '../../src/playground/playground.ts'
import { clusterTestsPossible } from '../support/control-plane.ts'
import { shardOf } from './cases.ts'
import { runLastWaveCase, takeLastWave } from './last-wave.ts'
import { restoredClusters } from './restored-clusters.ts'

const { TORTURE_CASE, TORTURE_SHARD = '1/1' } = process.env
const isPossible = clusterTestsPossible().possible && TORTURE_CASE === undefined
const folder = isPossible ? mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-last-wave-')) : undefined

// The writes are counted before the tests are named.
const wave = folder !== undefined ? await takeLastWave(folder) : undefined
const every = (wave?.writes ?? []).flatMap(({ number }) =>
  (['before', 'after'] as const).map((when) => ({ write: number, when })),
)
const cases = shardOf(every, TORTURE_SHARD)
const clusters = restoredClusters(wave === undefined ? [] : cases.map(() => wave.saved))

describe.skipIf(!isPossible)(`upgrades killed while storage moves (${cases.length} of ${every.length} cases)`, () => {
  afterAll(async () => {
    await clusters.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  for (const one of cases)
    test(`${one.when} write ${one.write}`, async () => {
      if (wave === undefined) throw new Error('there is no control plane')
      await using cluster = await clusters.next()
      await expect(runLastWaveCase(one, wave, cluster)).resolves.toBeUndefined()
    })
})
