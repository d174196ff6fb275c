/** A lock between processes of one machine, kept as a file that names its holder. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOf } from './process-table.ts'

/** Whether the holder that a lock file names is still running. Anything unreadable counts as gone. */
export function holderIsAlive(text: string): boolean {
  const [pid, start] = text.trim().split('\n')
  const now = startOf(Number(pid))
  return now !== undefined && now === start
}

async function tryToHold(file: string): Promise<boolean> {
  // Written aside and linked: the lock never exists without the name of its holder.
  const own = `${file}.${randomUUID()}`
  await writeFile(own, `${process.pid}\n${startOf(process.pid)}\n`)
  try {
    await link(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
}

/**
 * Runs `work` while nobody else holds the lock; waits for the holder, and takes over from one that died.
 * Two waiters that find a dead holder in the same instant may both get the lock, so `work` must be safe without it
 * (build aside, then rename): the lock saves work, it does not protect data.
 * @param options `waiting` is told once, before waiting for another holder; `signal` ends the waiting
 * @throws the abort reason, and whatever `work` throws
 */
export async function withFileLock<T>(
  file: string,
  options: { waiting: () => void; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  let told = false
  while (!(await tryToHold(file))) {
    options.signal?.throwIfAborted()
    let holder = ''
    try {
      holder = readFileSync(file, 'utf8')
    } catch {
      continue
    }
    if (!holderIsAlive(holder)) {
      await rm(file, { force: true })
      continue
    }
    if (!told) options.waiting()
    told = true
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}
