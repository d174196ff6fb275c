/** Text files of definitions: one, those of a folder, or standard input, within limits. */
import { createReadStream } from 'node:fs'
import { opendir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { compare, valid } from 'semver'
import type { SourceFile } from '../releases/source-files.ts'
import { yamlLimits } from '../releases/yaml-documents.ts'
import { Refusal } from '../report/refusal.ts'

/** What a folder may hold in all, so that a whole disk is never read. */
const mostTogether = 5 * yamlLimits.bytes

/** Is it a file that may hold definitions, by its name? */
export const isManifestName = (name: string): boolean => /\.(ya?ml|json)$/i.test(name)

/** The paths of the files that a path means: itself, or the manifests in a folder, by name. Throws Refusal `usage`. */
export async function manifestPaths(path: string, recursive: boolean): Promise<string[]> {
  const status = await statOf(path)
  if (!status.isDirectory()) return [path]
  const found = await inFolder(path, recursive)
  if (found.length > 0) return found
  throw new Refusal('usage', `${path} holds no manifests.`, {
    why: `Looked for *.yaml, *.yml and *.json in it${recursive ? ' and below' : ', not below'}.`,
    next: recursive ? undefined : 'name the folder that holds them, or add --recursive',
  })
}

/** The folders in a folder, by name in the order of numbers in them; empty where the path is no folder. */
export async function foldersIn(path: string): Promise<string[]> {
  if (!(await statOf(path)).isDirectory()) return []
  const names: string[] = []
  for await (const entry of await opendir(path)) if (entry.isDirectory()) names.push(entry.name)
  return names.toSorted((one, other) =>
    // A prerelease comes before its release.
    valid(one) !== null && valid(other) !== null
      ? compare(one, other)
      : one.localeCompare(other, 'en', { numeric: true }),
  )
}

/** Reads one file after the other, so that no two texts are held at once. Throws Refusal `usage` with the file and the reason. */
export async function* manifestTexts(paths: readonly string[]): AsyncGenerator<SourceFile> {
  let together = 0
  for (const name of paths) {
    const status = await statOf(name)
    if (status.isFIFO()) {
      // `<(git show main:crd.yaml)` of a shell is one.
      yield await streamText(name, createReadStream(name))
      continue
    }
    if (!status.isFile()) throw new Refusal('usage', `${name} is not a file.`)
    together += status.size
    guardSize(name, status.size)
    if (together > mostTogether)
      throw new Refusal('usage', `The files are larger than ${mostTogether / 1024 / 1024} MB.`)
    yield { name, text: await readText(name) }
  }
}

/** Reads a stream to its end. Throws Refusal `usage` as soon as it is too long. */
export async function streamText(name: string, stream: AsyncIterable<Uint8Array>): Promise<SourceFile> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    guardSize(name, size)
    chunks.push(chunk)
  }
  return { name, text: Buffer.concat(chunks).toString('utf8') }
}

/** Refuses what is larger than any manifest, before it is read. */
export function guardSize(name: string, bytes: number): void {
  if (bytes <= yamlLimits.bytes) return
  throw new Refusal('usage', `${name} is too large.`, {
    why: `Files of definitions are read up to ${yamlLimits.bytes / 1024 / 1024} MB.`,
  })
}

/** The text of a file that is no manifest. Throws Refusal `usage`. */
export async function readSmallFile(path: string): Promise<SourceFile> {
  for await (const file of manifestTexts([path])) return file
  throw new Refusal('usage', `${path} could not be read.`)
}

async function inFolder(folder: string, recursive: boolean): Promise<string[]> {
  const paths: string[] = []
  for await (const entry of await opendir(folder, { recursive })) {
    const path = join(entry.parentPath, entry.name)
    if (!isManifestName(entry.name) || entry.isDirectory()) continue
    // A link may lead to a file.
    if (entry.isFile() || (entry.isSymbolicLink() && (await statOf(path)).isFile())) paths.push(path)
  }
  return paths.toSorted()
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

const unreadable = (path: string, error: unknown): Refusal =>
  new Refusal('usage', `${path} could not be read.`, {
    why: error instanceof Error ? error.message : String(error),
    next: 'a source is a file, a folder, -, cluster:, cluster:NAME, release:VERSION or git:REF:PATH',
    cause: error,
  })
