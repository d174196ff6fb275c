import { execFileSync } from 'node:child_process'
import { parse } from '@oclif/core/parser'
import { describe, expect, test } from 'vitest'
import { Preflight } from '../../../commands/preflight.ts'
import { carriedOn, typedWords } from '../../../src/cli/typed-words.ts'

const typed = async (argv: string[]) => {
  const flags = { ...Preflight.baseFlags, ...Preflight.flags }
  const { raw } = await parse(argv, { flags, strict: true })
  return typedWords(raw)
}

describe('what was typed is carried on', () => {
  test.each<[string[], Partial<Awaited<ReturnType<typeof typed>>>]>([
    [[], {}],
    [['--to', 'v0.2.0', '-o', 'json'], {}],
    [['--no-color', '--to=v0.2.0'], {}],
    [['--kubeconfig', 'good', '--context=c'], { connection: '--kubeconfig good --context c' }],
    [['-n', 'a', '-shttps://h:6443'], { connection: '--namespace a --server https://h:6443' }],
    [['--as', 'me', '--as-group', 'a', '--as-group=b'], { connection: '--as me --as-group a --as-group b' }],
    [['--insecure-skip-tls-verify'], { connection: '--insecure-skip-tls-verify' }],
    [['--to', 'v0.2.0', '--source', './deploy'], { source: '--source ./deploy' }],
    [
      ['--releases', 'r', '--compatibility=c.yaml', '--accept', 'a=it is fine', '--accept', "b=it's so"],
      { options: `--releases r --compatibility c.yaml --accept 'a=it is fine' --accept 'b=it'\\''s so'` },
    ],
    [['--context', ''], { connection: "--context ''" }],
    [['--context=-x'], { connection: '--context=-x' }],
  ])('%j', async (argv, expected) => {
    expect(await typed(argv)).toEqual({ connection: '', source: '', options: '', ...expected })
  })

  test('and the shell reads the same words back', async () => {
    const values = [
      'a b',
      "it's",
      '$HOME',
      '`x`',
      '~',
      '*',
      'a\nb',
      '"',
      '\\',
      '!x',
      '#',
      ';',
      'ü',
      'a=b,c:d@e+f%g/h.i',
    ]
    const { options } = await typed(values.flatMap((value) => ['--accept', value]))
    const read = execFileSync('sh', ['-c', `printf '%s\\0' ${options}`], { encoding: 'utf8' }).split('\0')
    expect(read.filter((_, index) => index % 2 === 1)).toEqual(values)
  })
})

describe('no secret is', () => {
  test.each([
    [['--token', 'hush']],
    [['--token=hush', '--context', 'c']],
    [['--to', 'v0.2.0', '--source', 'https://me:hush@host/install.yaml']],
    [['--to', 'v0.2.0', '--source', 'https://host/install.yaml?sig=hush']],
    [['--server', 'https://me:hush@host']],
  ])('%j', async (argv) => {
    expect(JSON.stringify(await typed(argv))).not.toContain('hush')
  })
})

test('what an environment variable gave is given by it again', async () => {
  process.env['AIRUNWAY_RELEASES'] = '/from/environment'
  try {
    expect((await typed(['--to', 'v0.2.0'])).options).toBe('')
    expect((await typed(['--releases', 'mine'])).options).toBe('--releases mine')
  } finally {
    delete process.env['AIRUNWAY_RELEASES']
  }
})

describe('a hint with what was typed', () => {
  const words = { connection: '--context prod', source: '--source ./files', options: "--accept 'a=b c'" }
  test.each([
    ['kubectl airunway history', 'kubectl airunway history --context prod --record-namespace runs'],
    [
      'kubectl airunway history export 3 FILE',
      'kubectl airunway history export --context prod --record-namespace runs 3 FILE',
    ],
    [
      'kubectl airunway resume (go on), or kubectl airunway rollback (go back)',
      'kubectl airunway resume --context prod --record-namespace runs (go on), or kubectl airunway rollback --context prod --record-namespace runs (go back)',
    ],
    [
      'kubectl airunway preflight --to v1',
      "kubectl airunway preflight --context prod --source ./files --accept 'a=b c' --to v1",
    ],
    ['kubectl airunway preflight, or more', 'kubectl airunway preflight --context prod, or more'],
    ['kubectl airunway explain x', 'kubectl airunway explain x'],
  ])('%s', (hint, expected) => {
    expect(carriedOn(hint, words, '--record-namespace runs')).toBe(expected)
  })

  test('stays as it is where nothing was typed', () => {
    expect(carriedOn('kubectl airunway resume', { connection: '', source: '', options: '' })).toBe(
      'kubectl airunway resume',
    )
  })
})
