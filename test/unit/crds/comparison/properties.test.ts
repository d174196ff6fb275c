import { crdComparisonProperties } from '../../../support/properties/crd-comparison.ts'
import { testProperties } from '../../../support/seeded.ts'

testProperties(crdComparisonProperties, { seed: 1, cases: 100 })
