import { beforeAll, describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/backup/backup.types.ts'
import type { Inventory } from '../../../src/installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import type { Plan, Step } from '../../../src/plan/plan.types.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planMend } from '../../../src/rollback/mend.ts'
import { planRollback, type RollbackInput } from '../../../src/rollback/plan-rollback.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { backupOf, runningOn, runOf, sampleRelease } from '../../support/upgrade-samples.ts'

const CONFIGS = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'InferenceProviderConfig' }
const config = (name: string, capabilities: object, more: object = {}): AnyObject => ({
  ...CONFIGS,
  metadata: { name, ...more },
  spec: { capabilities },
})
const old = config('acme', { engines: ['vllm'], gpuSupport: true })
const converted = config('acme', { engines: [{ name: 'vllm', gpuSupport: true }] })

let before: Release
let after: Release
let upgrade: Plan
let backup: Backup

/** On the cluster the Deployments have the names of the release's files. */
const inventoryOf = (release: Release): Inventory => {
  const inventory = runningOn(release)
  return {
    ...inventory,
    shims: inventory.shims.map((shim) => ({
      ...shim,
      deployment: { ...shim.deployment, name: `kubeairunway-${shim.name}-provider` },
    })),
  }
}

const installOf = (inventory: Inventory): Inventory['installs'][number] => {
  const [install] = inventory.installs
  if (install === undefined) throw new Error('nothing is installed')
  return install
}

beforeAll(async () => {
  ;[before, after] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0-undecodable')])
  const inventory = inventoryOf(before)
  const planned = planUpgrade({ inventory, install: installOf(inventory), release: after })
  if ('refused' in planned) throw new Error(planned.refused.message)
  upgrade = planned.plan
  const saved = { ...old, metadata: { ...old.metadata, uid: 'u', resourceVersion: '7', labels: { team: 'a' } } }
  backup = {
    ...backupOf(before, upgrade),
    collections: { 'kubeairunway.ai/v1alpha1 InferenceProviderConfig': [saved] },
  }
})

const back = (inventory: Inventory, change: Partial<RollbackInput> = {}): Plan => {
  const planned = planRollback({ run: runOf(upgrade), plan: upgrade, backup, inventory, ...change })
  if ('refused' in planned) throw new Error(planned.refused.message)
  return planned.plan
}

const only = <K extends Step['kind']>({ steps }: Plan, kind: K): Extract<Step, { kind: K }>[] =>
  steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind)

const indexOf = ({ steps }: Plan, matches: (step: Step) => boolean): number => {
  const index = steps.findIndex(matches)
  expect(index).toBeGreaterThanOrEqual(0)
  return index
}

const engines = (definition: AnyObject): unknown => {
  const [version] = (definition as unknown as CustomResourceDefinition).spec.versions
  const text = JSON.stringify(version?.schema?.openAPIV3Schema)
  return /"engines":\{[^}]*"type":"array","items":\{"type":"(\w+)"/.exec(text)?.[1]
}

describe('the way back from a hop that neither release can decode', () => {
  /** Where the upgrade, or somebody with kubectl, may have left the cluster. */
  const left = (): [where: string, inventory: Inventory][] => {
    const [atStart, atEnd] = [inventoryOf(before), inventoryOf(after)]
    return [
      ['its end', atEnd],
      ['its start, or the release before applied by hand', atStart],
      ['after the CRDs', { ...atStart, crds: atEnd.crds }],
      ['everything stopped', { ...atStart, installs: atStart.installs.map((each) => ({ ...each, replicas: 0 })) }],
    ]
  }

  test('the same order, wherever it stopped', () => {
    for (const [where, inventory] of left()) {
      const plan = back(inventory)
      const order = [
        indexOf(plan, ({ kind }) => kind === 'back-up'),
        indexOf(plan, (step) => step.kind === 'scale' && step.replicas === 'none'),
        indexOf(plan, (step) => step.kind === 'apply' && step.objects.some(({ kind }) => kind.endsWith('Definition'))),
        indexOf(plan, ({ kind }) => kind === 'restore'),
        indexOf(plan, (step) => step.kind === 'apply' && step.objects.some(({ kind }) => kind === 'Deployment')),
        indexOf(plan, (step) => step.kind === 'scale' && step.replicas === 'as-before'),
        indexOf(plan, ({ kind }) => kind === 'roll-out'),
        indexOf(plan, ({ kind }) => kind === 'await-lease'),
        indexOf(plan, ({ kind }) => kind === 'await-reconcile'),
        indexOf(plan, ({ kind }) => kind === 'compare-baseline'),
      ]
      expect(order, where).toEqual(order.toSorted((a, b) => a - b))
    }
  })

  test('the old schema really comes back, and not a superset of it', () => {
    for (const [where, inventory] of left()) {
      const definitions = only(back(inventory), 'apply').flatMap(({ objects }) =>
        objects.filter(({ metadata }) => metadata.name.startsWith('inferenceproviderconfigs.')),
      )
      expect(definitions.map(engines), where).toEqual(['string'])
    }
  })

  test('configs are written as they were backed up, and none is deleted', () => {
    const plan = back(inventoryOf(after))
    expect(only(plan, 'restore')).toMatchObject([
      { collection: CONFIGS, objects: [{ ...old, metadata: { name: 'acme', labels: { team: 'a' } } }] },
    ])
    expect(only(plan, 'restore')[0]?.objects[0]?.metadata).not.toHaveProperty('resourceVersion')
    expect(
      only(plan, 'delete')
        .flatMap(({ objects }) => objects)
        .filter(({ kind }) => kind === CONFIGS.kind),
    ).toEqual([])
  })

  test('the controller and all shims stop, standbys too', () => {
    const [stop] = only(back(inventoryOf(after)), 'scale')
    const names = stop?.deployments.map(({ name }) => name)
    for (const name of ['kubeairunway-controller', 'kubeairunway-kaito-provider', 'kubeairunway-kuberay-provider'])
      expect(names).toEqual(expect.arrayContaining([name, `${name}-standby`]))
  })

  test('an abort of the upgrade is the same way', () => {
    const plan = back(inventoryOf(after), { kind: 'abort', run: runOf(upgrade, { state: 'failed' }) })
    expect(plan.kind).toBe('abort')
    expect(plan.steps).toEqual(back(inventoryOf(after)).steps)
  })

  test('an unfinished rollback is aborted by the same way, forward', () => {
    const rollback = back(inventoryOf(after))
    const forward = back(inventoryOf(before), {
      kind: 'abort',
      plan: { ...rollback, wayBack: { possible: true } },
      run: runOf(rollback, { kind: 'rollback', state: 'failed', from: 'v0.2.0-undecodable', to: 'v0.1.0' }),
      backup: {
        ...backupOf(after, rollback),
        collections: { 'kubeairunway.ai/v1alpha1 InferenceProviderConfig': [converted] },
      },
    })
    expect(only(forward, 'restore')).toMatchObject([{ objects: [converted] }])
    const definitions = only(forward, 'apply').flatMap(({ objects }) =>
      objects.filter(({ metadata }) => metadata.name.startsWith('inferenceproviderconfigs.')),
    )
    expect(definitions.map(engines)).toEqual(['object'])
  })

  test('of another kind of run nothing of this is in the plan', async () => {
    const inventory = inventoryOf(before)
    const planned = planUpgrade({ inventory, install: installOf(inventory), release: await sampleRelease('v0.2.0') })
    if ('refused' in planned) throw new Error(planned.refused.message)
    const plan = back(inventory, { plan: planned.plan, backup: backupOf(before, planned.plan) })
    expect(only(plan, 'restore')).toEqual([])
  })
})

describe('a hop by hand without a run to go back from', () => {
  const half = config('acme', { engines: [{}], gpuSupport: true })
  const mended = (configs: AnyObject[], saved: AnyObject[] = []): Plan | undefined => {
    const inventory = inventoryOf(before)
    return planMend({ inventory, install: installOf(inventory), configs, saved })
  }

  test('nothing to mend where everything can be read', () => {
    expect(mended([old])).toBeUndefined()
    expect(mended([])).toBeUndefined()
  })

  test('what an earlier run has backed up is written again, the newest that can be read', () => {
    const older = config('acme', { engines: ['sglang'] })
    const plan = mended([half, config('other', { engines: ['vllm'] })], [half, old, older])
    expect(plan && only(plan, 'restore')).toMatchObject([{ objects: [old] }])
    expect(plan).toMatchObject({ kind: 'rollback', from: 'v0.1.0', to: 'v0.1.0' })
    expect(plan?.notes.join('\n')).not.toContain('in no back-up')
  })

  test('what nobody has backed up is emptied and named, unless its shim registers by itself', () => {
    const plan = mended([half, config('kaito', { engines: [{}, {}] })])
    expect(plan && only(plan, 'restore')).toMatchObject([
      { objects: [], changes: { itemsToObjects: [{ field: 'spec.capabilities.engines' }] } },
    ])
    const lost = plan?.notes.filter((note) => note.includes('in no back-up'))
    expect(lost).toHaveLength(1)
    expect(lost?.[0]).toContain('kubectl edit inferenceproviderconfig acme')
  })

  test('everything is saved before it is written, and nothing is stopped or deleted', () => {
    const plan = mended([half])
    expect(plan?.steps.map(({ kind }) => kind)).toEqual([
      'back-up',
      'take-baseline',
      'restore',
      'await-admission',
      'await-reconcile',
      'compare-baseline',
    ])
    expect(plan && only(plan, 'back-up')).toMatchObject([{ collections: [CONFIGS] }])
  })
})
