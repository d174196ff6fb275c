/** Every ID has its page, every page its ID, and `explain` finds them. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkIds, checks } from '../../../src/preflight/checks.ts'
import { explain } from '../../../src/services/explain.ts'

const folder = new URL('../../../docs/checks/', import.meta.url)
const sections = ['## What it means', '## Why it matters', '## What to do', '## Example']

test('IDs and pages are the same set', () => {
  const pages = readdirSync(folder).map((name) => name.replace(/\.md$/, ''))
  expect(pages.toSorted()).toEqual(checkIds())
})

test('the table has every file of checks/', () => {
  const files = readdirSync(new URL('../../../src/preflight/checks/', import.meta.url))
  expect(checks).toHaveLength(files.length)
})

test('IDs are kebab-case', () => {
  expect(checkIds().filter((id) => !/^[a-z]+(-[a-z]+)*$/.test(id))).toEqual([])
})

describe.each(checkIds())('%s', (id) => {
  const page = readFileSync(new URL(`${id}.md`, folder), 'utf8')

  test('its page has all sections in order, none empty', () => {
    expect(page.startsWith(`# ${id}: `)).toBe(true)
    expect(page.match(/^## .*$/gm)).toEqual(sections)
    for (const part of page.split(/^## .*$/m)) expect(part.trim().length).toBeGreaterThan(20)
  })

  test('its example shows this finding', () => {
    const example = page.slice(page.indexOf('## Example'))
    expect(example).toContain(`${id}: `)
  })

  test('explain prints it', async () => {
    expect(await explain(id)).toMatchObject({ kind: 'Explanation', checks: [{ id }], page })
  })
})

test('explain without an ID lists all', async () => {
  const { checks: listed, page } = await explain()
  expect(listed.map(({ id }) => id)).toEqual(checkIds())
  expect(listed.every(({ check }) => check !== '')).toBe(true)
  expect(page).toBeUndefined()
})

test.each(['kublet-too-old', '../../README', 'KUBELET-TOO-OLD'])('explain %s is a usage error', async (id) => {
  await expect(explain(id)).rejects.toMatchObject({ kind: 'usage' })
})
