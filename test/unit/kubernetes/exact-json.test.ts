/** Integers beyond 2^53, there and back. */
import { expect, test } from 'vitest'
import { parseExact } from '../../../src/kubernetes/exact-json.ts'

test.each([
  '{"a":9007199254740993,"b":[-9223372036854775808,1]}',
  '{"a":9007199254740991,"b":0.5,"c":"9007199254740993"}',
  '{"a":{},"b":null}',
])('%s stays as it is', (text) => {
  expect(JSON.stringify(parseExact(text))).toBe(text)
})

test('other numbers are numbers', () => {
  expect(parseExact('{"a":9007199254740991,"b":1.5,"c":9007199254740993}')).toMatchObject({
    a: 9007199254740991,
    b: 1.5,
  })
})
