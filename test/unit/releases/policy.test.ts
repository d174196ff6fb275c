import { expect, test } from 'vitest'
import { classifyHop, isSupported } from '../../../src/releases/policy.ts'

test.each<[string, string, string, string, string[]]>([
  ['v0.1.0', 'v0.1.0', 'same', 'same', []],
  ['v0.1.0', '0.1.0', 'same', 'same', []],
  ['v0.1.0', 'v0.1.1', 'forward', 'patch', []],
  ['v0.1.9', 'v0.1.10', 'forward', 'patch', []],
  ['v0.1.1', 'v0.1.0', 'back', 'patch', []],
  ['v0.1.9', 'v0.2.0', 'forward', 'minor', []],
  ['v0.2.0', 'v0.1.9', 'back', 'minor', []],
  ['v0.1.0', 'v0.3.0', 'forward', 'skips-minors', ['0.2']],
  ['v0.9.0', 'v0.12.1', 'forward', 'skips-minors', ['0.10', '0.11']],
  ['v0.4.0', 'v0.1.0', 'back', 'skips-minors', ['0.2', '0.3']],
  ['v0.9.0', 'v1.0.0', 'forward', 'major', []],
  ['v1.0.0', 'v0.9.0', 'back', 'major', []],
  ['v0.2.0-rc.1', 'v0.2.0', 'forward', 'patch', []],
  ['v0.1.0', 'v0.2.0-lossy', 'forward', 'minor', []],
])('%s to %s goes %s and is %s', (from, to, direction, kind, skipped) => {
  expect(classifyHop(from, to)).toEqual({ direction, kind, skipped })
})

test.each<[string, string, boolean]>([
  ['v0.5.0', 'v0.5.3', true],
  ['v0.4.9', 'v0.5.0', true],
  ['v0.3.9', 'v0.5.0', false],
  ['v0.9.0', 'v1.0.0', false],
])('%s is supported when %s is out: %s', (version, newest, supported) => {
  expect(isSupported(version, newest)).toBe(supported)
})
