import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'

const root = join(import.meta.dirname, '..', '..')
/** In the order in which they are told: the pages share one cluster. */
const pages = ['README.md', 'docs/crd-check.md']
const execute = promisify(execFile)

interface Shown {
  page: string
  command: string
  output: string
}

const block = /<!-- output: (.*) -->\n```text\n([^]*?)```/g

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

const shown = (): Shown[] =>
  pages.flatMap((page) =>
    [...textOf(page).matchAll(block)].map(([, command = '', output = '']) => ({ page, command, output })),
  )

/** As it is shown: no folder of this machine, no port of this moment; how long things took stays as it was. */
const reproducible = (text: string): string =>
  text.replaceAll(`${root}/`, '').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:6443')

/** What differs from run to run: dates, how long something took, what was slowest, and what others wrote meanwhile. */
const steady = (text: string): string =>
  reproducible(text)
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-22T12:00:00Z')
    .replaceAll(/\b\d+(\.\d+)? s\b/g, 'N s')
    .replaceAll(/slowest \S+/g, 'slowest …')
    // Who writes an object after its storage version moved has moved it himself.
    .replaceAll(/\d+ rewritten to (\S+), \d+ were current/g, 'N rewritten to $1, N were current')
    .replaceAll(/\d+ requests/g, 'N requests')

const { possible } = clusterTestsPossible()

describe.skipIf(!possible)('what README and docs show, with the built plugin through kubectl', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy' })
  }, 120_000)

  afterAll(() => cluster.stop())

  const kubectl = async (command: string): Promise<string> => {
    const env = {
      ...cluster.env,
      PATH: [join(root, 'dist'), process.env['PATH']].join(delimiter),
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
    }
    // Findings end with an exit code of their own.
    return execute('kubectl', ['airunway', ...command.split(' ')], { env, cwd: root }).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout || stderr,
    )
  }

  test.each(shown().map(({ page, command }, index) => [command, page, index] as const))(
    'kubectl airunway %s (%s)',
    async (command, page, index) => {
      const actual = await kubectl(command)
      if (process.env['UPDATE_README']) {
        const written = reproducible(actual)
        const blocks = textOf(page).replaceAll(block, (whole, words: string) =>
          words === command ? `<!-- output: ${words} -->\n\`\`\`text\n${written}\`\`\`` : whole,
        )
        writeFileSync(join(root, page), blocks)
      }
      expect(steady(shown()[index]?.output ?? '')).toBe(steady(actual))
    },
  )
})
