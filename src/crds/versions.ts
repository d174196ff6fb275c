/** The versions of one CRD: which are served, which one is stored, and how its schemas are told apart. Pure. */
import { createHash } from 'node:crypto'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../kubernetes/objects.ts'

/** A CRD with its storage version held, or why that cannot be done. */
export type HeldCrd = { held: true; crd: CustomResourceDefinition } | { held: false; why: string }

/** The version that objects are stored in. Undefined where no version has the flag, which the API server refuses. */
export function storageVersionOf(crd: CustomResourceDefinition): string | undefined {
  return crd.spec.versions.find((version) => version.storage)?.name
}

/** The names of the versions that clients can ask for, in the order of the CRD. */
export function servedVersions(crd: CustomResourceDefinition): string[] {
  return crd.spec.versions.filter((version) => version.served).map((version) => version.name)
}

/**
 * Moves the storage flag of a CRD to `storageVersion`, everything else stays. So a new release's CRD can be applied while
 * objects are still stored in the version that the old release reads.
 * Gives the reason where the CRD does not have that version: the API server refuses a CRD that lacks one of its stored versions.
 */
export function holdStorage(crd: CustomResourceDefinition, storageVersion: string): HeldCrd {
  const names = crd.spec.versions.map((version) => version.name)
  if (!names.includes(storageVersion)) {
    return {
      held: false,
      why: `${crd.metadata.name} has the versions ${names.join(', ')}, so ${storageVersion} cannot be its storage version`,
    }
  }
  const versions = crd.spec.versions.map((version) => ({ ...version, storage: version.name === storageVersion }))
  return { held: true, crd: { ...crd, spec: { ...crd.spec, versions } } }
}

/**
 * Fingerprint of a CRD's schemas: the first 12 hex digits of the sha256 over `spec.versions` as JSON with sorted keys and
 * without descriptions. The API server's own defaults (conversion, listKind) stand outside `versions`, so a CRD read back
 * from a cluster has the fingerprint of its file. It tells which manifest was applied last, not which binary runs.
 */
export function fingerprint(crd: CustomResourceDefinition): string {
  return createHash('sha256').update(sortedJson(crd.spec.versions)).digest('hex').slice(0, 12)
}

/**
 * Fingerprint of what decides how objects are stored, served and converted. Without what others write into a definition all
 * the time and that touches no object: the authority of a conversion webhook (the CA bundle), what clients print, the words
 * that clients know the kind by, and what is said of a version's end. All else counts, also what is not known here.
 */
export function storageFingerprint({ spec }: CustomResourceDefinition): string {
  const { shortNames: _shortNames, categories: _categories, ...names } = spec.names
  const versions = spec.versions.map(
    ({ additionalPrinterColumns: _columns, deprecated: _deprecated, deprecationWarning: _warning, ...version }) =>
      version,
  )
  const { webhook, ...strategy } = spec.conversion ?? {}
  const { caBundle: _caBundle, ...address } = webhook?.clientConfig ?? {}
  const conversion = { ...strategy, ...(webhook !== undefined && { webhook: { ...webhook, clientConfig: address } }) }
  return createHash('sha256')
    .update(orderedJson({ ...spec, names, versions, conversion }))
    .digest('hex')
    .slice(0, 32)
}

/** JSON with sorted keys. Numbers go through JavaScript's: whoever reads 64 bits exactly has to come to the same. */
const orderedJson = (value: unknown): string =>
  JSON.stringify(JSON.parse(JSON.stringify(value)), (_key, node: unknown) =>
    typeof node === 'object' && node !== null && !Array.isArray(node)
      ? Object.fromEntries(Object.entries(node).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : node,
  )

/** The JSON text of Python's `json.dumps(value, sort_keys=True)`, which the known fingerprints were made with. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([key, entry]) => key !== 'description' && entry !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, entry]) => `${asciiJson(key)}: ${sortedJson(entry)}`).join(', ')}}`
  }
  return asciiJson(value)
}

function asciiJson(value: unknown): string {
  const text = JSON.stringify(value)
  return text.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What a version of a CRD says of its deprecation; empty where it says nothing. */
export const deprecationOf = ({
  deprecated,
  deprecationWarning,
}: CustomResourceDefinitionVersion): { deprecated?: boolean; deprecationWarning?: string } => ({
  ...(deprecated === true && { deprecated }),
  ...(deprecationWarning !== undefined && { deprecationWarning }),
})

/** The version as it is, with another word on its deprecation. */
export const withDeprecation = (
  { deprecated: _deprecated, deprecationWarning: _warning, ...version }: CustomResourceDefinitionVersion,
  deprecation: ReturnType<typeof deprecationOf>,
): CustomResourceDefinitionVersion => ({ ...version, ...deprecation })
