/** The text files of a release, from a folder, one file or an address. Knows names, not contents. */
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { download, downloadLimits, type FetchLike, shownAddress, tooLarge } from './download.ts'
import { ReleaseError } from './errors.ts'
import type { Product } from './release.types.ts'

export interface SourceFile {
  /** path or address, for messages */
  name: string
  text: string
}

export interface SourceFiles {
  /** the folder, file or address, for messages and records */
  source: string
  install: SourceFile
  /** manifests of shims by the shim's name */
  shims: { shim: string; file: SourceFile }[]
  /** release.yaml */
  release: SourceFile | undefined
}

/** Reads one file of a source by its name below it; undefined where there is none. */
type Reader = (file: string) => Promise<SourceFile | undefined>

/**
 * Reads a release folder: the install file and the shims' files by the product's names, and release.yaml in the folder or
 * beside the install file. Other files are not read. Undefined where the folder has no install file.
 * Throws ReleaseError `unreadable` or `too-large`.
 */
export function readFolder(folder: string, product: Product): Promise<SourceFiles | undefined> {
  return readNamed(folder, product, (file) => readLocal(join(folder, file)))
}

/** Fetches a release by the product's address template, like `readFolder`; undefined where there is no install file. */
export function readTemplate(
  product: Product,
  version: string,
  fetch: FetchLike,
  signal: AbortSignal | undefined,
): Promise<SourceFiles | undefined> {
  const address = (file: string) => product.urlTemplate.replaceAll('{version}', version).replaceAll('{file}', file)
  return readNamed(address('').replace(/\/$/, ''), product, async (file) => {
    const text = await download(address(file), fetch, { signal })
    return text === undefined ? undefined : { name: address(file), text }
  })
}

/**
 * Reads one manifest file and the release.yaml beside it. Undefined where the file does not exist.
 * Throws ReleaseError `unreadable` or `too-large`.
 */
export async function readSingleFile(path: string): Promise<SourceFiles | undefined> {
  const install = await readLocal(path)
  if (install === undefined) return undefined
  return { source: path, install, shims: [], release: await readLocal(join(dirname(path), 'release.yaml')) }
}

/**
 * Like `readSingleFile`, for an address. One with a query (a signed link) is good for this one file only, so nothing is looked for
 * beside it; and messages never show the query.
 */
export async function readAddress(
  address: string,
  fetch: FetchLike,
  signal: AbortSignal | undefined,
): Promise<SourceFiles | undefined> {
  const read = async (name: string) => {
    const text = await download(name, fetch, { signal })
    return text === undefined ? undefined : { name: shownAddress(new URL(name)), text }
  }
  const { href, search } = new URL(address)
  const beside = search === '' ? read(new URL('release.yaml', href).href) : undefined
  const [install, release] = await Promise.all([read(href), beside])
  return install === undefined ? undefined : { source: install.name, install, shims: [], release }
}

async function readNamed(source: string, product: Product, read: Reader): Promise<SourceFiles | undefined> {
  const install = await firstOf(product.installFiles, read)
  if (install === undefined) return undefined
  const beside = install.name.startsWith(source) ? dirname(install.name.slice(source.length + 1)) : '.'
  const [release, ...shims] = await Promise.all([
    firstOf([...new Set(['release.yaml', join(beside, 'release.yaml')])], read),
    ...product.shims.map(async ({ name }) => {
      const names = product.shimFiles.map((file) => file.replaceAll('{shim}', name))
      return { shim: name, file: await firstOf(names, read) }
    }),
  ])
  return { source, install, shims: shims.filter(isFound), release }
}

function isFound(entry: { shim: string; file: SourceFile | undefined }): entry is { shim: string; file: SourceFile } {
  return entry.file !== undefined
}

async function firstOf(names: string[], read: Reader): Promise<SourceFile | undefined> {
  for (const name of names) {
    const file = await read(name)
    if (file !== undefined) return file
  }
  return undefined
}

async function readLocal(path: string): Promise<SourceFile | undefined> {
  try {
    const status = await stat(path)
    if (!status.isFile()) throw new ReleaseError('unreadable', `${path} is not a file`)
    if (status.size > downloadLimits.bytes) throw tooLarge(path, downloadLimits.bytes)
    return { name: path, text: await readFile(path, 'utf8') }
  } catch (error) {
    if (isMissing(error)) return undefined
    if (error instanceof ReleaseError) throw error
    throw new ReleaseError('unreadable', `${path} could not be read`, {
      why: error instanceof Error ? error.message : String(error),
      next: 'check the path and its permissions',
      cause: error,
    })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
