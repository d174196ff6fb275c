/** A back-up in a file: whole or not at all, for its owner only, and never over another file. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, link, lstat, open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from '../report/refusal.ts'
import type { Backup } from './backup.types.ts'

/** Secrets may be in it. */
const MODE = 0o600
/** File systems without hard links (FAT, some network and user-space ones) answer with one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? ''

const occupied = (path: string, cause?: unknown): Refusal =>
  new Refusal('usage', `${path} exists already.`, {
    why: 'A file is never overwritten: it may be the only way back to something.',
    next: 'name another file, or move that one away',
    cause,
  })

/** Throws a `usage` Refusal where such a file could not be written: it exists, or its folder does not or is read-only. */
export const refuseFile = async (path: string): Promise<void> => {
  const there = await lstat(path).then(
    () => true,
    () => false,
  )
  if (there) throw occupied(path)
  const folder = dirname(resolve(path))
  try {
    await access(folder, constants.W_OK)
  } catch (cause) {
    throw new Refusal('usage', `No file can be written in ${folder}.`, {
      why: reasonOf(cause),
      next: 'name a file in a folder that exists and that you may write to',
      cause,
    })
  }
}

const reasonOf = (error: unknown): string => {
  const texts: Record<string, string> = {
    ENOSPC: 'There is no space left on the device.',
    EDQUOT: 'The disk quota is used up.',
    EFBIG: 'The file is bigger than is allowed here.',
    ENOENT: 'The folder does not exist.',
    ENOTDIR: 'A part of its path is no folder.',
    EACCES: 'Permission was denied.',
    EROFS: 'The file system is read-only.',
  }
  return texts[codeOf(error)] ?? (error instanceof Error ? `${error.message}.` : String(error))
}

/**
 * Writes a new file: a temporary one beside it first, synchronised to the disk, then given its name in one go. Gives its
 * size in bytes. Throws a Refusal: `usage` where the file exists, `failed` where it could not be written whole; then
 * nothing is left of it.
 */
export const writeNewFile = async (path: string, text: string): Promise<number> => {
  await refuseFile(path)
  const folder = dirname(resolve(path))
  const temporary = join(folder, `.kubectl-airunway-${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeWhole(temporary, text)
    await giveName(temporary, path)
    await synchronise(folder)
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('failed', `${path} could not be written.`, {
      why: reasonOf(cause),
      next: 'make room, or name a file elsewhere',
      cause,
    })
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
  return Buffer.byteLength(text)
}

const writeWhole = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'wx', MODE)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A link is refused where the name is taken; a rename would replace that file. */
const giveName = async (temporary: string, path: string): Promise<void> => {
  try {
    await link(temporary, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw occupied(path, error)
    if (!NO_LINKS.has(codeOf(error))) throw error
    // Reserved first, so that nobody's file is replaced.
    await (await open(path, 'wx', MODE)).close()
    await rename(temporary, path)
  }
}

/** The name is in the folder: without this it may be gone after a power failure. Some systems cannot open folders. */
const synchronise = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

const textOf = (backup: Backup, run: number): string =>
  `${JSON.stringify({ apiVersion: 'cli.airunway.ai/v1alpha1', kind: 'Backup', metadata: { run, time: backup.takenAt }, ...backup })}\n`

/**
 * Writes the back-up of a run to a file and reads it back. A file that a first try of the same step has written already is
 * taken for this one where it holds the very same. Gives its size in bytes. Throws a Refusal where it does not.
 */
export const writeBackupFile = async (path: string, backup: Backup, run: number): Promise<number> => {
  const text = textOf(backup, run)
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return Buffer.byteLength(text)
  const bytes = await writeNewFile(path, text)
  if ((await readFile(path, 'utf8')) === text) return bytes
  throw new Refusal('failed', `${path} does not hold what was written to it.`, {
    why: 'It was read back and is another. The disk may be faulty, or somebody else has written there.',
    next: 'name a file elsewhere',
  })
}
