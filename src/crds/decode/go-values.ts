/** How Go, in which the API server is written, holds and converts the values of JSON. */
import { same } from '../comparison/schema-reading.ts'

/** One above the largest int64. A number of that size is a float64. */
const int64End = 2 ** 63

/** Is the number an int64 once decoded? */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -int64End && value < int64End
}

/** Go's conversion of a float64 to an int64, which cuts; a number out of range becomes the smallest one. */
export function toInt64(value: number): number {
  return Math.abs(value) >= int64End ? -int64End : Math.trunc(value)
}

/** Counts as an integer: nearly, with an error of a billionth of itself, and not beyond what a float64 tells apart. */
export function isNearlyInteger(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  if (Number.isInteger(value)) return true
  if (value < 0) return false
  const whole = Math.trunc(value)
  return whole !== 0 && (value - whole) / (value + whole) < 1e-9
}

/** Is the value this one of an enum? Numbers are converted to the type of the enum's, and integers also to a character. */
export function isEnumValue(value: unknown, allowed: unknown): boolean {
  if (value === null || allowed === null) return false
  if (typeof value === 'number' && typeof allowed === 'number') {
    return isInt64(allowed) ? toInt64(value) === allowed : value === allowed
  }
  if (typeof value === 'number' && typeof allowed === 'string') {
    return isInt64(value) && characterOf(value) === allowed
  }
  return same(value, allowed)
}

function characterOf(code: number): string {
  const isCharacter = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : '\ufffd'
}

/** The length of a text as Go's utf8.RuneCount has it. */
export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** The length of a text as Go's len has it. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
