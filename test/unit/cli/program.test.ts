import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const program = join(import.meta.dirname, 'fixture', 'trial-program.ts')

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface Options {
  env?: Record<string, string>
  /** SIGINTs to send once the program says that it works; the next goes when `Stopping` has been read */
  interrupts?: number
  closeStdout?: boolean
}

const run = (argv: string[], { env = {}, interrupts = 0, closeStdout = false }: Options = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { PATH, HOME } = process.env
    const child = spawn(process.execPath, [program, ...argv], {
      env: { PATH, HOME, NO_COLOR: '1', LANG: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr, sent] = ['', '', 0]
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (closeStdout) child.stdout.destroy()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      const due = stderr.includes('Stopping') ? 2 : stderr.includes('working') ? 1 : 0
      if (sent < Math.min(due, interrupts)) {
        sent += 1
        child.kill('SIGINT')
      }
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })

// Each test waits for a process of its own, so all of them run at once.
describe.concurrent('a command that fails', () => {
  test.each([
    ['unauthenticated', 1, /credentials are expired or wrong/],
    ['refused', 1, /connection refused/],
    ['configuration', 2, /no such context\n {2}next: kubectl config get-contexts/],
    ['plugin', 1, /^error: the credential plugin x failed[^]*does not know us[^]*log in again/],
    ['forbidden', 3, /does not allow this[^]*nodes is forbidden/],
    ['locked', 5, /^error: Another run holds the lock\.\n {2}why: {2}It is alive\.\n {2}next: wait\n$/],
    ['bug', 1, /undefined is not a function[^]*AIRUNWAY_DEBUG/],
    ['confirm', 2, /no terminal[^]*pass --yes/],
  ])('%s: exit %i, text on stderr, nothing on stdout, no stack', async (trial, code, text) => {
    const ended = await run(['trial'], { env: { TRIAL: trial } })
    expect(ended.stderr).toMatch(text)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
    expect(ended).toMatchObject({ code, stdout: '' })
  })

  test('prints a document on stdout for -o json, and nothing on stderr', async () => {
    const ended = await run(['trial', '-o', 'json'], { env: { TRIAL: 'forbidden' } })
    expect(JSON.parse(ended.stdout)).toEqual({
      apiVersion: 'cli.airunway.ai/v1alpha1',
      kind: 'Error',
      error: {
        kind: 'forbidden',
        message: 'The API server knows us but does not allow this.',
        why: 'nodes is forbidden',
        next: 'ask for the missing right, or use another user with --context or --as',
        details: { code: 403, reason: 'Forbidden', request: 'GET /api/v1/nodes' },
        exitCode: 3,
      },
    })
    expect(ended).toMatchObject({ code: 3, stderr: '' })
  })

  test('prints a YAML document for -o yaml, also where the flags are wrong', async () => {
    const ended = await run(['trial', '--bogus', '--output=yaml'])
    expect(ended.stdout).toContain('kind: Error\nerror:\n  kind: usage\n  message: "Nonexistent flag: --bogus"\n')
    expect(ended).toMatchObject({ code: 2, stderr: '' })
  })

  test('shows the stack with AIRUNWAY_DEBUG', async () => {
    const { stderr } = await run(['trial'], { env: { TRIAL: 'bug', AIRUNWAY_DEBUG: '1' } })
    expect(stderr).toMatch(/TypeError: undefined is not a function\n\s+at /)
  })
})

describe.concurrent('words typed wrongly', () => {
  test.each([
    [
      ['trail'],
      'error: Unknown command: trail\n  why:  Near ones: kubectl airunway trial\n  next: kubectl airunway --help\n',
    ],
    [['zzzzzzzz'], 'error: Unknown command: zzzzzzzz\n  next: kubectl airunway --help\n'],
    [['trial', 'extra'], 'error: Unexpected argument: extra\n  next: kubectl airunway trial --help\n'],
    [['trial', '--bogus'], 'error: Nonexistent flag: --bogus\n  next: kubectl airunway trial --help\n'],
    [
      ['trial', '-o', 'xml'],
      'error: Expected --output=xml to be one of: human, json, yaml\n  next: kubectl airunway trial --help\n',
    ],
  ])('%j', async (argv, stderr) => {
    expect(await run(argv)).toEqual({ code: 2, stdout: '', stderr })
  })
})

describe.concurrent('a command that ends well', () => {
  test('prints its result on stdout and progress on stderr, by the injected date', async () => {
    const ended = await run(['trial', '-o', 'json'], { env: { AIRUNWAY_TODAY: '2026-02-03' } })
    expect(ended).toEqual({
      code: 0,
      stdout: 'output=json today=2026-02-03T00:00:00.000Z\n',
      stderr: '✓ worked\n',
    })
  })

  test('refuses a date that is none', async () => {
    const ended = await run(['trial'], { env: { AIRUNWAY_TODAY: 'tomorrow' } })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('AIRUNWAY_TODAY is no date: "tomorrow"')
  })

  test('draws no UTF-8 where the locale has none', async () => {
    const { stderr } = await run(['trial'], { env: { LANG: 'C' } })
    expect(stderr).toBe('ok worked\n')
  })

  test('keeps the exit code of its result when the reader goes away', async () => {
    const ended = await run(['trial'], { env: { TRIAL: 'long' }, closeStdout: true })
    expect(ended.stdout.length).toBeLessThan(350_000)
    expect(ended).toMatchObject({ code: 0, stderr: '✓ worked\n' })
  })

  test('ends with the code of its verdict', async () => {
    expect((await run(['trial'], { env: { TRIAL: 'warnings' } })).code).toBe(4)
  })
})

describe.concurrent('Ctrl-C', () => {
  test.each([
    ['hang', 'the work stops'],
    ['finishes-anyway', 'the work comes to its end'],
  ])('once: the signal is aborted and the exit code is 130 (%s: %s)', async (trial) => {
    const ended = await run(['trial'], { env: { TRIAL: trial }, interrupts: 1 })
    expect(ended.stderr).toContain('Stopping; press Ctrl-C again to end at once.')
    expect(ended.code).toBe(130)
  })

  test('twice: the process ends at once', async () => {
    expect((await run(['trial'], { env: { TRIAL: 'stubborn' }, interrupts: 2 })).code).toBe(130)
  })
})

describe.concurrent('help and version', () => {
  test.each([[['--version']], [['version']]])('%j', async (argv) => {
    const { stdout, code } = await run(argv)
    expect(stdout).toBe(`trial/1.2.3 ${process.platform}-${process.arch} node-${process.version}\n`)
    expect(code).toBe(0)
  })

  test.each([
    [[], 'COMMANDS\n  trial  ends as it is told to'],
    [['-h'], 'EXIT CODES\n  0    done, or all checks passed'],
    [['trial', '--help'], 'USAGE\n  $ kubectl airunway trial [FLAGS]'],
    [['help', 'trial'], 'EXIT CODES\n  0  done, or all checks passed\n  1  failed'],
    [['trial', '-h'], '-n, --namespace=NAME'],
    [['topic'], 'COMMANDS\n  topic trial  ends as it is told to'],
    [['topic', 'trial', '-h'], 'kubectl airunway topic trial [FLAGS]'],
  ])('%j shows a page on stdout', async (argv, text) => {
    const ended = await run(argv)
    expect(ended.stdout).toContain(text)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
  })
})
