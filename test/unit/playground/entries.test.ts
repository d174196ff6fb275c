import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entries } from '../../../src/playground/entries.ts'

test('in the sources every entry is there', () => {
  const missing = Object.entries<string>({ ...entries() }).filter(([, path]) => !existsSync(path))
  expect(missing).toEqual([])
})

test('in a bundle all lies beside the chunk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airunway-entries-'))
  try {
    writeFileSync(join(folder, 'standin.mjs'), '')
    expect(entries(folder)).toEqual({
      standin: join(folder, 'standin.mjs'),
      supervisor: join(folder, 'supervisor.mjs'),
      data: join(folder, 'data'),
      examples: join(folder, 'examples'),
      servers: join(folder, 'servers'),
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
