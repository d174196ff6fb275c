import { describe, expect, test } from 'vitest'
import { wantsColor, wantsUnicode, widthOf } from '../../../src/cli/terminal.ts'

const tty = { isTTY: true }
const pipe = {}

describe('colours', () => {
  test.each([
    ['on a terminal', tty, {}, false, true],
    ['in a pipe', pipe, {}, false, false],
    ['--no-color', tty, {}, true, false],
    ['--no-color wins over FORCE_COLOR', tty, { FORCE_COLOR: '1' }, true, false],
    ['NO_COLOR', tty, { NO_COLOR: '1' }, false, false],
    ['an empty NO_COLOR says nothing', tty, { NO_COLOR: '' }, false, true],
    ['FORCE_COLOR in a pipe', pipe, { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0', tty, { FORCE_COLOR: '0' }, false, false],
    ['a dumb terminal', tty, { TERM: 'dumb' }, false, false],
  ])('%s', (_, stream, env, flag, expected) => {
    expect(wantsColor(stream, env, flag)).toBe(expected)
  })
})

describe('UTF-8', () => {
  test.each<[string, Record<string, string>, NodeJS.Platform, boolean]>([
    ['LANG', { LANG: 'de_DE.UTF-8' }, 'linux', true],
    ['utf8 without hyphen', { LANG: 'C.utf8' }, 'linux', true],
    ['LC_ALL wins', { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, 'linux', false],
    ['LC_CTYPE wins over LANG', { LC_CTYPE: 'de_DE.UTF-8', LANG: 'C' }, 'linux', true],
    ['an empty LC_ALL says nothing', { LC_ALL: '', LANG: 'de_DE.UTF-8' }, 'linux', true],
    ['no locale', {}, 'linux', false],
    ['the console of a virtual machine', { LANG: 'de_DE.UTF-8', TERM: 'linux' }, 'linux', false],
    ['Windows', {}, 'win32', true],
  ])('%s', (_, env, platform, expected) => {
    expect(wantsUnicode(env, platform)).toBe(expected)
  })
})

test.each([
  [{ columns: 132 }, 132],
  [{ columns: 0 }, 80],
  [{}, 80],
])('width of %j is %i', (stream, expected) => {
  expect(widthOf(stream)).toBe(expected)
})
