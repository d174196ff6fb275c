/** The last steps of an upgrade, killed at writes that chance picks. The seed is in the title; TORTURE_SEED takes another one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryFolder } from '../../src/playground/playground.ts'
import { clusterTestsPossible } from '../support/control-plane.ts'
import { chanceOf } from '../support/seeded.ts'
import { type LastWave, runLastWaveCase, takeLastWave } from '../torture/last-wave.ts'
import { type RestoredClusters, restoredClusters } from '../torture/restored-clusters.ts'

const CASES = 12
const seed = Number(process.env['TORTURE_SEED'] ?? Math.floor(Date.now() / 1000))
const PARTS = 1000
const begin = chanceOf(seed).below(PARTS)

/** One of each part of the run, from the write that moves the first storage version on; every other one has been done. */
const slots = Array.from({ length: CASES }, (_, index) => ({
  share: (index + begin / PARTS) / CASES,
  when: index % 2 === 0 ? ('before' as const) : ('after' as const),
}))

describe.skipIf(!clusterTestsPossible().possible)(
  `${CASES} upgrades killed while storage moves (TORTURE_SEED=${seed})`,
  () => {
    const folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'airunway-last-wave-'))
    let wave: LastWave
    let clusters: RestoredClusters

    beforeAll(async () => {
      wave = await takeLastWave(folder)
      clusters = restoredClusters(slots.map(() => wave.saved))
    })
    afterAll(async () => {
      await clusters?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    for (const { share, when } of slots)
      test(`${when} a write ${Math.round(share * 100)} % of the way`, async () => {
        await using cluster = await clusters.next()
        const write = 1 + Math.floor(share * wave.writes.length)
        await expect(runLastWaveCase({ write, when }, wave, cluster)).resolves.toBeUndefined()
      })
  },
)
