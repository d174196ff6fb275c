/** Which matrices count, in their order: the operator's own file, what the release says, the policy document. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inventory } from '../installation/inventory.types.ts'
import { parseCompatibility } from '../releases/compatibility.ts'
import { knownReleases, policyCompatibility } from '../releases/data.ts'
import type { Compatibility, Product, Release } from '../releases/release.types.ts'
import { parseReleaseFile } from '../releases/release-file.ts'
import { readFolder } from '../releases/source-files.ts'
import { Refusal } from '../report/refusal.ts'
import { runningVersion } from './subject.ts'

/**
 * Reads the file given with `--compatibility`.
 * Throws a `usage` Refusal where it cannot be read and a ReleaseError where its content is wrong.
 */
export async function readCompatibilityFile(path: string): Promise<Compatibility> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Refusal('usage', `the compatibility file ${path} cannot be read`, {
      why: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
  return parseCompatibility(text, path)
}

/**
 * Gives the sources for the release, or for what runs where there is no release. Nothing is fetched for what runs: its
 * release.yaml is read from the folder of releases where it is there.
 * Throws ReleaseError where that file is wrong.
 */
export async function compatibilitySources(options: {
  file: Compatibility | undefined
  release: Release | undefined
  inventory: Inventory
  releasesFolder: string | undefined
}): Promise<Compatibility[]> {
  const own = options.release
    ? options.release.compatibility
    : await ofRunning(options.inventory, options.releasesFolder)
  return [options.file, own, policyCompatibility()].filter((source) => source !== undefined)
}

async function ofRunning(inventory: Inventory, folder: string | undefined): Promise<Compatibility | undefined> {
  const version = runningVersion(inventory)
  const product = inventory.installs[0]?.product
  if (version === undefined || !product) return undefined
  return (await fromFolder(version, product, folder)) ?? fromKnown(version, product)
}

async function fromFolder(
  version: string,
  product: Product,
  folder: string | undefined,
): Promise<Compatibility | undefined> {
  const files = folder === undefined ? undefined : await readFolder(join(folder, version), product)
  return files?.release && parseReleaseFile(files.release.text, files.release.name).compatibility
}

function fromKnown(version: string, product: Product): Compatibility | undefined {
  const known = knownReleases().releases.find((row) => row.product === product.name && row.version === version)
  return known?.providers && { source: `what is known of ${version}`, rows: [], providers: known.providers }
}
