/** Reads a release: from `--source`, a folder of releases, or the address that the product's data name for a version. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assembleRelease, type ImageChoices } from './assemble.ts'
import { knownReleases } from './data.ts'
import type { FetchLike } from './download.ts'
import { ReleaseError } from './errors.ts'
import { bearsNamesIn, products } from './products.ts'
import type { Product, Release } from './release.types.ts'
import { readAddress, readFolder, readSingleFile, readTemplate, type SourceFiles } from './source-files.ts'
import { releaseVersion } from './versions.ts'

export interface ReadReleaseOptions extends ImageChoices {
  /** with or without leading `v` */
  version: string
  /** folder, file or http(s) address of the release's files */
  source?: string | undefined
  /** folder with one folder per version (AIRUNWAY_RELEASES), looked at before anything is fetched */
  releasesFolder?: string | undefined
  /** the product that is installed: its names tell which files are read and what the objects are for */
  product: Product
  /** for tests and snapshots; otherwise one that obeys the proxy variables, loaded when it is needed */
  fetch?: FetchLike | undefined
  signal?: AbortSignal | undefined
}

/**
 * Reads one version of a product. With `source` only that is read; else `<releasesFolder>/<version>`, then the product's address.
 * The controller's image is pinned; shims' images where something says which.
 * Throws ReleaseError: `bad-version`, `not-found`, `unreadable`, `too-large`, `not-a-release`, `no-controller`, `wrong-version`,
 * `wrong-product`, `bad-image`, `bad-compatibility`.
 */
export async function readRelease(options: ReadReleaseOptions): Promise<Release> {
  const version = releaseVersion(options.version)
  refuseOtherNames(options.product, version)
  const files = options.source === undefined ? await findFiles(version, options) : await readSource(version, options)
  return assembleRelease(files, { ...options, version })
}

/** A version that never had a controller, or had it under other names, is refused before anything is read. */
function refuseOtherNames(product: Product, version: string): void {
  const tag = knownReleases().withoutController.find((row) => row.product === product.name && row.version === version)
  if (tag !== undefined) {
    throw new ReleaseError('no-controller', `${product.title} ${version} holds no controller`, {
      why: tag.why,
      next: `choose a version in the range ${product.versions}`,
    })
  }
  if (bearsNamesIn(product, version)) return
  const other = products().find((row) => row.group !== product.group && bearsNamesIn(row, version))
  const elsewhere = other === undefined ? '' : `; ${other.title} ${other.versions} has the API group ${other.group}`
  throw new ReleaseError('wrong-product', `${version} is not a version of the installed ${product.title}`, {
    why: `its names (API group ${product.group}, Deployment ${product.controller.deployment}) belong to ${product.versions}${elsewhere}`,
    next: 'another API group means other objects: that is a move of the data, not an upgrade',
  })
}

async function readSource(version: string, options: ReadReleaseOptions): Promise<SourceFiles> {
  const source = options.source ?? ''
  const files = /^https?:\/\//i.test(source)
    ? await readAddress(validAddress(source), await fetchOf(options), options.signal)
    : await readLocalSource(source, options.product)
  if (files !== undefined) return files
  throw new ReleaseError('not-found', `${source} holds no release ${version} of ${options.product.title}`, {
    why: `looked for ${options.product.installFiles.join(', ')} in a folder, and for the file itself`,
    next: 'name the folder, file or address of the release with --source',
  })
}

async function readLocalSource(source: string, product: Product): Promise<SourceFiles | undefined> {
  return (await isFolder(source)) ? await readFolder(source, product) : await readSingleFile(source)
}

async function findFiles(version: string, options: ReadReleaseOptions): Promise<SourceFiles> {
  const { product, releasesFolder: folder } = options
  if (folder !== undefined) {
    for (const name of [version, version.slice(1)]) {
      const files = await readFolder(join(folder, name), product)
      if (files !== undefined) return files
    }
  }
  const known = folder === undefined ? '' : `${folder} has ${await versionsIn(folder)}; `
  const files = await fetchTemplate(version, options, known)
  if (files !== undefined) return files
  throw new ReleaseError('not-found', `there is no release ${version} of ${product.title}`, {
    why: `${known}the tag ${version} has none of ${product.installFiles.join(', ')} at ${product.urlTemplate}`,
    next: 'check the version, or give the files of the release with --source',
  })
}

async function fetchTemplate(
  version: string,
  options: ReadReleaseOptions,
  known: string,
): Promise<SourceFiles | undefined> {
  try {
    return await readTemplate(options.product, version, await fetchOf(options), options.signal)
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.kind !== 'unreadable') throw error
    throw new ReleaseError('unreadable', `release ${version} of ${options.product.title} could not be fetched`, {
      why: `${known}${error.message}: ${error.why ?? ''}`,
      next: 'check the connection, or give the files of the release with --source',
      cause: error,
    })
  }
}

async function versionsIn(folder: string): Promise<string> {
  try {
    const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
    return names.length === 0
      ? 'no versions'
      : `only ${names
          .map((entry) => entry.name)
          .toSorted()
          .join(', ')}`
  } catch (error) {
    throw new ReleaseError('unreadable', `the folder of releases ${folder} could not be read`, {
      why: error instanceof Error ? error.message : String(error),
      next: 'correct the folder of releases (--releases or AIRUNWAY_RELEASES), or give none',
      cause: error,
    })
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    // Whatever is wrong with the path is reported when it is read as a file.
    return false
  }
}

function validAddress(source: string): string {
  if (URL.canParse(source)) return source
  throw new ReleaseError('unreadable', `"${source.replace(/\/\/.*@/, '//')}" is not an address`, {
    next: 'write it as https://HOST/PATH/install.yaml',
  })
}

async function fetchOf(options: ReadReleaseOptions): Promise<FetchLike> {
  if (options.fetch !== undefined) return options.fetch
  const { proxiedFetch } = await import('./proxied-fetch.ts')
  return proxiedFetch()
}
