import { describe, expect, test } from 'vitest'
import { asksVersion, type Dispatch, dispatch } from '../../../src/cli/dispatch.ts'

const ids = {
  preflight: { takesArguments: false },
  explain: { takesArguments: true },
  'playground:up': { takesArguments: false },
  'playground:down': { takesArguments: false },
}

const run = (id: string, ...argv: string[]): Dispatch => ({ kind: 'run', id, argv })
const unknown = (typed: string, ...near: string[]): Dispatch => ({ kind: 'unknown', typed, near })

describe('what the words typed ask for', () => {
  test.each<[string, Dispatch]>([
    ['', { kind: 'help' }],
    ['--help', { kind: 'help' }],
    ['-h', { kind: 'help' }],
    ['help', { kind: 'help' }],
    ['help preflight', { kind: 'help', id: 'preflight' }],
    ['help playground up', { kind: 'help', id: 'playground:up' }],
    ['preflight --to v1 -h', { kind: 'help', id: 'preflight' }],
    ['preflight -- -h', run('preflight', '--', '-h')],
    ['preflight', run('preflight')],
    ['preflight --to v0.2.0 -o json', run('preflight', '--to', 'v0.2.0', '-o', 'json')],
    ['preflight extra', { kind: 'unexpected', id: 'preflight', word: 'extra' }],
    ['explain some-id', run('explain', 'some-id')],
    ['explain', run('explain')],
    ['playground', { kind: 'help', id: 'playground' }],
    ['playground --help', { kind: 'help', id: 'playground' }],
    ['playground up --scenario healthy', run('playground:up', '--scenario', 'healthy')],
    ['playground:up', run('playground:up')],
    ['playground upp', unknown('playground upp', 'playground up', 'playground down')],
    ['playground upp a.yaml b.yaml', unknown('playground upp a.yaml b.yaml', 'playground up', 'playground down')],
    ['explan some-id', unknown('explan some-id', 'explain')],
    ['preflght', unknown('preflght', 'preflight')],
    ['pre', unknown('pre', 'preflight')],
    ['unheard-of-thing', unknown('unheard-of-thing')],
    ['unheard-of-thing --help', unknown('unheard-of-thing')],
    ['--context dev preflight', unknown('')],
  ])('%j', (typed, expected) => {
    expect(dispatch(typed.split(' ').filter(Boolean), { ids })).toEqual(expected)
  })

  test.each([
    ['--version', true],
    ['version', true],
    ['version -o json', true],
    ['preflight --version', false],
    ['', false],
  ])('%j asks for the version: %s', (typed, expected) => {
    expect(asksVersion(typed.split(' ').filter(Boolean))).toBe(expected)
  })
})
