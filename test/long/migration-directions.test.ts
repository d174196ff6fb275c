/** Ten thousand objects go back to an older version through a conversion webhook, and forth again; `SEED=n` gives the same ones. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { thereAndBack, withLosses } from '../support/both-directions.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { ConvertedModels } from '../support/converting.ts'
import { alpha, beta } from '../support/sample-objects.ts'

const count = 10_000
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000)

describe.skipIf(!clusterTestsPossible().possible)(`${count} objects (SEED=${seed})`, () => {
  let cluster: ControlPlane
  let models: ConvertedModels
  beforeAll(async () => {
    process.stderr.write(`SEED=${seed}\n`)
    cluster = await startControlPlane({ nodes: [] })
    models = await ConvertedModels.define(cluster)
    await models.write(count, seed)
  }, 600_000)
  afterAll(async () => {
    await models?.[Symbol.asyncDispose]()
    await cluster?.stop()
  })

  test('go to v1alpha1 and back, and every field of each is as before', async () => {
    expect(await thereAndBack(cluster, models, count)).toEqual({ [beta]: count })
  })

  test('lose through a webhook that forgets just what was named and accepted', async () => {
    expect(await withLosses(cluster, models, count)).toEqual({ [alpha]: count })
  })
})
