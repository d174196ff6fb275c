import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromChunks, toChunks } from '../../../src/journal/chunks.ts'
import { parseExact } from '../../../src/kubernetes/exact-json.ts'

test.each([
  ['nothing', null],
  ['an object', { a: [1, 'ä', { b: null }] }],
  ['two megabytes that do not compress', { text: randomBytes(2 * 1024 * 1024).toString('base64') }],
])('%s survives', (_title, value) => {
  const chunks = toChunks(value)
  for (const chunk of chunks) expect(chunk.length).toBeLessThan(1024 * 1024)
  expect(fromChunks(chunks, 'run-1')).toEqual(value)
})

test('integers that JavaScript does not have survive where they are asked for', () => {
  const value = parseExact('{"a":[9007199254740993,1]}')
  expect(JSON.stringify(fromChunks(toChunks(value), 'run-1', parseExact))).toBe('{"a":[9007199254740993,1]}')
})

test('a missing part is an error, never half a value', () => {
  const chunks = toChunks({ text: randomBytes(2 * 1024 * 1024).toString('base64') })
  expect(chunks.length).toBeGreaterThan(1)
  expect(() => fromChunks(chunks.slice(1), 'run-1-plan')).toThrow('The record run-1-plan is damaged.')
  expect(() => fromChunks(chunks.slice(0, -1), 'run-1-plan')).toThrow('The record run-1-plan is damaged.')
})
