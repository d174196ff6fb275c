import { expect, test } from 'vitest'
import type { Deployment } from '../../../src/kubernetes/objects.ts'
import { refusalOf } from '../../../src/steps/roll-out.ts'

const withCondition = (type: string, status: string): Pick<Deployment, 'status'> =>
  ({ status: { conditions: [{ type, status, message: 'exceeded quota: q' }] } }) as Pick<Deployment, 'status'>

test.each([
  ['ReplicaFailure', 'True', 'exceeded quota: q'],
  ['ReplicaFailure', 'False', undefined],
  ['Available', 'False', undefined],
])('%s=%s: %s', (type, status, said) => {
  expect(refusalOf(withCondition(type, status))).toBe(said)
})

test('a Deployment without a status says nothing', () => {
  expect(refusalOf({})).toBeUndefined()
})
