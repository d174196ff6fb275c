import { describe, expect, test } from 'vitest'
import { componentsOf } from '../../../src/status/components.ts'
import { placesOf, whereElse } from '../../../src/status/leftovers.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { runningOn, sampleRelease } from '../../support/upgrade-samples.ts'

describe('where a Service sends requests', () => {
  const labels = { app: 'airunway', 'control-plane': 'controller' }

  test.each<[string, Record<string, string> | undefined, string | undefined]>([
    ['all labels', labels, undefined],
    ['some of them', { app: 'airunway' }, undefined],
    ['none, which selects nothing by itself', {}, 'no pods: it has no selector'],
    ['no selector at all', undefined, 'no pods: it has no selector'],
    [
      'those of a standby',
      { ...labels, 'control-plane': 'controller-standby' },
      'pods with control-plane=controller-standby, not those of the usual Deployment',
    ],
    ['a label that they lack', { tier: 'x' }, 'pods with tier=x, not those of the usual Deployment'],
  ])('%s', (_, selector, expected) => expect(whereElse(selector, labels)).toBe(expected))
})

test('labelled objects are looked for where the last run has written, each place once, and always beside the installs', async () => {
  const [before, after] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0')])
  const inventory = runningOn(before)
  const [install] = inventory.installs
  if (install === undefined) throw new Error('no install')
  const namespace = 'kubeairunway-system'
  const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', namespace }
  expect(placesOf(inventory, undefined)).toEqual([deployments])
  const planned = planUpgrade({ inventory, install, release: after })
  if (!('plan' in planned)) throw new Error(planned.refused.message)
  const places = placesOf(inventory, planned.plan)
  expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(places.length)
  expect(places).toContainEqual({ apiVersion: 'v1', kind: 'Service', namespace })
  expect(places).toContainEqual({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' })
})

test('components are told with the tier that the last run moved them by', async () => {
  const inventory = runningOn(await sampleRelease('v0.1.0'))
  const plan = { components: [{ component: 'the kaito shim', tier: 'standby', why: 'w' }] }
  const components = componentsOf(inventory, plan as Parameters<typeof componentsOf>[1])
  expect(components.map(({ component, version, tier }) => [component, version, tier])).toEqual([
    ['controller', 'v0.1.0', undefined],
    ...inventory.shims.map(({ name }) => [name, 'v0.1.0', name === 'kaito' ? 'standby' : undefined]),
  ])
})
