/** Where a cluster stands between two definitions, and in which version its objects can be read. */
import { compareDefinitions } from '../../crds/comparison/compare-definitions.ts'
import type { LiveEvidence } from '../../crds/comparison/evidence.types.ts'
import { shapeOf } from '../../crds/comparison/schema-reading.ts'
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'

/** Two definitions, in the order of a comparison. */
export interface Definitions {
  before: CustomResourceDefinition
  after: CustomResourceDefinition
}

/**
 * The direction that begins at the live definition: rollback where that is the newer one. What objects hold now says nothing about
 * the other direction, because the release that it begins at has not written any yet.
 */
export function directionFrom(
  live: CustomResourceDefinition,
  { before, after }: Definitions,
): NonNullable<LiveEvidence['direction']> {
  return standsAt(live, after) && !standsAt(live, before) ? 'rollback' : 'upgrade'
}

/** No object means anything else under the one than under the other. Files and servers write the same definition differently. */
function standsAt(live: CustomResourceDefinition, definition: CustomResourceDefinition): boolean {
  const changes = [...compareDefinitions(live, definition), ...compareDefinitions(definition, live)]
  return changes.every(({ id, audiences }) => !audiences.includes('stored') && !id.startsWith('crd.version.'))
}

/**
 * The version to read objects in, for a finding about `version`: that one where it is served; else one that says the same of them,
 * if nothing converts between versions. Undefined where no read shows what objects are in that version.
 */
export function readableAs(live: CustomResourceDefinition, version: string): string | undefined {
  const served = live.spec.versions.filter((candidate) => candidate.served)
  if (served.some(({ name }) => name === version)) return version
  const wanted = live.spec.versions.find(({ name }) => name === version)
  if (wanted === undefined || live.spec.conversion?.strategy === 'Webhook') return undefined
  const shape = shapeOf(wanted.schema?.openAPIV3Schema)
  return served.find(({ schema }) => shapeOf(schema?.openAPIV3Schema) === shape)?.name
}

/** The version that is cheapest to read: the stored one needs no conversion. */
export function cheapestVersion(live: CustomResourceDefinition): string | undefined {
  const served = live.spec.versions.filter((candidate) => candidate.served)
  return (served.find(({ storage }) => storage) ?? served[0])?.name
}

/** Versions that clients have to leave: those that go, are served no more, or are deprecated. */
export function versionsThatGo({ before, after }: Definitions): string[] {
  return before.spec.versions
    .filter(({ name, served }) => {
      const now = after.spec.versions.find((candidate) => candidate.name === name)
      return now === undefined || (served && !now.served) || now.deprecated === true
    })
    .map(({ name }) => name)
}
