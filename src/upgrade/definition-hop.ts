/** What a release does to each custom resource definition, and whether it can be applied with its storage version held. Pure. */

import { isSuperset } from '../crds/superset.ts'
import { holdStorage, storageVersionOf } from '../crds/versions.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { Refused } from '../plan/refused.types.ts'

export interface DefinitionHop {
  wanted: AnyObject
  /** version that objects stay stored in */
  stored: string
  /** version that the release would store them in */
  wantedStorage: string
  /** of the definition on the cluster; undefined where there is none */
  uid: string | undefined
  /** versions that objects may be stored in now */
  storedVersions: string[]
  /** version to read objects with before the CRD changes: the stored one, where it is served */
  readable: string
  served: string[]
  /** versions that are served now and not by the release */
  ending: string[]
  /** versions that are on the cluster and not in the release */
  leaving: string[]
  /** the release ends the conversion webhook */
  endsConversion: boolean
  /** why what runs now could not read what the CRD then stores */
  noWayBack: string | undefined
}

/** What the release's CRD means for the one on the cluster, or why it cannot be applied there. */
export const definitionHop = (
  object: AnyObject,
  inventory: Inventory,
): { definition: DefinitionHop } | { refused: Refused } => {
  const crd = object as unknown as CustomResourceDefinition
  const live = inventory.crds.find(({ name }) => name === crd.metadata.name)
  const names = new Set(crd.spec.versions.map(({ name }) => name))
  const served = crd.spec.versions.filter((version) => version.served).map(({ name }) => name)
  const stored = live?.versions.find((version) => version.storage)?.name ?? storageVersionOf(crd) ?? ''
  const lost = (live?.storedVersions ?? []).filter((version) => !names.has(version))
  if (lost.length > 0)
    return {
      refused: {
        message: `${crd.metadata.name} has objects stored in ${lost.join(', ')}, a version that the release no longer has.`,
        why: 'The API server refuses such a CRD, because those objects would become unreadable.',
        next: 'move the stored objects to a version that the release has, first',
      },
    }
  const held = holdStorage(crd, stored)
  if (!held.held) return { refused: { message: held.why } }
  return {
    definition: {
      wanted: held.crd as unknown as AnyObject,
      stored,
      wantedStorage: storageVersionOf(crd) ?? stored,
      uid: live?.uid,
      storedVersions: live?.storedVersions ?? [],
      readable: readableIn(
        stored,
        (live?.versions ?? []).filter((version) => version.served).map(({ name }) => name),
      ),
      served,
      ending: (live?.versions ?? [])
        .filter((version) => version.served && !served.includes(version.name))
        .map(({ name }) => name),
      leaving: (live?.versions ?? []).map(({ name }) => name).filter((name) => !names.has(name)),
      endsConversion: live?.conversion === 'Webhook' && crd.spec.conversion?.strategy !== 'Webhook',
      noWayBack: live?.object === undefined ? undefined : whyNoWayBack(held.crd, live.object),
    },
  }
}

/** A rollback keeps the CRD, without what the release added: is that still all that the running release needs? */
const whyNoWayBack = (wanted: CustomResourceDefinition, live: CustomResourceDefinition): string | undefined => {
  const { superset, differences } = isSuperset(wanted, live)
  const [first] = differences
  if (superset || first === undefined) return undefined
  return `${live.metadata.name} ${first.version} ${first.path}: ${first.what}`
}

/** A version that is stored need not be served. */
export const readableIn = (stored: string, served: string[]): string =>
  served.includes(stored) ? stored : (served[0] ?? stored)
