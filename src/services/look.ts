/** Reads all that checks and plans decide on: the cluster, the release, and what is known about both. */
import type { Inventory } from '../installation/inventory.types.ts'
import { takeInventory } from '../installation/take-inventory.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { CheckContext, TypedWords } from '../preflight/check.types.ts'
import { compatibilitySources } from '../preflight/compatibility-sources.ts'
import { kubernetesSupport } from '../releases/data.ts'
import { products } from '../releases/products.ts'
import type { Compatibility, Release } from '../releases/release.types.ts'
import { readRelease } from '../releases/sources.ts'
import type { Progress } from '../report/progress.ts'

export interface LookOptions {
  /** version to go to; without it only what runs now is looked at */
  to?: string | undefined
  /** folder, file or address of the release */
  source?: string | undefined
  /** folder of releases, one folder a version (AIRUNWAY_RELEASES) */
  releases?: string | undefined
  /** registry that the release's images are taken from, instead of the one that runs now */
  registry?: string | undefined
  /** images by name (`controller`, or a shim's), instead of what the release says */
  images?: Record<string, string> | undefined
  /** compatibility rows that go before all others */
  compatibility?: Compatibility | undefined
  /** what the commands named in findings carry on */
  typed?: TypedWords | undefined
  now: Date
  /** the date that support tables are read by */
  today: Date
  progress: Progress
  signal?: AbortSignal | undefined
}

/** Throws ReleaseError for the release, ApiError and ConnectionError for the cluster. */
export async function look(client: KubernetesClient, options: LookOptions): Promise<CheckContext> {
  const { now, signal } = options
  const reading = options.progress.task('Reading the cluster')
  const inventory = await takeInventory(client, { products: products(), now, ...(signal && { signal }) }).catch(
    (error: unknown) => {
      reading.fail('it could not be read')
      throw error
    },
  )
  reading.done()
  const release = await releaseFor(inventory, options)
  const compatibility = await compatibilitySources({
    file: options.compatibility,
    release,
    inventory,
    releasesFolder: options.releases,
  })
  return {
    inventory,
    ...(release && { release }),
    compatibility,
    kubernetesSupport: kubernetesSupport(),
    now,
    today: options.today,
    ...(options.typed && { typed: options.typed }),
  }
}

/** Without an installation nobody knows by which names a release goes, and the missing installation blocks anyway. */
async function releaseFor(inventory: Inventory, options: LookOptions): Promise<Release | undefined> {
  const [install] = inventory.installs
  if (options.to === undefined || !install) return undefined
  const shims = Object.fromEntries<string>(inventory.shims.map(({ name, image }) => [name, image]))
  return readRelease({
    version: options.to,
    source: options.source,
    releasesFolder: options.releases,
    product: install.product,
    running: { controller: install.image, ...shims },
    signal: options.signal,
    ...(options.registry !== undefined && { registry: options.registry }),
    ...(options.images !== undefined && { images: options.images }),
  })
}
