/** Stories of objects that go to an older version and back through a conversion webhook: few in each test run, many at length. */
import { expect } from 'vitest'
import { listRuns, readKept } from '../../src/journal/records.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import type { ModelDeployment, ModelDeploymentSpec } from '../../src/playground/standins/model-deployment.ts'
import { abort } from '../../src/services/abort.ts'
import { readRun } from '../../src/services/export-run.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { resume } from '../../src/services/resume.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { firstName } from '../../src/steps/first-objects.ts'
import { changeRequest } from './change-request.ts'
import type { ControlPlane } from './control-plane.ts'
import { type ConvertedModels, expectSame } from './converting.ts'
import { planned, ran, refusal, usual } from './migrate-stories.ts'
import { alpha, beta } from './sample-objects.ts'

/** What v1alpha1 has no field for. */
const onlyBeta = [
  'spec.engine.extraArgs',
  'spec.resources.accelerators[*]',
  'spec.resources.accelerators[*].memory',
  'spec.scaling.strategy',
]

const mover =
  (cluster: ControlPlane, { name }: ConvertedModels) =>
  async (version: string, options: Partial<MigrateOptions> = {}): Promise<ChangeResult> =>
    migrateDefinitions(
      { ...changeRequest(cluster), requestLimitMs: 300 },
      { ...usual, storage: { [name]: version }, ...options },
    )

/** Through a webhook that keeps what the older version lacks: there and back, and nothing is lost. Gives what is stored then. */
export async function thereAndBack(
  cluster: ControlPlane,
  models: ConvertedModels,
  count: number,
): Promise<Record<string, number>> {
  const move = mover(cluster, models)
  models.lossy = false
  const before = await models.read(beta)
  expect(before).toHaveLength(count)
  for (const [version, apiVersion] of [
    ['v1alpha1', alpha],
    ['v1beta1', beta],
  ] as const) {
    const { migrated, seconds } = ran(await move(version))
    process.stderr.write(`${count} objects to ${version} in ${seconds} s\n`)
    expect(migrated).toMatchObject([
      { outcome: 'migrated', storageVersion: version, proof: { objects: count }, after: { storedVersions: [version] } },
    ])
    expect(migrated?.[0]?.passes[0]).toMatchObject({ rewritten: count, unchanged: 0, failed: 0 })
    expect(await models.stored()).toEqual({ [apiVersion]: count })
    expectSame(await models.read(beta), before)
  }
  return models.stored()
}

/** Through one that forgets: it stops at the first object, and by consent just what was named is lost. Gives what is stored then. */
export async function withLosses(
  cluster: ControlPlane,
  models: ConvertedModels,
  count: number,
): Promise<Record<string, number>> {
  const move = mover(cluster, models)
  models.lossy = true
  const before = await models.read(beta)
  const shown = planned(await move('v1alpha1', { dryRun: true }))
  expect(shown.plan.notes.join('\n')).toContain('what it leaves out cannot be seen before the rewrite')

  const refused = await refusal(move('v1alpha1'))
  const said = `${refused.message} ${refused.why}`
  const lost = [...said.matchAll(/--accept-loss '[^:]+:\^\.(\S+)=REASON'/g)].map(([, path = '']) => path)
  expect(lost.toSorted()).toEqual(onlyBeta)
  expect(await models.stored()).toEqual({ [alpha]: 1, [beta]: count - 1 })
  const victim = await keptObject(cluster, models)
  expect(said).toContain(`models/${victim.metadata.name} has lost`)
  expect(victim.spec).toEqual(before.find(({ metadata }) => metadata.name === victim.metadata.name)?.spec)
  const others = (list: ModelDeployment[]) => list.filter(({ metadata }) => metadata.name !== victim.metadata.name)
  expectSame(others(await models.read(beta)), others(before))

  // What the message names gives the object as it was.
  const [run] = await listRuns(cluster.client, changeRequest(cluster).recordNamespace)
  expect(said).toContain(`kubectl airunway history export ${run?.number} FILE`)
  const record = await readRun({ ...changeRequest(cluster), number: run?.number ?? 0, now: new Date() })
  expect(record.first).toMatchObject([{ definition: models.name, objects: [{ metadata: victim.metadata }] }])

  // Gone on with, it finds the same of the object that it has kept, and writes no other one.
  const request = { ...changeRequest(cluster), requestLimitMs: 300 }
  expect((await refusal(resume(request, { dryRun: false }))).why).toContain(`models/${victim.metadata.name} has lost`)
  expect(await models.stored()).toEqual({ [alpha]: 1, [beta]: count - 1 })

  // As it says: the run is closed, and the storage version goes back.
  expect(await abort(request, { dryRun: false })).toMatchObject({ outcome: 'closed' })
  ran(await move('v1beta1'))
  expect(await models.stored()).toEqual({ [beta]: count })
  expectSame(others(await models.read(beta)), others(before))

  const acceptLoss = lost.map((path) => `${models.name}:^.${path}=nobody needs it`)
  const report = ran(await move('v1alpha1', { acceptLoss }))
  expect(report.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: count } }])
  expect(report.notes.join('\n')).not.toContain('was not needed')
  const backup = await keptOf<{ collections: Record<string, AnyObject[]> }>(cluster, 'backup')
  expect(backup.collections[`${beta} ModelDeployment`]).toHaveLength(count)
  expectSame(
    await models.read(beta),
    before.map((object) => ({ ...object, spec: withoutLost(object.spec) })),
  )
  return models.stored()
}

const keptObject = async (cluster: ControlPlane, { name }: ConvertedModels): Promise<ModelDeployment> => {
  const kept = await keptOf<ModelDeployment[]>(cluster, firstName(name))
  const [object] = kept
  if (object === undefined || kept.length !== 1) throw new Error(`${kept.length} objects were kept`)
  return object
}

const keptOf = async <T>({ client }: ControlPlane, name: string): Promise<T> => {
  const [{ number } = { number: 0 }] = await listRuns(client, 'airunway-runs')
  const kept = await readKept<T>(client, 'airunway-runs', number, name)
  if (kept === undefined) throw new Error(`run ${number} keeps no ${name}`)
  return kept
}

/** Without what v1alpha1 has no field for; written down here once more, so that it is not the conversion that judges itself. */
function withoutLost(spec: ModelDeploymentSpec): ModelDeploymentSpec {
  const { engine, resources, scaling, ...rest } = spec
  const { extraArgs: _extraArgs, ...otherEngine } = engine ?? {}
  const { strategy: _strategy, ...otherScaling } = scaling ?? {}
  const { accelerators, ...otherResources } = resources ?? {}
  const first = accelerators?.slice(0, 1).map(({ memory: _memory, ...accelerator }) => accelerator)
  return {
    ...rest,
    ...(engine && { engine: otherEngine }),
    ...(resources && { resources: { ...otherResources, ...(first?.length === 1 && { accelerators: first }) } }),
    ...(scaling && { scaling: otherScaling }),
  }
}
