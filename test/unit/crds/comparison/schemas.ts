import type { JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import { object } from './definitions.ts'

type Schema = JSONSchema

export const text = { type: 'string' }
export const integer = { type: 'integer' }
export const number = { type: 'number' }
export const list = { type: 'array', items: text }
export const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const anything = { 'x-kubernetes-preserve-unknown-fields': true }
export const anyKeys = { type: 'object', additionalProperties: true }
export const map = { type: 'object', additionalProperties: text }
export const either = { 'x-kubernetes-int-or-string': true }
export const a = object({ a: text })
export const cel = (...rules: Schema[]) => ({ ...text, 'x-kubernetes-validations': rules })
export const combined = (word: string, ...branches: Schema[]) => ({ ...text, [word]: branches })
export const listOf = (type: string, ...keys: string[]) => ({
  ...list,
  'x-kubernetes-list-type': type,
  ...(keys.length > 0 && { 'x-kubernetes-list-map-keys': keys }),
})
