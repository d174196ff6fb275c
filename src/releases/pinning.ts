/** Which image runs: pinned to a version or a digest, on the registry that is asked for or runs now. Pure. */
import { ReleaseError } from './errors.ts'
import { formatImage, type ImageReference, parseImage } from './image-reference.ts'

export interface Registries {
  /** `--registry`: host, with a path where the mirror has one */
  registry?: string | undefined
  /** image that this component runs now, where one is installed */
  running?: string | undefined
}

/**
 * The controller's image for a version (with leading `v`): the release's tag has none, so `0.2.0`. A digest in the file is kept.
 * A tag such as `latest` never stays, since it says nothing about what would run.
 * Throws ReleaseError `bad-image` where the image cannot be read.
 */
export function pinController(image: string, version: string, registries: Registries): string {
  return formatImage({ ...rehost(readImage(image), registries), tag: version.replace(/^v/, '') })
}

/** A shim's known image on the registry asked for. Throws ReleaseError `bad-image` where the image is not pinned itself. */
export function pinShim(image: string, registries: Registries): string {
  return formatImage(rehost(pinnedOnly(image), registries))
}

/**
 * An image the user names with `--image NAME=REF`: taken as it is.
 * Throws ReleaseError `bad-image` without a tag or digest, or with a tag that moves.
 */
export function pinnedAsNamed(image: string): string {
  pinnedOnly(image)
  return image
}

/**
 * Puts an image on the registry asked for, or on the one that runs now: where the running image comes from another registry
 * than the release's own, that is a mirror, and its whole path is kept, since mirrors may rename. On the same registry the
 * release's own path holds, because projects move between organisations.
 */
function rehost(image: ImageReference, { registry, running }: Registries): ImageReference {
  if (registry !== undefined) return onRegistry(image, registry)
  const now = running === undefined ? undefined : parseImage(running)
  if (now === undefined || now.registry === image.registry) return image
  return { ...image, registry: now.registry, repository: now.repository }
}

function onRegistry(image: ImageReference, registry: string): ImageReference {
  const [host = '', ...path] = registry.replace(/\/+$/, '').split('/')
  const usable = parseImage(`${host}/${[...path, image.repository].join('/')}`)
  if (usable === undefined || usable.registry !== host) {
    throw new ReleaseError('bad-image', `"${registry}" is not a registry`, {
      why: 'a registry is a host with a dot or a port, and may have a path',
      next: 'name it without a scheme, for example --registry registry.example.com/mirror',
    })
  }
  return { ...image, registry: usable.registry, repository: usable.repository }
}

function pinnedOnly(image: string): ImageReference {
  const reference = readImage(image)
  const moving = reference.tag === undefined || reference.tag === 'latest'
  if (moving && reference.digest === undefined) {
    throw new ReleaseError('bad-image', `the image ${image} is not pinned`, {
      why: `${reference.tag === undefined ? 'no tag' : 'the tag latest'} means whatever is newest when a pod starts`,
      next: 'name a version tag or a digest',
    })
  }
  return reference
}

function readImage(image: string): ImageReference {
  const reference = parseImage(image)
  if (reference === undefined) {
    throw new ReleaseError('bad-image', `"${image}" is not an image reference`, {
      next: 'write it as REGISTRY/PATH:TAG or REGISTRY/PATH@sha256:DIGEST',
    })
  }
  return reference
}
