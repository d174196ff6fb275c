/** krew's own rules, as its validation and its installer have them (kubernetes-sigs/krew: internal/index/validation, internal/download). */
import { gunzipSync } from 'node:zlib'

export interface KrewPlatform {
  uri: string
  sha256: string
  bin: string
  selector?: { matchLabels?: Record<string, string> }
}

export interface KrewManifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: {
    version: string
    shortDescription: string
    homepage?: string
    description?: string
    platforms: KrewPlatform[]
  }
}

/** Pairs of os and arch that krew's index knows. */
const knownPairs = [
  'windows/386',
  'windows/amd64',
  'windows/arm64',
  'linux/386',
  'linux/amd64',
  'linux/arm',
  'linux/arm64',
  'linux/ppc64le',
  'darwin/386',
  'darwin/amd64',
  'darwin/arm64',
]

const semverWithV = /^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

const pairsOf = (platform: KrewPlatform): string[] => {
  const labels = platform.selector?.matchLabels ?? {}
  return knownPairs.filter((pair) => {
    const [os, arch] = pair.split('/')
    return (labels['os'] ?? os) === os && (labels['arch'] ?? arch) === arch
  })
}

const platformObjections = (platform: KrewPlatform, index: number): string[] => {
  const labels = platform.selector?.matchLabels ?? {}
  const objections = [
    [!/^[a-f0-9]{64}$/.test(platform.sha256), 'sha256 is not 64 lower-case hex digits'],
    [!/^https?:\/\/\S+$/.test(platform.uri), 'uri is no URL'],
    [!platform.bin || platform.bin.includes('..') || platform.bin.startsWith('/'), 'bin is not a clean path'],
    [Object.keys(labels).length === 0, 'selector is empty'],
    [Object.keys(labels).some((key) => key !== 'os' && key !== 'arch'), 'selector has keys besides os and arch'],
    [pairsOf(platform).length === 0, 'selector matches no platform that krew knows'],
  ] as const
  return objections.filter(([broken]) => broken).map(([, text]) => `platform ${index}: ${text}`)
}

/** What krew would refuse in a manifest; empty where it is valid. */
export const manifestObjections = (manifest: KrewManifest, fileName: string): string[] => {
  const { spec } = manifest
  const claimed = spec.platforms.flatMap(pairsOf)
  const overlapping = claimed.filter((pair, index) => claimed.indexOf(pair) !== index)
  const objections = [
    [manifest.apiVersion !== 'krew.googlecontainertools.github.com/v1alpha2', 'apiVersion is not krew v1alpha2'],
    [manifest.kind !== 'Plugin', 'kind is not Plugin'],
    [!/^[\w-]+$/.test(manifest.metadata.name), 'name has characters that krew refuses'],
    [`${manifest.metadata.name}.yaml` !== fileName, 'name is not the name of the file'],
    [!semverWithV.test(spec.version), 'version is not semver with a leading v'],
    [!spec.shortDescription || spec.shortDescription.includes('\n'), 'shortDescription is not one line'],
    [spec.platforms.length === 0, 'no platforms'],
    [overlapping.length > 0, `platforms overlap: ${overlapping.join(', ')}`],
  ] as const
  return [
    ...objections.filter(([broken]) => broken).map(([, text]) => text),
    ...spec.platforms.flatMap(platformObjections),
  ]
}

export interface ArchiveEntry {
  name: string
  type: 'file' | 'folder'
  mode: number
  content: Buffer
}

const text = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return field.subarray(0, end === -1 ? length : end).toString()
}

/**
 * Reads a gzipped tar with krew's refusals: only folders and regular files, no `..` in a name and no leading slash.
 * Throws Error with krew's reason.
 */
export const readArchive = (archive: Buffer): ArchiveEntry[] => {
  const tar = gunzipSync(archive)
  const entries: ArchiveEntry[] = []
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const block = tar.subarray(at, at + 512)
    const prefix = text(block, 345, 155)
    const name = prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`
    const size = Number.parseInt(text(block, 124, 12), 8)
    const flag = String.fromCharCode(block[156] ?? 0)
    if (name.includes('..')) throw new Error(`refusing to unpack a name with dots: ${name}`)
    if (name.startsWith('/')) throw new Error(`refusing to unpack an absolute name: ${name}`)
    if (flag !== '0' && flag !== '\0' && flag !== '5') throw new Error(`unable to handle file type ${flag}: ${name}`)
    entries.push({
      name,
      type: flag === '5' ? 'folder' : 'file',
      mode: Number.parseInt(text(block, 100, 8), 8),
      content: tar.subarray(at + 512, at + 512 + size),
    })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return entries
}
