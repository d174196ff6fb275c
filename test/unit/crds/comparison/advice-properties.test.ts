import { crdAdviceProperties } from '../../../support/properties/crd-advice.ts'
import { testProperties } from '../../../support/seeded.ts'

testProperties(crdAdviceProperties, { seed: 1, cases: 40 })
