import { describe, expect, test } from 'vitest'
import { expects, nudgeOf, stillMissing, whyNotNudged } from '../../../src/fence/nudge.ts'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'

const model = (status: object, metadata: object = {}): AnyObject => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'm', namespace: 'n', uid: 'u', resourceVersion: '7', generation: 3, ...metadata },
  status,
})
const running = { phase: 'Running', observedGeneration: 3, provider: { resourceKind: 'Workspace' } }
const paused = 'kubeairunway.ai/reconcile-paused'

test.each([
  ['an ordinary one', {}, undefined],
  ['a paused one', { annotations: { [paused]: 'true' } }, 'paused'],
  ['one whose pause was lifted', { annotations: { [paused]: 'false' } }, undefined],
  ['one that is being deleted', { deletionTimestamp: '2026-01-01T00:00:00Z' }, 'terminating'],
])('%s', (_title, metadata, expected) => {
  expect(whyNotNudged(model(running, metadata), paused)).toBe(expected)
})

test('the nudge takes away what controller and shim must restore, on this very object', () => {
  expect(nudgeOf(model(running))).toEqual({
    metadata: { uid: 'u', resourceVersion: '7' },
    status: { observedGeneration: 0, provider: { resourceKind: null } },
  })
})

test.each([
  ['a failed one: the shim may never restore it', { ...running, phase: 'Failed' }],
  ['one without a provider object yet', { phase: 'Pending', observedGeneration: 3 }],
])('the shim is not waited for: %s', (_title, status) => {
  expect(expects(model(status)).resourceKind).toBeUndefined()
  expect(nudgeOf(model(status))).toEqual({
    metadata: { uid: 'u', resourceVersion: '7' },
    status: { observedGeneration: 0 },
  })
})

test('what an earlier nudge took away and nobody restored is still waited for', () => {
  const nudged = model({ phase: 'Running', observedGeneration: 0, provider: { resourceName: 'm', resourceKind: null } })
  expect(expects(nudged).resourceKind).toBeDefined()
  expect(stillMissing(nudged, expects(nudged))).toBe('controller')
})

describe('stillMissing', () => {
  const awaited = expects(model(running))
  test.each([
    ['nobody answered', { ...running, observedGeneration: 0, provider: {} }, 'controller'],
    ['the controller answered', { ...running, provider: {} }, 'shim'],
    ['the shim answered first', { ...running, observedGeneration: 0 }, 'controller'],
    ['both answered', running, undefined],
    ['both answered, and the spec changed meanwhile', { ...running, observedGeneration: 4 }, undefined],
  ])('%s', (_title, status, expected) => {
    expect(stillMissing(model(status), awaited)).toBe(expected)
  })
})

test('a shim that is told to have no pods is neither nudged nor waited for', () => {
  expect(expects(model(running), false).resourceKind).toBeUndefined()
  expect(nudgeOf(model(running), false)['status']).toEqual({ observedGeneration: 0 })
})
