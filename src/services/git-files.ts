/** Files as they were at a commit, from the user's own git. Nothing is fetched and nobody is asked. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SourceFile } from '../releases/source-files.ts'
import { yamlLimits } from '../releases/yaml-documents.ts'
import { Refusal } from '../report/refusal.ts'
import { guardSize, isManifestName } from './crd-files.ts'

const run = promisify(execFile)

/**
 * The file at `REF:PATH`, or the manifests in that folder, one after the other. PATH begins at the top of the repository, or
 * with `./` here, as git has it. Throws Refusal `usage`.
 */
export async function* gitTexts(ref: string, path: string, recursive: boolean): AsyncGenerator<SourceFile> {
  // A reference that begins with a dash would be an option of git's.
  if (ref === '' || ref.startsWith('-') || path === '') {
    throw new Refusal('usage', `git:${ref}:${path} names no file in git.`, { next: 'write git:REF:PATH' })
  }
  const object = `${ref}:${path}`
  const name = `git:${object}`
  const kind = (await git(['cat-file', '-t', object], name)).trim()
  if (kind === 'blob') {
    yield await blob(object, name)
    return
  }
  const below = path.endsWith('/') || path === '.' ? path : `${path}/`
  // Without --full-tree git lists what is below the present folder only.
  const list = await git(['ls-tree', '--full-tree', '-z', ...(recursive ? ['-r'] : []), object], name)
  const entries = list.split('\0').flatMap((line) => entryOf(line))
  const link = entries.find(({ mode }) => mode === '120000')
  // Left out, its definitions would count as new, which breaks nothing.
  if (link !== undefined) throw linked(`git:${ref}:${below}${link.file}`)
  if (entries.length === 0) throw new Refusal('usage', `${name} holds no manifests.`)
  for (const { hash, file } of entries) yield await blob(hash, `git:${ref}:${below}${file}`)
}

const linked = (name: string): Refusal =>
  new Refusal('usage', `${name} is a link, which is not followed in git.`, { next: 'name the file that it leads to' })

/** `100644 blob HASH\tNAME`; submodules are none. */
function entryOf(line: string): { mode: string; hash: string; file: string }[] {
  const [, mode, hash, file] = /^(1[02]0\d{3}) blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
  if (mode === undefined || hash === undefined || file === undefined) return []
  return isManifestName(file) ? [{ mode, hash, file }] : []
}

async function blob(object: string, name: string): Promise<SourceFile> {
  guardSize(name, Number(await git(['cat-file', '-s', object], name)))
  return { name, text: await git(['cat-file', 'blob', object], name) }
}

async function git(args: readonly string[], name: string): Promise<string> {
  try {
    const { stdout } = await run('git', [...args], {
      maxBuffer: yamlLimits.bytes + 1024,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
    })
    return stdout
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new Refusal('usage', `${name} could not be read from git.`, {
      why: (stderr ?? '').trim().split('\n')[0] || message,
      next: 'check the reference and the path with: git ls-tree REF PATH',
      cause: error,
    })
  }
}
