import { expect, test } from 'vitest'
import { canonicalJson, planHash } from '../../../src/plan/hash.ts'
import type { Plan } from '../../../src/plan/plan.types.ts'

const plan: Omit<Plan, 'hash'> = {
  kind: 'upgrade',
  product: 'kubeairunway',
  from: 'v0.1.0',
  to: 'v0.2.0',
  source: 'x',
  tier: 'in-place',
  tierReason: 'r',
  components: [],
  notes: [],
  wayBack: { possible: true },
  steps: [],
}

test('key order does not matter, values do', () => {
  const { kind, ...rest } = plan
  expect(planHash({ ...rest, kind })).toBe(planHash(plan))
  expect(planHash({ ...plan, to: 'v0.3.0' })).not.toBe(planHash(plan))
})

test('lists keep their order', () => {
  expect(canonicalJson({ b: [2, 1], a: { d: 1, c: null } })).toBe('{"a":{"c":null,"d":1},"b":[2,1]}')
})
