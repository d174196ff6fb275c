import { beforeAll, describe, expect, test } from 'vitest'
import type { Inventory } from '../../../src/installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment } from '../../../src/kubernetes/objects.ts'
import type { Plan, Step, StepKind, StepOf, Tier } from '../../../src/plan/plan.types.ts'
import type { Planned } from '../../../src/plan/refused.types.ts'
import { windowsOf } from '../../../src/plan/windows.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planUpgrade, type UpgradeInput } from '../../../src/upgrade/plan-upgrade.ts'
import { runningOn, sampleRelease } from '../../support/upgrade-samples.ts'

type Change = (inventory: Inventory, release: Release) => void

/** Read once, and copied for each test: tests change them. */
const releases = new Map<string, Release>()
const release = (version: string): Release => {
  const found = releases.get(version)
  if (found === undefined) throw new Error(`${version} was not read`)
  return structuredClone(found)
}

beforeAll(async () => {
  for (const version of ['v0.1.0', 'v0.2.0', 'v0.2.1', 'v0.3.0', 'v0.4.0'])
    releases.set(version, await sampleRelease(version))
}, 60_000)

const planned = async (
  version: string,
  to: string,
  options: { change?: Change; tier?: Tier } & Pick<
    UpgradeInput,
    'liveWebhooks' | 'liveRights' | 'othersPodFields' | 'noStandby'
  > = {},
): Promise<Planned> => {
  const [inventory, wanted] = [runningOn(release(version)), release(to)]
  options.change?.(inventory, wanted)
  const [install] = inventory.installs
  if (install === undefined) throw new Error('no install')
  const { change: _change, ...rest } = options
  return planUpgrade({ inventory, install, release: wanted, holdStorage: true, ...rest })
}

const plan = async (...input: Parameters<typeof planned>): Promise<Plan> => {
  const made = await planned(...input)
  if ('refused' in made) throw new Error(made.refused.message)
  return made.plan
}

const of = <K extends StepKind>({ steps }: Plan, kind: K): StepOf<K>[] =>
  steps.filter((step: Step): step is StepOf<K> => step.kind === kind)

const tiers = ({ components }: Plan): Record<string, string> =>
  Object.fromEntries(components.map(({ component, tier }) => [component, tier]))

const ALL_STANDBY = { 'the controller': 'standby', 'the kaito shim': 'standby', 'the kuberay shim': 'standby' }

describe('v0.1.0 to v0.2.0 by standbys', () => {
  test('is the way unless another is asked for', async () => {
    const made = await plan('v0.1.0', 'v0.2.0')
    expect(made.tier).toBe('standby')
    expect(tiers(made)).toEqual(ALL_STANDBY)
    const asked = await plan('v0.1.0', 'v0.2.0', { tier: 'in-place' })
    expect(asked.tier).toBe('in-place')
    expect(new Set(Object.values(tiers(asked)))).toEqual(new Set(['in-place']))
    expect(asked.steps.some(({ kind }) => ['stand-by', 'route', 'scale'].includes(kind))).toBe(false)
    expect(asked.hash).not.toBe(made.hash)
  })

  test('what a step needs is there before it', async () => {
    const made = await plan('v0.1.0', 'v0.2.0')
    const place = (matches: (step: Step) => boolean): number => made.steps.findIndex(matches)
    const applies = (kind: string) => (step: Step) =>
      step.kind === 'apply' && step.objects.some((object) => object.kind === kind)
    const order = [
      place(({ kind }) => kind === 'back-up'),
      place(({ kind }) => kind === 'take-baseline'),
      place(applies('ClusterRole')),
      place(applies('Service')),
      place(({ kind }) => kind === 'stand-by'),
      place(({ kind }) => kind === 'route'),
      // All requests go to the new release: its rules, then its versions, and both are asked at once.
      place(applies('ValidatingWebhookConfiguration')),
      place(applies('CustomResourceDefinition')),
      made.steps.findIndex(
        ({ kind }, index) => kind === 'await-admission' && index > place(applies('CustomResourceDefinition')),
      ),
      place((step) => step.kind === 'scale' && step.replicas === 'none'),
      place(({ kind }) => kind === 'await-lease'),
      place(({ kind }) => kind === 'await-reconcile'),
      place(applies('Deployment')),
      place(({ kind }) => kind === 'roll-out'),
      place(({ kind }) => kind === 'delete'),
      place(({ kind }) => kind === 'compare-baseline'),
    ]
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order.at(-1)).toBe(made.steps.length - 1)
  })

  test('whatever is stopped is running again, or deleted, and each side proves itself while it holds the Lease', async () => {
    const made = await plan('v0.1.0', 'v0.2.0')
    const stopped = of(made, 'scale').flatMap(({ replicas, deployments }) => (replicas === 'none' ? deployments : []))
    const started = of(made, 'scale').flatMap(({ replicas, deployments }) => (replicas === 'none' ? [] : deployments))
    const deleted = of(made, 'delete').flatMap(({ objects }) => objects)
    expect(stopped.map(({ name }) => name).toSorted()).toEqual(
      [...started, ...deleted].map(({ name }) => name).toSorted(),
    )
    const created = of(made, 'stand-by').map(({ object }) => object.metadata.name)
    expect(deleted.map(({ name }) => name)).toEqual(created)
    const proofs = made.steps.flatMap(({ kind }, index) =>
      kind === 'await-lease'
        ? [made.steps.slice(index, index + 5).some((step) => step.kind === 'await-reconcile')]
        : [],
    )
    expect(proofs).toEqual([true, true, true, true, true, true])
  })

  test('its requests are back where they were, and the release is applied whole, once', async () => {
    const { objects, shims } = release('v0.2.0')
    const made = await plan('v0.1.0', 'v0.2.0')
    const last = of(made, 'route').at(-1)
    expect([last?.service]).toEqual(
      objects.flatMap(({ object }) => (object.metadata.name.endsWith('webhook-service') ? [object] : [])),
    )
    const name = (object: AnyObject): string => `${object.kind} ${object.metadata.name}`
    expect(
      of(made, 'apply')
        .flatMap((step) => step.objects.map(name))
        .toSorted(),
    ).toEqual(
      [...objects.map(({ object }) => name(object)), ...shims.flatMap((shim) => shim.objects.map(name))].toSorted(),
    )
  })

  test('asks the standby for every path that is called now or will be', async () => {
    const live: AnyObject = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'kubeairunway-validating-webhook-configuration' },
      webhooks: ['kubeairunway-webhook-service', 'somebody-elses'].map((service) => ({
        name: service,
        clientConfig: { service: { namespace: 'n', name: service, path: `/old-${service}` } },
      })),
    }
    const [controller] = of(await plan('v0.1.0', 'v0.2.0', { liveWebhooks: [live] }), 'stand-by')
    expect(controller?.webhooks?.paths).toEqual([
      '/convert',
      '/mutate-kubeairunway-ai-v1alpha1-modeldeployment',
      '/mutate-kubeairunway-ai-v1beta1-modeldeployment',
      '/old-kubeairunway-webhook-service',
      '/validate-kubeairunway-ai-v1alpha1-modeldeployment',
      '/validate-kubeairunway-ai-v1beta1-modeldeployment',
    ])
    expect(controller?.image).toMatch(/:0\.2\.0$/)
  })

  test('both releases may do what they need while both work, and at the end just the new one', async () => {
    const rights = (made: Plan, name: string): unknown[][] =>
      of(made, 'apply')
        .flatMap(({ objects }) => objects)
        .filter(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)
        .map((object) => (object['rules'] as unknown[]) ?? [])
    const more = { apiGroups: ['x'], resources: ['y'], verbs: ['get'] }
    const old = release('v0.1.0')
    const liveRights = [...old.objects.map(({ object }) => object), ...old.shims.flatMap(({ objects }) => objects)]
      .filter(({ kind }) => kind === 'ClusterRole')
      .map((role) => ({ ...role, rules: [...(role['rules'] as unknown[]), more] }))
    const made = await plan('v0.1.0', 'v0.2.0', { liveRights })
    for (const name of ['kubeairunway-manager-role', 'kubeairunway-kaito-provider-role']) {
      const [first, last, ...rest] = rights(made, name)
      expect(first).toContainEqual(more)
      expect(last).not.toContainEqual(more)
      expect(rest).toEqual([])
      expect([last]).toEqual(rights(await plan('v0.1.0', 'v0.2.0'), name))
    }
  })

  test('says what is interrupted, and which steps measure it', async () => {
    const made = await plan('v0.1.0', 'v0.2.0')
    expect(made.notes.join('\n')).toMatch(/changes hands twice/)
    expect(made.notes.join('\n')).toMatch(/provider is not ready for some seconds/)
    const windows = windowsOf(made)
    expect(windows).toHaveLength(6)
    // v1beta1 is converted from the moment that it is served.
    expect(windows.map(({ what }) => what).join()).not.toContain('could not be read')
    expect(windowsOf(await plan('v0.1.0', 'v0.2.0', { tier: 'in-place' })).map(({ what }) => what)).toEqual([
      'modeldeployments.kubeairunway.ai v1beta1 could not be read',
    ])
  })
})

const controllerDeployment = ({ objects }: Release): Deployment => {
  const found = objects.find(({ role, object }) => role === 'controller' && object.kind === 'Deployment')
  return found?.object as unknown as Deployment
}

describe('what cannot go by a standby', () => {
  test.each<[string, Change, Record<string, string>, RegExp]>([
    [
      'a controller without replicas',
      ({ installs: [install] }) => Object.assign(install ?? {}, { replicas: 0 }),
      { ...ALL_STANDBY, 'the controller': 'in-place' },
      /no replicas/,
    ],
    [
      'a controller that does not hold its Lease',
      ({ installs: [install] }) => Object.assign(install ?? {}, { lease: { name: 'lease', fresh: false } }),
      { ...ALL_STANDBY, 'the controller': 'in-place' },
      /no pod of it holds the Lease/,
    ],
    [
      'a controller that takes a port of its node',
      (_inventory, wanted) => Object.assign(controllerDeployment(wanted).spec.template.spec, { hostNetwork: true }),
      { ...ALL_STANDBY, 'the controller': 'in-place' },
      /ports of their node/,
    ],
    [
      'a shim without replicas',
      ({ shims }) => Object.assign(shims.find(({ name }) => name === 'kaito') ?? {}, { replicas: 0 }),
      { ...ALL_STANDBY, 'the kaito shim': 'in-place' },
      /no replicas/,
    ],
    [
      'a shim that stays on its image',
      ({ shims }, wanted) =>
        Object.assign(shims.find(({ name }) => name === 'kaito') ?? {}, {
          image: wanted.shims.find(({ name }) => name === 'kaito')?.pinnedImage,
        }),
      { ...ALL_STANDBY, 'the kaito shim': 'in-place' },
      /runs this image already/,
    ],
  ])('%s', async (_name, change, expected, why) => {
    const made = await plan('v0.1.0', 'v0.2.0', { change })
    expect(tiers(made)).toEqual(expected)
    expect(made.components.find(({ tier }) => tier === 'in-place')?.why).toMatch(why)
    const refused = await planned('v0.1.0', 'v0.2.0', { change, tier: 'standby' })
    expect(refused).toMatchObject({ refused: { why: expect.stringMatching(why) } })
  })

  test('pods that somebody has changed: that component only', async () => {
    const othersPodFields = {
      'Deployment kubeairunway-system/kubeairunway-kaito-provider': ['.spec.template.spec.nodeSelector (kubectl-edit)'],
    }
    const made = await plan('v0.1.0', 'v0.2.0', { othersPodFields })
    expect(tiers(made)).toEqual({ ...ALL_STANDBY, 'the kaito shim': 'in-place' })
    expect(made.components.find(({ tier }) => tier === 'in-place')?.why).toContain('nodeSelector (kubectl-edit)')
  })

  test('something of somebody in the way of a standby: that component only', async () => {
    const noStandby = { 'Deployment kubeairunway-system/kubeairunway-controller': 'its name is taken' }
    const made = await plan('v0.1.0', 'v0.2.0', { noStandby })
    expect(tiers(made)).toEqual({ ...ALL_STANDBY, 'the controller': 'in-place' })
    expect(await planned('v0.1.0', 'v0.2.0', { noStandby, tier: 'standby' })).toMatchObject({
      refused: { why: 'its name is taken.' },
    })
  })

  test('a hop in which a version is no longer served: all of it, and it is said why', async () => {
    const made = await plan('v0.2.0', 'v0.3.0')
    expect(new Set(Object.values(tiers(made)))).toEqual(new Set(['in-place']))
    expect(made.tierReason).toMatch(/v1alpha1 is no longer served/)
    expect(await planned('v0.2.0', 'v0.3.0', { tier: 'standby' })).toMatchObject({
      refused: { message: 'The controller cannot go by a standby.' },
    })
  })

  test('fields that one release cannot decode: none of them, whatever is asked for', async () => {
    const change: Change = (_inventory, { objects }) => {
      const crd = objects.find(({ object }) => object.metadata.name.startsWith('modeldeployments.'))
      if (crd === undefined) throw new Error('no CRD')
      for (const { schema } of (crd.object as unknown as CustomResourceDefinition).spec.versions)
        Object.assign((schema?.openAPIV3Schema?.['properties'] as object | undefined) ?? {}, {
          spec: { type: 'string' },
        })
    }
    expect(await planned('v0.1.0', 'v0.2.1', { change, tier: 'standby' })).toHaveProperty('refused')
  })
})

test('a conversion that ends has ended before the standby comes, which does not serve it any more', async () => {
  const made = await plan('v0.3.0', 'v0.4.0')
  expect(made.tier).toBe('standby')
  expect(made.steps.findIndex(({ kind }) => kind === 'withdraw-version')).toBeLessThan(
    made.steps.findIndex(({ kind }) => kind === 'stand-by'),
  )
  expect(of(made, 'stand-by')[0]?.webhooks?.paths).not.toContain('/convert')
})
