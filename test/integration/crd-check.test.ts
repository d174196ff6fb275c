/** `crd check` against a real API server: what `cluster:` means, what --live adds, and that nothing is changed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { silentProgress } from '../../src/report/progress.ts'
import { renderComparison } from '../../src/report/render-crd.ts'
import { type CrdCheckRequest, crdCheck } from '../../src/services/crd-check.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { schemaErrors } from '../support/schemas.ts'
import { definition, object, version } from '../unit/crds/comparison/definitions.ts'

const engines = (...values: string[]): CustomResourceDefinition => {
  const spec = object({ engine: { type: 'string', enum: values } })
  return definition([version('v1', { spec, root: object({ spec }) })])
}
const model = (name: string, engine: string): AnyObject => ({
  apiVersion: 'example.io/v1',
  kind: 'Model',
  metadata: { name, namespace: 'default' },
  spec: { engine },
})

describe.skipIf(!clusterTestsPossible().possible)('crd check on a cluster', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'crd-check-'))
    cluster = await startControlPlane()
    client = await connect({ kubeconfig: cluster.kubeconfig })
    await client.create(engines('a', 'b', 'c'))
    await eventually(() => client.create(model('first', 'a')))
    await client.create(model('second', 'b'))
  }, 180_000)

  afterAll(async () => {
    await client?.close()
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string, content: CustomResourceDefinition): string => {
    writeFileSync(join(folder, name), JSON.stringify(content))
    return join(folder, name)
  }
  const check = (before: string, after: string, others: Partial<CrdCheckRequest> = {}) =>
    crdCheck({
      before,
      after,
      connection: { kubeconfig: cluster.kubeconfig },
      recursive: false,
      stdin: (async function* () {})(),
      note: () => {},
      live: false,
      today: new Date('2026-11-22'),
      progress: silentProgress,
      ...others,
    })

  test('what is on it does not differ from what was applied, by name or as a whole', async () => {
    const same = file('same.json', engines('a', 'b', 'c'))
    for (const source of ['cluster:', 'cluster:models.example.io']) {
      const { definitions } = await check(source, same)
      expect(definitions.map(({ name, upgrade }) => [name, upgrade])).toEqual([['models.example.io', []]])
      const back = await check(same, source)
      expect(back.definitions.map(({ name, upgrade }) => [name, upgrade])).toEqual([['models.example.io', []]])
    }
    await expect(check('cluster:none.example.io', same)).rejects.toThrow(/There is no CustomResourceDefinition none/)
  })

  test.each([
    ['b', 1, ['second']],
    ['c', 0, []],
  ])('--live counts the objects that a value less hurts: %s', async (value, affected, names) => {
    const fewer = file('fewer.json', engines(...['a', 'b', 'c'].filter((one) => one !== value)))
    const report = await check('cluster:', fewer, { live: true })
    const found = report.definitions[0]?.upgrade?.find(({ id }) => id === 'crd.enum.value-removed')
    expect(found?.live).toMatchObject({ checked: 2, affected })
    expect(found?.live?.offenders.map(({ name }) => name)).toEqual(names)
    expect(report.definitions[0]?.live?.dryRun).toEqual({ outcome: 'accepted' })
    expect(schemaErrors(renderComparison(report, 'json'))).toEqual([])
    expect(renderComparison(report, 'human')).toContain(`${affected} of 2 stored objects affected`)
    // it was a dry run
    const after = await check('cluster:', file('same.json', engines('a', 'b', 'c')))
    expect(after.definitions[0]?.upgrade).toEqual([])
  })

  test('what the API server refuses is an error even where no rule finds one', async () => {
    const broken = engines('a', 'b', 'c')
    broken.spec.names = { ...broken.spec.names, shortNames: ['Not A Name'] }
    const report = await check('cluster:', file('broken.json', broken), { live: true })
    expect(report.definitions[0]?.live?.dryRun.outcome).toBe('refused')
    expect(report.counts.upgrade?.error).toBe(0)
    expect(report.verdict).toBe('blocked')
  })
})
