import { expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { isDecided, isStoppedByHand, type Replicas } from '../../../src/plan/replicas.ts'

interface Case {
  name: string
  now: number
  owner?: { manager: string; operation: 'Apply' | 'Update'; subresource?: string }
  had: Replicas
  decided: boolean
}

const TOOL = { manager: 'kubectl-airunway', operation: 'Apply' } as const
const PERSON = { manager: 'kubectl', operation: 'Update', subresource: 'scale' } as const

const deployment = ({ now, owner }: Case): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'controller',
    managedFields: owner === undefined ? [] : [{ ...owner, fieldsV1: { 'f:spec': { 'f:replicas': {} } } }],
  },
  spec: { replicas: now },
})

test.each<Case>([
  { name: 'the same number', now: 2, had: { replicas: 2 }, decided: true },
  { name: 'a number of the release', now: 1, owner: TOOL, had: { replicas: 2 }, decided: true },
  { name: 'a number set meanwhile', now: 3, owner: PERSON, had: { replicas: 2 }, decided: true },
  { name: 'a 0 of ours', now: 0, owner: { ...TOOL, operation: 'Update' }, had: { replicas: 2 }, decided: false },
  // kubectl scale and autoscalers leave no owner where nobody owned the number before; an apply without it makes it 1.
  { name: 'a default that nobody owns', now: 1, had: { replicas: 2 }, decided: false },
  { name: 'what an autoscaler had', now: 1, owner: TOOL, had: { replicas: 2, owner: PERSON }, decided: false },
])('$name: stays $decided', (each) => {
  expect(isDecided(deployment(each), each.had, ['kubectl-airunway'])).toBe(each.decided)
})

test.each<[string, number, object[], boolean]>([
  ['scaled to 0 by kubectl, which leaves no owner', 0, [], true],
  ['stopped by a run', 0, [{ manager: 'kubectl-airunway', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }], false],
  ['one pod that nobody asked for', 1, [], false],
])('%s: stopped by hand?', (_, replicas, managedFields, expected) => {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', managedFields },
    spec: { replicas },
  }
  expect(isStoppedByHand(object as unknown as AnyObject)).toBe(expected)
})
