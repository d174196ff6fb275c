/** The properties that the unit tests try on a few cases, on many, and on others each time: `SEED=n` gives the same again. */
import { describe } from 'vitest'
import { conversionProperties } from '../support/properties/conversion.ts'
import { crdAdviceProperties } from '../support/properties/crd-advice.ts'
import { crdComparisonProperties } from '../support/properties/crd-comparison.ts'
import { crdDecodeProperties } from '../support/properties/crd-decode.ts'
import { fieldSetProperties } from '../support/properties/field-sets.ts'
import { supersetProperties } from '../support/properties/superset.ts'
import { wireProperties } from '../support/properties/wire.ts'
import { testProperties } from '../support/seeded.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000)
process.stderr.write(`SEED=${seed}\n`)

const subjects = {
  'advice on versions of CRDs': crdAdviceProperties,
  'comparison of CRDs': crdComparisonProperties,
  'conversion of ModelDeployments': conversionProperties,
  'decoding of custom resources': crdDecodeProperties,
  'field sets': fieldSetProperties,
  'supersets of CRDs': supersetProperties,
  'what comes from the server': wireProperties,
}

/** Whole definitions take some fifty times as long as anything else. */
const large = new Set<object>([crdAdviceProperties, crdComparisonProperties])

describe.each(Object.entries(subjects))('%s', (_, properties) => {
  testProperties(properties, { seed, cases: large.has(properties) ? 1000 : 50_000 })
})
