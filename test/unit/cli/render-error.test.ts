import { describe, expect, test } from 'vitest'
import { describeError } from '../../../src/cli/error-report.ts'
import { errorLines, outputOf } from '../../../src/cli/render-error.ts'
import { ApiError } from '../../../src/kubernetes/errors.ts'
import { Refusal, type RefusalKind } from '../../../src/report/refusal.ts'

describe('the format, read from the words typed', () => {
  test.each([
    ['', 'human'],
    ['-o json', 'json'],
    ['-ojson', 'json'],
    ['-o=json', 'json'],
    ['--output json', 'json'],
    ['--output=yaml', 'yaml'],
    ['-o json -o yaml', 'yaml'],
    ['-o json -o human', 'human'],
    ['-o jso', 'human'],
    ['-o', 'human'],
    ['-- -o json', 'human'],
  ])('%j: %s', (typed, expected) => {
    expect(outputOf(typed.split(' '))).toBe(expected)
  })
})

describe('exit codes of refusals', () => {
  test.each<[RefusalKind, string]>([
    ['usage', 'usage'],
    ['failed', 'failed'],
    ['blocked', 'blocked'],
    ['locked', 'locked'],
    ['unfinished', 'unfinished'],
    ['went-back', 'wentBack'],
    ['cannot-go-back', 'cannotGoBack'],
    ['interrupted', 'interrupted'],
  ])('%s', (kind, exit) => {
    expect(describeError(new Refusal(kind, 'no', { details: { run: 'r1' } }))).toEqual({
      exit,
      kind,
      message: 'no',
      details: { run: 'r1' },
    })
  })
})

const named = (name: string, fields: object = {}): Error => Object.assign(new Error('said'), { name, ...fields })

describe('other errors', () => {
  test.each<[string, unknown, object]>([
    ['a thrown string', 'what', { exit: 'failed', kind: 'unexpected', message: 'what' }],
    ['an abort', named('AbortError'), { exit: 'interrupted', kind: 'interrupted' }],
    ['Ctrl-C at a question', named('ExitPromptError'), { exit: 'interrupted' }],
    [
      'a release that is none',
      named('ReleaseError', { kind: 'not-a-release', why: 'It is a web page.', next: 'use --source' }),
      { exit: 'usage', kind: 'not-a-release', message: 'said', why: 'It is a web page.', next: 'use --source' },
    ],
    [
      'a flag that is none',
      named('NonExistentFlagsError', { flags: ['--outptu'], parse: { input: { flags: { output: {}, yes: {} } } } }),
      { exit: 'usage', why: 'Near ones: --output' },
    ],
    [
      'a conflict',
      new ApiError({ code: 409, reason: 'Conflict', message: 'changed', request: 'PUT /x' }),
      { exit: 'failed', kind: 'api-error', message: 'changed', why: 'The API server answered 409 to PUT /x.' },
    ],
    [
      'words that the parser refuses',
      Object.assign(named('Error'), { parse: {}, message: 'Missing flag\nSee more help with --help' }),
      { exit: 'usage', kind: 'usage', message: 'Missing flag', next: 'kubectl airunway x --help' },
    ],
  ])('%s', (_, error, expected) => {
    expect(describeError(error, { usage: 'kubectl airunway x --help' })).toMatchObject(expected)
  })

  test('a right that is missing: the command that prints rights says so', () => {
    const error = new ApiError({ code: 403, reason: 'Forbidden', message: 'no', request: 'GET /api' })
    expect(describeError(error).next).not.toContain('--print-rbac')
    expect(describeError(error, { printsRights: true }).next).toContain('--print-rbac')
  })

  test('keep the control characters of a message to themselves', () => {
    const report = describeError(new Refusal('failed', '\u001B[2Jred \u001B[31malert'))
    expect(errorLines(report, { color: false })).toBe('error: red alert\n')
  })
})
