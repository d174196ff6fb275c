/** Reads the files in `data/`: facts that change without the code. */
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { parseCompatibility } from './compatibility.ts'
import type { KnownReleases, KubernetesSupport, OperatorRow } from './data.types.ts'
import type { Compatibility, Product } from './release.types.ts'

/** The parsed files by name. The files are part of the program and never change while it runs, and each is frozen when it is
 * parsed, so keeping them cannot be observed except by the clock: `--version` parses nothing, a command each file once. */
const parsed = new Map<string, unknown>()

/** The rows of `products.yaml`. Read-only: the same frozen rows are given to every caller. */
export function productRows(): Product[] {
  return readData<{ products: Product[] }>('products.yaml').products
}

/** Kubernetes' support table with its "as of" date. Read-only. */
export function kubernetesSupport(): KubernetesSupport {
  return readData<KubernetesSupport>('kubernetes-support.yaml')
}

/** How provider operators are found on a cluster. Read-only. */
export function operatorRows(): OperatorRow[] {
  return readData<{ operators: OperatorRow[] }>('operators.yaml').operators
}

/** What is known of published releases. Read-only. */
export function knownReleases(): KnownReleases {
  return readData<KnownReleases>('known-releases.yaml')
}

/** The matrix and the provider minimums of the versioning policy document. */
export function policyCompatibility(): Compatibility {
  return parseCompatibility(readFileSync(dataFile('compatibility.yaml'), 'utf8'), 'the versioning policy document')
}

function readData<T extends object>(name: string): T {
  const known = parsed.get(name)
  if (known !== undefined) return known as T
  const value = parse(readFileSync(dataFile(name), 'utf8')) as T
  parsed.set(name, deepFreeze(value))
  return value
}

/** A bundle has the folder beside its chunks; in a source tree it is two levels up from this file. */
function dataFile(name: string): URL {
  const candidates = ['./data/', '../data/', '../../data/'].map((folder) => new URL(folder + name, import.meta.url))
  const found = candidates.find((url) => existsSync(url))
  if (found === undefined) throw new Error(`the data file ${name} is missing: this installation is not complete`)
  return found
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const entry of Object.values(value)) deepFreeze(entry)
    Object.freeze(value)
  }
  return value
}
