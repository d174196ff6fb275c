import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Lockfile, missingOptional, withPlatforms } from '../../../scripts/lockfile.ts'

const lockfile = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8')) as Lockfile

describe('package-lock.json', () => {
  test('has a row for every optional package, or `npm ci` refuses it (repair: node scripts/complete-lockfile.ts)', () => {
    expect(missingOptional(lockfile)).toEqual([])
  })

  test('names no registry', () => {
    expect(Object.values(lockfile.packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([])
  })
})

test.each([
  ['@x/cli-linux-x64-musl', { cpu: ['x64'], libc: ['musl'], os: ['linux'] }],
  ['@x/binding-linux-arm-gnueabihf', { cpu: ['arm'], libc: ['glibc'], os: ['linux'] }],
  ['@x/binding-win32-arm64-msvc', { cpu: ['arm64'], os: ['win32'] }],
])('%s gets a row by its name', (name, platform) => {
  const packages = { 'node_modules/x': { dev: true, optionalDependencies: { [name]: '1.2.3' } } }
  const made = withPlatforms({ packages })
  expect(made.added).toEqual([name])
  expect(made.lockfile.packages[`node_modules/${name}`]).toEqual({
    version: '1.2.3',
    dev: true,
    optional: true,
    ...platform,
  })
  expect(withPlatforms(made.lockfile).added).toEqual([])
})
