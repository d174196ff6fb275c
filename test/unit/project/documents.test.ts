import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeError } from '../../../src/cli/error-report.ts'
import { ExitCode, exitMeanings, exitNames } from '../../../src/cli/exit-codes.ts'
import { errorDocument } from '../../../src/cli/render-error.ts'
import { Refusal } from '../../../src/report/refusal.ts'
import { type JsonSchema, validate } from '../../support/json-schema.ts'
import { root } from '../../support/source-graph.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('docs/exit-codes.md', () => {
  const rows = read('docs/exit-codes.md')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))

  test('lists the codes, names and meanings as the program has them', () => {
    expect(rows).toEqual(exitNames.map((name) => `| ${ExitCode[name]} | ${name} | ${exitMeanings[name]} |`))
  })
})

describe('docs/schemas/error.json', () => {
  const schema = JSON.parse(read('docs/schemas/error.json')) as JsonSchema

  test.each<[string, unknown]>([
    [
      'a refusal with everything',
      new Refusal('locked', 'held', { why: 'alive', next: 'wait', details: { holder: 'me' } }),
    ],
    ['an error with nothing', new Error('odd')],
    ['an interruption', Object.assign(new Error('x'), { name: 'AbortError' })],
  ])('holds for %s', (_, error) => {
    expect(validate(errorDocument(describeError(error)), schema)).toEqual([])
  })

  test('refuses what is no error document', () => {
    expect(
      validate({ apiVersion: 'cli.airunway.ai/v1alpha1', kind: 'Error', error: { message: '' } }, schema),
    ).not.toEqual([])
  })
})

describe('README.md', () => {
  const readme = read('README.md')
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts

  test('has one test command, which is all of the tests', () => {
    const commands = [...readme.matchAll(/<!-- test command -->\n```sh\n(.*)\n```/g)].map(([, command]) => command)
    expect(commands).toEqual(['npm ci && npm test'])
    expect(scripts['test']?.split(' && ')).toEqual([
      'npm run test:unit',
      'npm run test:integration',
      'npm run test:e2e',
    ])
  })

  test.each(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/exit-codes.md'])(
    '%s: its links and npm scripts exist',
    (page) => {
      const text = read(page)
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, to = '']) => join(page, '..', to))
      expect(links.filter((to) => !existsSync(join(root, to)))).toEqual([])
      const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name)
      expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
    },
  )
})

test('the lockfile names no host that packages come from', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/)
})
