/** `crd` as it is packed: exit codes, forms of output, and that no cluster is asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plugin } from '../support/packed-plugin.ts'
import { schemaErrors } from '../support/schemas.ts'

const releases = join(import.meta.dirname, '../../examples/releases')
const [v1, v2] = ['v0.1.0', 'v0.2.0'].map((version) => join(releases, version, 'manifests', 'install.yaml'))
const env = { ...process.env, KUBECONFIG: '/nowhere', AIRUNWAY_RELEASES: releases, AIRUNWAY_TODAY: '2026-11-22' }
const run = (...args: string[]) => plugin(['crd', ...args], env)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crd-e2e-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('crd check', () => {
  test('of a release against itself: nothing, exit 0', async () => {
    const { code, stdout } = await run('check', String(v1), 'release:v0.1.0')
    expect(stdout).toMatch(/PASSED/)
    expect(code).toBe(0)
  })

  test('of two releases: errors, exit 3, the same document twice, and it fits its schema', async () => {
    const both = [
      await run('check', String(v1), String(v2), '-o', 'json'),
      await run('check', String(v1), String(v2), '-o', 'json'),
    ]
    expect(both.map(({ code }) => code)).toEqual([3, 3])
    expect(both[0]?.stdout).toBe(both[1]?.stdout)
    expect(schemaErrors(both[0]?.stdout ?? '')).toEqual([])
  })

  test.each([
    ['sarif', /"version": "2\.1\.0"/],
    ['junit', /^<\?xml/],
    ['markdown', /^## Blocked/],
    ['yaml', /^apiVersion: cli\.airunway\.ai/],
    ['human', /BLOCKED/],
  ])('-o %s', async (form, text) => {
    const { code, stdout } = await run('check', String(v1), String(v2), '-o', form)
    expect(stdout).toMatch(text)
    expect(code).toBe(3)
  })

  test('what cannot be compared: exit 2 with the file and the reason, nothing on stdout', async () => {
    const deep = join(folder, 'deep.yaml')
    writeFileSync(deep, '['.repeat(10_000))
    for (const source of [deep, join(folder, 'none.yaml')]) {
      const { code, stdout, stderr } = await run('check', source, String(v1))
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain(source)
      expect(stderr).not.toMatch(/\n\s+at /)
    }
  })
})

test('crd diff and crd next', async () => {
  const difference = await run('diff', String(v1), String(v2), '-o', 'json')
  expect([difference.code, schemaErrors(difference.stdout)]).toEqual([0, []])
  const advice = await run('next', String(v1), String(v2), '--profile', 'ngf', '--next-release', 'v0.2.0', '-o', 'json')
  expect([advice.code, schemaErrors(advice.stdout)]).toEqual([0, []])
})
