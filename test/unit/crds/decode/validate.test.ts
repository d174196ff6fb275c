import { describe, expect, it } from 'vitest'
import type { JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import { TooDeep } from '../../../../src/crds/comparison/schema-reading.ts'
import { validateNode } from '../../../../src/crds/decode/validate.ts'
import { type DecodeRow, decodeRows } from '../../../support/properties/crd-decode-rows.ts'

const text = { type: 'string' }
const whole = { type: 'integer' }
const list = (items: JSONSchema): JSONSchema => ({ type: 'array', items })
const object = (properties: JSONSchema): JSONSchema => ({ type: 'object', properties })
const keyed = {
  ...list(object({ a: text, b: whole })),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['a', 'b'],
}

/** Of schemas that no API server takes, or values that only Go can judge. */
const ourOwn: DecodeRow[] = [
  ['a pattern that JavaScript cannot say', { ...text, pattern: '(?U)a' }, 'a', ['Invalid f']],
  ['the same missing keys', keyed, [{}, {}], ['Duplicate f[1]']],
]

describe('validateNode', () => {
  it.each([...decodeRows, ...ourOwn])('%s', (_, schema, value, refusals) => {
    const found = validateNode(schema, value, ['f'])
    expect(
      found.map(({ reason, field, unplaced }) => `${reason.replace('FieldValue', '')} ${unplaced ? '<nil>' : field}`),
    ).toEqual(refusals)
  })

  it('tells the path in steps beside the field', () => {
    const [one] = validateNode(list(object({ a: text })), [{ a: 1 }], ['spec', 'list'])
    expect(one).toMatchObject({ path: ['spec', 'list', 0, 'a'], field: 'spec.list[0].a' })
  })

  it('knows no ranges of integers before Kubernetes 1.36', () => {
    const small = { ...whole, format: 'int32' }
    expect(validateNode(small, 2 ** 31, ['f'], { minor: 35 })).toEqual([])
    expect(validateNode(small, 2 ** 31, ['f'], { minor: 36 })).toHaveLength(1)
  })

  it('refuses what nests too deep, in a schema as in a value', () => {
    const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
      let value: unknown = { type: 'string' }
      for (let level = 0; level < levels; level++) value = wrap(value)
      return value
    }
    const deepSchema = nested(10_000, (items) => ({ type: 'array', items })) as JSONSchema
    expect(() => validateNode(deepSchema, [])).toThrow(TooDeep)
    expect(() =>
      validateNode(
        text,
        nested(10_000, (inner) => [inner]),
      ),
    ).toThrow('the object nests more than')
    const almost = nested(900, (items) => ({ type: 'array', items })) as JSONSchema
    expect(
      validateNode(
        almost,
        nested(900, (inner) => [inner]),
      ),
    ).toHaveLength(1)
  })
})
