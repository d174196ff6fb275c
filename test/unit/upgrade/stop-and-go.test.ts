import { beforeAll, describe, expect, test } from 'vitest'
import type { Plan, Step } from '../../../src/plan/plan.types.ts'
import type { Planned, Refused } from '../../../src/plan/refused.types.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { runningOn, sampleRelease } from '../../support/upgrade-samples.ts'

let running: Release
let wanted: Release

beforeAll(async () => {
  ;[running, wanted] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0-undecodable')])
})

const planned = (release: Release, tier?: 'in-place' | 'standby'): Planned => {
  const inventory = runningOn(running)
  const [install] = inventory.installs
  if (install === undefined) throw new Error('nothing is installed')
  return planUpgrade({ inventory, install, release, ...(tier && { tier }) })
}

const planOf = (result: Planned): Plan => {
  if ('refused' in result) throw new Error(result.refused.message)
  return result.plan
}

const refusalOf = (result: Planned): Refused => {
  if ('plan' in result) throw new Error('it was not refused')
  return result.refused
}

const at = ({ steps }: Plan, matches: (step: Step) => boolean): number => {
  const index = steps.findIndex(matches)
  expect(index).toBeGreaterThanOrEqual(0)
  return index
}

const applies =
  (kind: string) =>
  (step: Step): boolean =>
    step.kind === 'apply' && step.objects.some((object) => object.kind === kind)

describe('the plan', () => {
  test('everything stops before the CRD changes, and starts after the configs have their new form', () => {
    const plan = planOf(planned(wanted))
    const order = [
      at(plan, ({ kind }) => kind === 'back-up'),
      at(plan, ({ kind }) => kind === 'take-baseline'),
      at(plan, (step) => step.kind === 'scale' && step.replicas === 'none'),
      at(plan, applies('CustomResourceDefinition')),
      at(plan, ({ kind }) => kind === 'rewrite'),
      at(plan, applies('Deployment')),
      at(plan, (step) => step.kind === 'scale' && step.replicas === 'as-before'),
      at(plan, ({ kind }) => kind === 'roll-out'),
      at(plan, ({ kind }) => kind === 'await-lease'),
      at(plan, ({ kind }) => kind === 'await-reconcile'),
      at(plan, ({ kind }) => kind === 'compare-baseline'),
    ]
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('the controller and every shim stop, and the same start', () => {
    const { steps } = planOf(planned(wanted))
    const scales = steps.filter((step) => step.kind === 'scale')
    expect(scales.map(({ deployments }) => deployments.map(({ name }) => name))).toEqual([
      ['kubeairunway-controller', 'kaito-provider', 'kuberay-provider'],
      ['kubeairunway-controller', 'kaito-provider', 'kuberay-provider'],
    ])
  })

  test('no Deployment is applied while the CRD is the old one', () => {
    const plan = planOf(planned(wanted))
    const definitions = at(plan, applies('CustomResourceDefinition'))
    const deployments = plan.steps.flatMap((step, index) => (applies('Deployment')(step) ? [index] : []))
    expect(deployments).toHaveLength(3)
    expect(Math.min(...deployments)).toBeGreaterThan(definitions)
  })

  test('all provider configs are backed up, and rewritten by what the release says', () => {
    const { steps } = planOf(planned(wanted))
    const collection = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'InferenceProviderConfig' }
    expect(steps.find(({ kind }) => kind === 'back-up')).toMatchObject({
      collections: expect.arrayContaining([collection]),
    })
    expect(steps.filter(({ kind }) => kind === 'rewrite')).toMatchObject([
      { collection, changes: wanted.providerConfigs },
    ])
  })

  test('it can be gone back from, and says what it interrupts', () => {
    const plan = planOf(planned(wanted))
    expect(plan.wayBack).toEqual({ possible: true })
    expect(plan.tier).toBe('in-place')
    expect(plan.tierReason).toContain('spec.capabilities.engines[]')
    expect(plan.notes.join('\n')).toMatch(/up to 60 s[^]*cannot be created or changed[^]*kubectl airunway rollback/)
  })

  test('in place that was asked for is the same way', () => {
    expect(planOf(planned(wanted, 'in-place')).hash).toBe(planOf(planned(wanted)).hash)
  })

  test('a release that changes no types goes another way', async () => {
    expect(planOf(planned(await sampleRelease('v0.2.0'))).steps.some(({ kind }) => kind === 'rewrite')).toBe(false)
  })
})

describe('refused', () => {
  test('a shim whose image nobody knows cannot stay', () => {
    const shims = wanted.shims.map(({ pinnedImage, ...shim }) =>
      shim.name === 'kuberay' || pinnedImage === undefined ? shim : { ...shim, pinnedImage },
    )
    expect(refusalOf(planned({ ...wanted, shims }))).toMatchObject({
      message: expect.stringContaining('kuberay') as string,
      next: 'kubectl airunway upgrade --to v0.2.0-undecodable --image kuberay=IMAGE',
    })
  })

  test('a shim that the release has no file for cannot stay either', () => {
    const shims = wanted.shims.filter(({ name }) => name !== 'kaito')
    expect(refusalOf(planned({ ...wanted, shims })).next).toContain('put a file for the kaito shim into the release')
  })

  test('nothing says how stored objects get the new form', () => {
    const { providerConfigs: _providerConfigs, ...silent } = wanted
    expect(refusalOf(planned(silent))).toMatchObject({
      message: expect.stringContaining('spec.capabilities.engines[]') as string,
      next: expect.stringContaining('providerConfigs') as string,
    })
  })

  test('nothing can convert ModelDeployments', () => {
    const objects = wanted.objects.map(({ role, object }) => {
      if (role !== 'crd' || !object.metadata.name.startsWith('modeldeployments.')) return { role, object }
      const text = JSON.stringify(object)
      const changed = text.replace(
        '"trustRemoteCode":{"description":"Run code that comes with the model.","type":"boolean"',
        '"trustRemoteCode":{"type":"string"',
      )
      expect(changed).not.toBe(text)
      return { role, object: JSON.parse(changed) as typeof object }
    })
    expect(refusalOf(planned({ ...wanted, objects })).message).toContain('spec.engine.trustRemoteCode')
  })

  test('a standby, for both would be up at the same time', () => {
    expect(refusalOf(planned(wanted, 'standby')).message).toContain('standby')
  })
})
