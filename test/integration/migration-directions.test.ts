/** Objects that go back to an older version through a conversion webhook, and forth again. Ten thousand of them: test/long. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { thereAndBack, withLosses } from '../support/both-directions.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { ConvertedModels } from '../support/converting.ts'
import { alpha, beta } from '../support/sample-objects.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of conversions are skipped: ${reason}\n`)

const seed = Number(process.env['SEED'] ?? 1)

describe.skipIf(!possible)(`300 objects (SEED=${seed})`, () => {
  let cluster: ControlPlane
  let models: ConvertedModels
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    models = await ConvertedModels.define(cluster)
    await models.write(300, seed)
  })
  afterAll(async () => {
    await models?.[Symbol.asyncDispose]()
    await cluster?.stop()
  })

  test('go to v1alpha1 and back, and every field of each is as before', async () => {
    expect(await thereAndBack(cluster, models, 300)).toEqual({ [beta]: 300 })
  })

  test('lose through a webhook that forgets just what was named and accepted', async () => {
    expect(await withLosses(cluster, models, 300)).toEqual({ [alpha]: 300 })
  })
})
