import { describe, expect, test } from 'vitest'
import type { Inventory } from '../../../src/installation/inventory.types.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import type { Plan, Step, StepKind, StepOf, Tier } from '../../../src/plan/plan.types.ts'
import type { Planned } from '../../../src/plan/refused.types.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { runningOn, sampleRelease } from '../../support/upgrade-samples.ts'

const plan = (planned: Planned): Plan => {
  if ('refused' in planned) throw new Error(planned.refused.message)
  return planned.plan
}

const from = async (
  version: string,
  to: string,
  change?: (inventory: Inventory, release: Release) => void,
  tier?: Tier,
): Promise<Planned> => {
  const [old, release] = await Promise.all([sampleRelease(version), sampleRelease(to)])
  const inventory = runningOn(old)
  change?.(inventory, release)
  const [install] = inventory.installs
  if (install === undefined) throw new Error('no install')
  return planUpgrade({ inventory, install, release, tier, holdStorage: true })
}

const steps = <K extends StepKind>({ steps: all }: Plan, kind: K): StepOf<K>[] =>
  all.filter((step: Step): step is StepOf<K> => step.kind === kind)

const place = ({ steps: all }: Plan, matches: (step: Step) => boolean): number => all.findIndex(matches)
const applies = (kind: string) => (step: Step) =>
  step.kind === 'apply' && step.objects.some((object) => object.kind === kind)

describe('v0.1.0 to v0.2.0', () => {
  test('what a step needs is there before it', async () => {
    const made = plan(await from('v0.1.0', 'v0.2.0', undefined, 'in-place'))
    const order = [
      place(made, ({ kind }) => kind === 'back-up'),
      place(made, ({ kind }) => kind === 'take-baseline'),
      place(made, applies('ClusterRole')),
      place(made, applies('Service')),
      place(made, applies('CustomResourceDefinition')),
      place(made, applies('Deployment')),
      place(made, ({ kind }) => kind === 'roll-out'),
      place(made, applies('ValidatingWebhookConfiguration')),
      place(made, ({ kind }) => kind === 'await-lease'),
      place(made, ({ kind }) => kind === 'await-admission'),
      place(made, ({ kind }) => kind === 'await-reconcile'),
      place(made, ({ kind }) => kind === 'compare-baseline'),
    ]
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order[0]).toBe(0)
    expect(order.at(-1)).toBe(made.steps.length - 1)
  })

  test('the storage version is held, the new one is served', async () => {
    const made = plan(await from('v0.1.0', 'v0.2.0'))
    const crds = steps(made, 'apply')
      .flatMap(({ objects }) => objects)
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
    const models = crds.find(({ metadata }) =>
      metadata.name.startsWith('modeldeployments.'),
    ) as unknown as CustomResourceDefinition
    expect(models.spec.versions.filter(({ storage }) => storage).map(({ name }) => name)).toEqual(['v1alpha1'])
    expect(models.spec.versions.filter(({ served }) => served).map(({ name }) => name)).toContain('v1beta1')
    expect(made.notes.join(' ')).toContain('stay stored in v1alpha1')
  })

  test('every object of the release is applied exactly once, and backed up', async () => {
    const release = await sampleRelease('v0.2.0')
    const made = plan(await from('v0.1.0', 'v0.2.0'))
    const name = (object: { kind: string; metadata: { name: string } }): string =>
      `${object.kind} ${object.metadata.name}`
    const applied = steps(made, 'apply')
      .flatMap(({ objects }) => objects)
      .map(name)
    const wanted = [
      ...release.objects.map(({ object }) => name(object)),
      ...release.shims.flatMap(({ objects }) => objects.map(name)),
    ]
    expect(applied.toSorted()).toEqual(wanted.toSorted())
    expect(
      steps(made, 'back-up')[0]
        ?.objects.map((ref) => `${ref.kind} ${ref.name}`)
        .toSorted(),
    ).toEqual(wanted.toSorted())
  })

  test('no image is left on a mutable tag', async () => {
    const made = plan(await from('v0.1.0', 'v0.2.0'))
    expect(JSON.stringify(made.steps)).not.toContain(':latest')
    expect(steps(made, 'roll-out').map(({ image }) => image.split(':').at(-1))).toEqual(['0.2.0', '0.2.0', '0.2.0'])
  })

  test('a shim whose image is not known stays, and it is said why', async () => {
    const made = plan(
      await from('v0.1.0', 'v0.2.0', (_inventory, release) => {
        release.shims = release.shims.map(({ pinnedImage, ...shim }) =>
          shim.name === 'kaito' || pinnedImage === undefined ? shim : { ...shim, pinnedImage },
        )
      }),
    )
    expect(steps(made, 'roll-out').map(({ deployment }) => deployment.name)).toEqual([
      'kubeairunway-controller',
      'kubeairunway-kuberay-provider',
    ])
    expect(made.notes.join('\n')).toMatch(
      /The kaito shim stays on .*: its image in v0.2.0 is ".*:latest", which names no version/,
    )
  })

  test('a shim that is not installed is not brought along', async () => {
    const made = plan(
      await from('v0.1.0', 'v0.2.0', (inventory) => {
        inventory.shims = inventory.shims.filter(({ name }) => name !== 'kuberay')
      }),
    )
    expect(JSON.stringify(made.steps)).not.toContain('kubeairunway-kuberay-provider')
  })

  test('the same input gives the same hash; what changes by itself does not count', async () => {
    const one = plan(await from('v0.1.0', 'v0.2.0'))
    const other = plan(
      await from('v0.1.0', 'v0.2.0', (inventory) => {
        inventory.takenAt = '2027-01-01T00:00:00Z'
        for (const install of inventory.installs) install.readyReplicas = 0
      }),
    )
    expect(other.hash).toBe(one.hash)
  })
})

test('a release that lacks a stored version is refused with the reason', async () => {
  const planned = await from('v0.3.0', 'v0.4.0', (inventory) => {
    for (const crd of inventory.crds) crd.storedVersions = ['v1alpha1', 'v1beta1']
  })
  expect(planned).toMatchObject({ refused: { message: expect.stringContaining('stored in v1alpha1') } })
})

test('a version in which nothing is stored is withdrawn before the new controller comes', async () => {
  const made = plan(await from('v0.3.0', 'v0.4.0'))
  const withdrawn = steps(made, 'withdraw-version')
  expect(withdrawn.map(({ versions }) => versions)).toContainEqual(['v1alpha1'])
  expect(place(made, ({ kind }) => kind === 'withdraw-version')).toBeLessThan(place(made, applies('Deployment')))
})

describe('a version that ends', () => {
  test('leaves the owner references first, and once more when the old shims are gone', async () => {
    const made = plan(await from('v0.2.0', 'v0.3.0', holdAlpha))
    const moves = steps(made, 'move-owners')
    expect(moves.map(({ owner }) => owner)).toEqual([
      { kind: 'ModelDeployment', from: ['kubeairunway.ai/v1alpha1'], to: 'kubeairunway.ai/v1beta1' },
      { kind: 'ModelDeployment', from: ['kubeairunway.ai/v1alpha1'], to: 'kubeairunway.ai/v1beta1' },
    ])
    const first = place(made, ({ kind }) => kind === 'move-owners')
    expect(first).toBeLessThan(place(made, applies('CustomResourceDefinition')))
    expect(made.steps.findLastIndex(({ kind }) => kind === 'move-owners')).toBeGreaterThan(
      made.steps.findLastIndex(({ kind }) => kind === 'roll-out'),
    )
  })

  test('that is still stored is neither read nor nudged with', async () => {
    const made = plan(await from('v0.2.0', 'v0.3.0', holdAlpha))
    expect(steps(made, 'await-reconcile').map(({ workloads }) => workloads.apiVersion)).toEqual([
      'kubeairunway.ai/v1beta1',
      'kubeairunway.ai/v1beta1',
      'kubeairunway.ai/v1beta1',
    ])
  })

  test('is said to leave no way back; one that is only added leaves one', async () => {
    expect(plan(await from('v0.2.0', 'v0.3.0', holdAlpha)).wayBack).toMatchObject({ possible: false })
    expect(plan(await from('v0.1.0', 'v0.2.0')).wayBack).toEqual({ possible: true })
    expect(steps(plan(await from('v0.1.0', 'v0.2.0')), 'move-owners')).toEqual([])
  })

  /** As an upgrade to v0.2.0 leaves it: stored in v1alpha1. */
  const holdAlpha = ({ crds }: Inventory): void => {
    for (const crd of crds) {
      crd.storedVersions = ['v1alpha1']
      for (const version of crd.versions) version.storage = version.name === 'v1alpha1'
    }
  }
})

test('what runs under a tag that moves is known by its digest, or there is no way back to it', async () => {
  const digest = `ghcr.io/kubeairunway/kubeairunway/controller@sha256:${'a'.repeat(64)}`
  const latest = (imageID: string) => (inventory: Inventory) => {
    const [install] = inventory.installs
    if (install === undefined) return
    install.version = { known: false, why: 'latest', detail: '' }
    install.pods = [{ name: 'p', uid: 'u', ready: true, image: 'x:latest', imageID, restarts: 0 }]
  }
  const pinned = plan(await from('v0.1.0', 'v0.2.0', latest(`docker-pullable://${digest}`)))
  expect(Object.values(pinned.running ?? {})).toEqual([digest])
  expect(pinned.wayBack).toEqual({ possible: true })
  expect(plan(await from('v0.1.0', 'v0.2.0', latest('sha256:abc'))).wayBack).toMatchObject({ possible: false })
})
