/** The bounds of numbers. The API server holds a bound to the type of the value and cuts its fraction off for an integer. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { isInt64, isNearlyInteger, toInt64 } from './go-values.ts'
import { add, nothing, type Outcome, type Place, refused, refusedUnplaced } from './outcome.ts'

/** What a server that knows ranges heeds; empty for an older one. */
interface Range {
  types?: readonly string[]
  format?: string
}

/** Refuses numbers outside of the bounds, or of the range of their type and format. */
export function validateNumber(
  schema: JSONSchema,
  value: number,
  at: Place,
  { types = [], format = '' }: Range,
): Outcome {
  const outcome = nothing()
  const type = types.length === 1 ? (types[0] ?? '') : ''
  const range = ['integer', 'number'].includes(type) ? { type, format } : { type: '', format: '' }
  const checkRange = (number: number, prefix: string): boolean => {
    if (isInRange(number, range)) return true
    add(
      outcome,
      refusedUnplaced(at, `${prefix} value must be of type ${range.type} ${range.format || '(default format)'}`),
    )
    return false
  }
  checkRange(value, 'Checked')
  const { multipleOf, minimum, maximum } = schema
  if (typeof multipleOf === 'number') {
    const isNative = checkRange(multipleOf, 'MultipleOf') && isInt64(value)
    if (!isMultiple(value, multipleOf, isNative)) {
      add(outcome, refused(at, 'FieldValueInvalid', `should be a multiple of ${multipleOf}`))
    }
  }
  if (typeof minimum === 'number') {
    const bound = checkRange(minimum, 'Minimum boundary') && isInt64(value) ? toInt64(minimum) : minimum
    if (value < bound || (schema['exclusiveMinimum'] === true && value === bound)) {
      add(outcome, refused(at, 'FieldValueInvalid', `should be greater than or equal to ${minimum}`))
    }
  }
  if (typeof maximum === 'number') {
    const bound = checkRange(maximum, 'Maximum boundary') && isInt64(value) ? toInt64(maximum) : maximum
    if (value > bound || (schema['exclusiveMaximum'] === true && value === bound)) {
      add(outcome, refused(at, 'FieldValueInvalid', `should be less than or equal to ${maximum}`))
    }
  }
  outcome.passed++
  return outcome
}

function isInRange(value: number, { type, format }: { type: string; format: string }): boolean {
  if (type === 'integer') {
    return isInt64(value) && (format !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31))
  }
  return format !== 'float' || Number.isFinite(Math.fround(value))
}

function isMultiple(value: number, factor: number, asIntegers: boolean): boolean {
  if (asIntegers) {
    const whole = toInt64(factor)
    return whole > 0 && value % whole === 0
  }
  if (factor <= 0) return false
  return isNearlyInteger(factor < 1 ? (1 / factor) * value : value / factor)
}
