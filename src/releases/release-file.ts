/** The `release.yaml` that a source may carry beside its manifest. Pure. */
import { parse } from 'yaml'
import { readCompatibility } from './compatibility.ts'
import { ReleaseError } from './errors.ts'
import { parseImage } from './image-reference.ts'
import { readProviderConfigChanges } from './provider-config-changes.ts'
import type { Compatibility, ProviderConfigChanges } from './release.types.ts'
import { releaseVersion } from './versions.ts'

export interface ReleaseFile {
  /** product line the release belongs to */
  product?: string
  /** with leading `v` */
  version?: string
  compatibility?: Compatibility
  /** shim images by shim name */
  shims: Record<string, string>
  /** what becomes of provider configs whose form changes */
  providerConfigs?: ProviderConfigChanges
}

/**
 * Reads a release.yaml: `product`, `version`, `compatibility` (rows and providers), `shims` (image by shim name) and
 * `providerConfigs`. Other keys are left for later versions of this tool. Throws ReleaseError `not-a-release` or
 * `bad-compatibility` naming the entry.
 */
export function parseReleaseFile(text: string, source: string): ReleaseFile {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    throw bad(source, error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it is not YAML', error)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw bad(source, 'it is no mapping')
  const fields: Record<string, unknown> = { ...content }
  const { product, version, compatibility, providerConfigs } = fields
  if (product !== undefined && typeof product !== 'string') throw bad(source, '`product` has to be text')
  if (version !== undefined && typeof version !== 'string')
    throw bad(source, '`version` has to be text, such as v0.2.0')
  return {
    ...(product === undefined ? {} : { product }),
    ...(version === undefined ? {} : { version: releaseVersion(version) }),
    ...(compatibility === undefined ? {} : { compatibility: readCompatibility(compatibility, source) }),
    shims: shimImages(fields['shims'] ?? {}, source),
    ...(providerConfigs === undefined ? {} : { providerConfigs: readProviderConfigChanges(providerConfigs, source) }),
  }
}

function shimImages(shims: unknown, source: string): Record<string, string> {
  if (typeof shims !== 'object' || shims === null || Array.isArray(shims)) {
    throw bad(source, '`shims` has to be a mapping from the name of a shim to its image')
  }
  const images: Record<string, string> = {}
  for (const [name, image] of Object.entries(shims)) {
    if (typeof image !== 'string' || parseImage(image) === undefined) {
      throw bad(source, `shims.${name} has to be an image reference`)
    }
    images[name] = image
  }
  return images
}

function bad(source: string, why: string, cause?: unknown): ReleaseError {
  return new ReleaseError('not-a-release', `${source} cannot be used`, {
    why,
    next: 'correct the file, or remove it: a release can be read without it',
    cause,
  })
}
