import { describe } from 'vitest'
import { crdDecodeProperties } from '../../../support/properties/crd-decode.ts'
import { testProperties } from '../../../support/seeded.ts'

describe('decoding of custom resources', () => {
  testProperties(crdDecodeProperties)
})
