/** Which version an image is, and why one cannot tell. Pure: objects in, values out. */
import { parseImage } from '../releases/image-reference.ts'
import { readVersionText } from '../releases/versions.ts'
import type { KnownVersion } from './inventory.types.ts'

/** A version behind an image digest, from known-release data. */
export interface KnownDigest {
  /** `sha256:...` */
  digest: string
  /** with leading `v` */
  version: string
}

/**
 * The version of a controller or shim (with leading `v`): by the image's tag, then by the digest of the image reference or of
 * the running pods (`imageIDs`). A tag that moves names no version; `known` says what else is known then.
 */
export function versionOfImage(
  image: string,
  context: { imageIDs?: string[]; digests?: KnownDigest[]; known?: string | undefined } = {},
): KnownVersion {
  const reference = parseImage(image)
  const text = reference?.tag === undefined ? undefined : readVersionText(reference.tag)
  if (text !== undefined && 'version' in text) {
    return { known: true, version: `v${text.version}`, evidence: 'image tag', detail: withNote(image, text.note) }
  }
  const digests = [reference?.digest, ...(context.imageIDs ?? []).map((id) => parseImage(id)?.digest)]
  const running = new Set(digests.filter((digest) => digest !== undefined))
  const versions = new Set(
    [...running].map((digest) => (context.digests ?? []).find((candidate) => candidate.digest === digest)?.version),
  )
  const [version] = versions
  // Pods of two versions, in the middle of a roll-out, prove neither.
  if (version !== undefined && versions.size === 1) {
    return { known: true, version, evidence: 'image ID', detail: [...running].join(', ') }
  }
  const why = reference === undefined ? `"${image}" is not an image reference` : whyUnknown(reference.digest, text)
  return { known: false, why, detail: context.known === undefined ? image : `${image}; ${context.known}` }
}

/** Explains a version that has a suffix. */
export function withNote(detail: string, note: string | undefined): string {
  return note === undefined ? detail : `${detail} (${note})`
}

function whyUnknown(digest: string | undefined, text: { why: string } | undefined): string {
  if (text !== undefined) return `the image tag ${text.why}`
  return digest === undefined
    ? 'the image has no tag, which means latest'
    : 'the image is named by a digest that is not known'
}
