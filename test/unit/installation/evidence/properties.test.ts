import { expect, test } from 'vitest'
import { crdEvidenceProperties, outcomeOf } from '../../../support/properties/crd-evidence.ts'
import { chanceOf, testProperties } from '../../../support/seeded.ts'

const cases = { seed: 1, cases: 500 }

testProperties(crdEvidenceProperties, cases)

test('enough objects of these cases are hurt, and enough are not', () => {
  const outcomes = Array.from({ length: cases.cases }, (_, index) => outcomeOf(chanceOf(cases.seed + index)))
  for (const outcome of ['hurt', 'kept']) {
    expect(outcomes.filter((seen) => seen === outcome).length, outcome).toBeGreaterThan(cases.cases / 10)
  }
})
