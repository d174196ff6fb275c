/** From a definition as it was read to what a migration is about, or why there can be none. Pure. */
import { holdStorage, servedVersions, storageFingerprint, storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import {
  migratingElsewhere,
  noSchema,
  noStorageVersion,
  notEstablished,
  notServed,
  terminating,
  versionGone,
} from './blockers.ts'
import type { MigrationTarget } from './migration.types.ts'
import type { Blocker } from './survey.types.ts'

/** Whether a result of `targetOf` says why there is no target. */
export const isBlocker = (found: MigrationTarget | Blocker): found is Blocker => 'message' in found

/** Whether status says that objects may be stored in other versions than the storage version. */
export function needsMigration(crd: CustomResourceDefinition): boolean {
  const stored = crd.status?.storedVersions ?? []
  return stored.length !== 1 || stored[0] !== storageVersionOf(crd)
}

/** The definition as a flip to that version leaves it; undefined where it does not have the version. */
export function flippedTo(crd: CustomResourceDefinition, version: string): CustomResourceDefinition | undefined {
  const held = holdStorage(crd, version)
  if (!held.held) return undefined
  const storedVersions = [...new Set([...(crd.status?.storedVersions ?? []), version])]
  return { ...held.crd, status: { ...crd.status, storedVersions } }
}

/** What a migration of this definition is about. `flippedAt` where it is known, see `storageFlip`. */
export function targetOf(crd: CustomResourceDefinition, flippedAt?: string): MigrationTarget | Blocker {
  const { spec, metadata } = crd
  const storageVersion = storageVersionOf(crd)
  const served = servedVersions(crd)
  // The storage version need not be served. What is stored does not depend on the version of the request.
  const requestVersion = storageVersion !== undefined && served.includes(storageVersion) ? storageVersion : served[0]
  const obstacle = obstacleTo(crd)
  if (obstacle !== undefined) return obstacle
  if (storageVersion === undefined) return noStorageVersion(metadata.name)
  if (requestVersion === undefined) return notServed(metadata.name)
  return {
    definition: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    fingerprint: storageFingerprint(crd),
    group: spec.group,
    kind: spec.names.kind,
    plural: spec.names.plural,
    namespaced: spec.scope === 'Namespaced',
    storageVersion,
    storedVersions: [...(crd.status?.storedVersions ?? [])],
    versions: spec.versions.map(({ name }) => name),
    served,
    requestVersion,
    conversion: spec.conversion?.strategy ?? 'None',
    statusSubresource: spec.versions.some(
      ({ name, subresources }) => name === requestVersion && !!subresources?.status,
    ),
    ...(flippedAt !== undefined && { flippedAt }),
  }
}

function obstacleTo(crd: CustomResourceDefinition): Blocker | undefined {
  const { name, deletionTimestamp } = crd.metadata
  const conditions = new Map((crd.status?.conditions ?? []).map((condition) => [condition.type, condition]))
  if (deletionTimestamp !== undefined || conditions.get('Terminating')?.status === 'True') return terminating(name)
  // Missing on a definition that was made just now, False where another definition has its names.
  const established = conditions.get('Established')
  if (established?.status !== 'True') {
    const refused = conditions.get('NamesAccepted')
    const said = (refused?.status === 'False' ? refused.message : established?.message) || 'no reason is given yet'
    return notEstablished(name, said)
  }
  if (conditions.get('StorageMigrating')?.status === 'True') return migratingElsewhere(name)
  const versions = new Set(crd.spec.versions.map((version) => version.name))
  const gone = (crd.status?.storedVersions ?? []).filter((stored) => !versions.has(stored))
  if (gone.length > 0) return versionGone(name, gone)
  const bare = crd.spec.versions.filter(({ schema }) => schema?.openAPIV3Schema === undefined)
  return bare.length > 0
    ? noSchema(
        name,
        bare.map((version) => version.name),
      )
    : undefined
}
