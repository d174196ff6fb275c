import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCommand } from '../../../src/cli/command-table.ts'
import { compileCacheDirectory } from '../../../src/cli/compile-cache.ts'
import { ExitCode, exitMeanings, exitNames } from '../../../src/cli/exit-codes.ts'
import { nearest } from '../../../src/report/nearest.ts'

describe('where compiled code is kept', () => {
  test.each<[Record<string, string>, NodeJS.Platform, string | undefined]>([
    [{ HOME: '/home/u' }, 'linux', '/home/u/.cache/airunway/code'],
    [{ HOME: '/home/u', XDG_CACHE_HOME: '/c' }, 'linux', '/c/airunway/code'],
    [{ HOME: '/Users/u' }, 'darwin', '/Users/u/Library/Caches/airunway/code'],
    [{ HOME: '/x', LOCALAPPDATA: '/local' }, 'win32', '/local/airunway/code'],
    [{}, 'linux', undefined],
    [{ HOME: '' }, 'linux', undefined],
  ])('%j on %s: %s', (env, platform, expected) => {
    expect(compileCacheDirectory(env, platform)).toBe(expected)
  })
})

describe('near names', () => {
  const names = ['preflight', 'upgrade', 'rollback', 'history', 'playground up']
  test.each([
    ['preflight', ['preflight']],
    ['prefligt', ['preflight']],
    ['up', ['playground up', 'upgrade']],
    ['roll', ['rollback']],
    ['histroy', ['history']],
    ['playground ip', ['playground up']],
    ['', []],
    ['quite-another-thing', []],
  ])('%j: %j', (typed, expected) => {
    expect(nearest(typed, names)).toEqual(expected)
  })
})

describe('exit codes', () => {
  test('are distinct, and each has a meaning', () => {
    expect(new Set(Object.values(ExitCode)).size).toBe(exitNames.length)
    expect(Object.keys(exitMeanings)).toEqual(exitNames)
  })
})

test('a module without a command is refused', async () => {
  await expect(loadCommand({ odd: async () => ({ text: 'x' }) }, 'odd')).rejects.toThrow('exports no command')
})

test.skipIf(!existsSync('/dev/full'))('a result that could not be written is none: exit 1', () => {
  const program = join(import.meta.dirname, '../../../bin/kubectl-airunway.ts')
  const full = openSync('/dev/full', 'w')
  try {
    const { status } = spawnSync(process.execPath, [program, 'explain'], { stdio: ['ignore', full, 'pipe'] })
    expect(status).toBe(ExitCode.failed)
  } finally {
    closeSync(full)
  }
})
