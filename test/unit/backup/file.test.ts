import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/backup/backup.types.ts'
import { refuseFile, writeBackupFile, writeNewFile } from '../../../src/backup/file.ts'
import { Refusal } from '../../../src/report/refusal.ts'
import { root } from '../../support/source-graph.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airunway-file-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const refusal = async (work: Promise<unknown>): Promise<Refusal> => {
  const thrown = await work.catch((error: unknown) => error)
  if (!(thrown instanceof Refusal)) throw new Error('it was not refused', { cause: thrown })
  return thrown
}

describe('a new file', () => {
  test('is whole, for its owner only, and nothing is beside it', async () => {
    const path = join(folder, 'backup.json')
    expect(await writeNewFile(path, 'grün\n')).toBe(6)
    expect(readFileSync(path, 'utf8')).toBe('grün\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['backup.json'])
  })

  test.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'mine')],
    ['a link that leads nowhere', (path) => symlinkSync(join(folder, 'nowhere'), path)],
  ])('never takes the place of %s', async (_, occupy) => {
    const path = join(folder, 'backup.json')
    occupy(path)
    expect(await refusal(writeNewFile(path, 'other'))).toMatchObject({ kind: 'usage' })
    expect(readdirSync(folder)).toEqual(['backup.json'])
  })

  test('of the same name that appears meanwhile is not replaced', async () => {
    const path = join(folder, 'backup.json')
    const outcomes = await Promise.allSettled(['one', 'two'].map(async (text) => writeNewFile(path, text)))
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(['one', 'two']).toContain(readFileSync(path, 'utf8'))
  })

  test('needs a folder that is there', async () => {
    const { kind, why } = await refusal(refuseFile(join(folder, 'no', 'backup.json')))
    expect({ kind, why }).toEqual({ kind: 'usage', why: 'The folder does not exist.' })
  })
})

/** The disk is full as far as this process goes: no file of it may grow beyond 4 kB. */
const withoutRoom = (path: string): { kind?: string; why?: string; message?: string } =>
  JSON.parse(
    execFileSync(
      'sh',
      [
        '-c',
        'ulimit -f 8; exec "$0" --input-type=module-typescript -e "$1" "$2"',
        process.execPath,
        `import { writeNewFile } from '${root}/src/backup/file.ts'
         const done = await writeNewFile(process.argv[1], 'x'.repeat(1e6)).catch((error) => error)
         process.stdout.write(JSON.stringify({ kind: done.kind, why: done.why, message: done.message }))`,
        path,
      ],
      { encoding: 'utf8' },
    ),
  ) as { kind?: string }

test.skipIf(process.platform === 'win32')('a disk that is full is told, and half a file never stays', () => {
  const path = join(folder, 'backup.json')
  expect(withoutRoom(path)).toEqual({
    kind: 'failed',
    message: `${path} could not be written.`,
    why: 'The file is bigger than is allowed here.',
  })
  expect(readdirSync(folder)).toEqual([])
})

describe('the file of a back-up', () => {
  const backup: Backup = { takenAt: '2026-11-22T12:00:00Z', objects: [], absent: [], collections: {} }

  test('says of which run it is', async () => {
    const path = join(folder, 'backup.json')
    const bytes = await writeBackupFile(path, backup, 3)
    expect(bytes).toBe(statSync(path).size)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      apiVersion: 'cli.airunway.ai/v1alpha1',
      kind: 'Backup',
      metadata: { run: 3, time: backup.takenAt },
      ...backup,
    })
  })

  test('may be there from a first try of the same step, and only then', async () => {
    const path = join(folder, 'backup.json')
    const first = await writeBackupFile(path, backup, 3)
    expect(await writeBackupFile(path, backup, 3)).toBe(first)
    expect(await refusal(writeBackupFile(path, backup, 4))).toMatchObject({ kind: 'usage' })
  })
})
