/** Which shims move with a release, and which stay and why. Shims have versions of their own: an unknown image is never guessed. Pure. */
import type { InstalledShim, Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, Deployment } from '../kubernetes/objects.ts'
import type { LedDeployment } from '../plan/workloads.ts'
import type { Release, ReleaseShim } from '../releases/release.types.ts'

/** A shim that moves: what is applied for it, and what must run after. */
export interface ShimHop {
  name: string
  objects: AnyObject[]
  led: LedDeployment
}

const installed = (inventory: Inventory, name: string): InstalledShim | undefined =>
  inventory.shims.find((shim) => shim.name === name)

/** The shims that are installed and whose image in this release is known. */
export const shimHops = (inventory: Inventory, release: Release): ShimHop[] =>
  release.shims.flatMap((shim): ShimHop[] => {
    const live = installed(inventory, shim.name)
    const lease = release.product.shims.find(({ name }) => name === shim.name)?.lease
    if (live === undefined || shim.pinnedImage === undefined || lease === undefined) return []
    const pinned = pin(shim, shim.pinnedImage)
    return pinned === undefined
      ? []
      : [{ name: shim.name, objects: pinned.objects, led: { title: `the ${shim.name} shim`, ...pinned.led, lease } }]
  })

/** The shim's objects with its Deployment on the image, and where that is. */
const pin = (
  shim: ReleaseShim,
  image: string,
): { objects: AnyObject[]; led: Omit<LedDeployment, 'lease' | 'title'> } | undefined => {
  let led: Omit<LedDeployment, 'lease' | 'title'> | undefined
  const objects = shim.objects.map((object) => {
    if (object.kind !== 'Deployment') return object
    const { spec } = object as unknown as Deployment
    const container = spec.template.spec.containers.find((each) => each.image === shim.image || each.image === image)
    if (container === undefined) return object
    const { name, namespace } = object.metadata
    led = {
      deployment: { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace && { namespace }) },
      container: container.name,
      image,
    }
    const containers = spec.template.spec.containers.map((each) => (each === container ? { ...each, image } : each))
    return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }
  })
  return led === undefined ? undefined : { objects, led }
}

/** One sentence for each installed shim that stays as it is. */
export const shimNotes = (inventory: Inventory, release: Release): string[] =>
  inventory.shims.flatMap((live) => {
    const shim = release.shims.find(({ name }) => name === live.name)
    if (shim?.pinnedImage !== undefined) return []
    const why =
      shim === undefined
        ? `${release.version} has no file for it`
        : `its image in ${release.version} is "${shim.image}", which names no version`
    return [`The ${live.name} shim stays on ${live.image}: ${why}.`]
  })
