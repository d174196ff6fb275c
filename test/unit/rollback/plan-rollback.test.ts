import { describe, expect, test } from 'vitest'
import type { Inventory } from '../../../src/installation/inventory.types.ts'
import type { Plan, Step, StepKind, StepOf } from '../../../src/plan/plan.types.ts'
import type { Planned } from '../../../src/plan/refused.types.ts'
import { planRollback } from '../../../src/rollback/plan-rollback.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { backupOf, crdState, runningOn, runOf, sampleRelease } from '../../support/upgrade-samples.ts'

/** The cluster as an upgrade leaves it, and the way back from there. */
const back = async (from: string, to: string, change?: (inventory: Inventory) => void): Promise<Planned> => {
  const [old, release] = await Promise.all([sampleRelease(from), sampleRelease(to)])
  const before = runningOn(old)
  const [install] = before.installs
  if (install === undefined) throw new Error('no install')
  const upgrade = planUpgrade({ inventory: before, install, release, tier: 'in-place' })
  if ('refused' in upgrade) throw new Error(upgrade.refused.message)
  const inventory = runningOn(release)
  inventory.crds = upgrade.plan.steps
    .flatMap((step) => (step.kind === 'apply' ? step.objects : []))
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map((object) => crdState(object))
  change?.(inventory)
  return planRollback({ run: runOf(upgrade.plan), plan: upgrade.plan, backup: backupOf(old, upgrade.plan), inventory })
}

const plan = (planned: Planned): Plan => {
  if ('refused' in planned) throw new Error(`${planned.refused.message} ${planned.refused.why}`)
  return planned.plan
}
const steps = <K extends StepKind>({ steps: all }: Plan, kind: K): StepOf<K>[] =>
  all.filter((step: Step): step is StepOf<K> => step.kind === kind)
const place = ({ steps: all }: Plan, matches: (step: Step) => boolean): number => all.findIndex(matches)
const applies = (kind: string) => (step: Step) =>
  step.kind === 'apply' && step.objects.some((object) => object.kind === kind)

describe('back from v0.2.0 to v0.1.0', () => {
  test('the version that the upgrade added goes, with its conversion, while its webhook still runs', async () => {
    const made = plan(await back('v0.1.0', 'v0.2.0'))
    const models = steps(made, 'withdraw-version').find(({ definition }) => definition.startsWith('modeldeployments.'))
    expect(models).toMatchObject({ versions: ['v1beta1'], conversion: 'None' })
    const withdrawn = place(made, ({ kind }) => kind === 'withdraw-version')
    expect(place(made, applies('ValidatingWebhookConfiguration'))).toBeLessThan(withdrawn)
    expect(withdrawn).toBeLessThan(place(made, applies('Deployment')))
  })

  test('controller and shims run the images from before; the proofs read a version that stays', async () => {
    const made = plan(await back('v0.1.0', 'v0.2.0'))
    expect(steps(made, 'roll-out').map(({ image }) => image.split(':').at(-1))).toEqual(['0.1.0', '0.1.0', '0.1.0'])
    expect(steps(made, 'await-reconcile').map(({ workloads }) => workloads.apiVersion)).toEqual([
      'kubeairunway.ai/v1alpha1',
    ])
    expect(made).toMatchObject({ from: 'v0.2.0', to: 'v0.1.0', kind: 'rollback' })
  })

  test('no CRD is applied or deleted, and no namespace deleted', async () => {
    const made = plan(await back('v0.1.0', 'v0.2.0'))
    expect(place(made, applies('CustomResourceDefinition'))).toBe(-1)
    const deleted = steps(made, 'delete').flatMap(({ objects }) => objects.map(({ kind }) => kind))
    expect(deleted).not.toContain('CustomResourceDefinition')
    expect(deleted).not.toContain('Namespace')
  })
})

test('a controller that ran under a tag that moves goes back to the digest that ran', async () => {
  const digest = `ghcr.io/kubeairunway/kubeairunway/controller@sha256:${'a'.repeat(64)}`
  const [old, release] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0')])
  const before = runningOn(old)
  const [install] = before.installs
  if (install === undefined) throw new Error('no install')
  install.version = { known: false, why: 'latest', detail: '' }
  install.pods = [{ name: 'p', uid: 'u', ready: true, image: 'x:latest', imageID: digest, restarts: 0 }]
  const upgrade = planUpgrade({ inventory: before, install, release, tier: 'in-place' })
  if ('refused' in upgrade) throw new Error(upgrade.refused.message)
  const inventory = runningOn(release)
  const made = plan(
    planRollback({
      run: runOf(upgrade.plan),
      plan: upgrade.plan,
      backup: backupOf(old, upgrade.plan),
      inventory: { ...inventory, crds: before.crds },
    }),
  )
  expect(steps(made, 'roll-out')[0]?.image).toBe(digest)
  const applied = steps(made, 'apply').flatMap(({ objects }) => objects)
  const controller = applied.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'kubeairunway-controller',
  )
  expect(JSON.stringify(controller)).toContain(digest)
})

describe('refused, with the reason', () => {
  test.each<[string, (inventory: Inventory) => void, RegExp]>([
    [
      'the storage version moved',
      ({ crds }) => {
        for (const crd of crds) for (const version of crd.versions) version.storage = version.name === 'v1beta1'
      },
      /stores v1beta1; v0\.1\.0 stores v1alpha1/,
    ],
    [
      'objects may be stored in the new version',
      ({ crds }) => {
        for (const crd of crds) crd.storedVersions = ['v1alpha1', 'v1beta1']
      },
      /stores v1beta1/,
    ],
    [
      'a CRD is gone',
      (inventory) => {
        inventory.crds = []
      },
      /is gone/,
    ],
    [
      'the schema lost a field that the old release has',
      ({ crds }) => {
        for (const { object } of crds)
          for (const version of object?.spec.versions ?? []) version.schema = { openAPIV3Schema: { type: 'object' } }
      },
      /has changed so that v0\.1\.0 cannot read/,
    ],
  ])('%s', async (_title, change, expected) => {
    const planned = await back('v0.1.0', 'v0.2.0', change)
    expect(planned).toMatchObject({ refused: { message: expect.stringMatching(expected) } })
  })
})
