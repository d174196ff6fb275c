/** Pairs of versions: what becomes of an object that is stored or written in one and read in the other. */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../kubernetes/objects.ts'
import { compareSchemas } from './compare-schemas.ts'
import type { Change, Level } from './comparison.types.ts'
import { strategyOf } from './rules/conversion.ts'
import { canonical, schemaOfVersion } from './schema-reading.ts'

type Version = CustomResourceDefinitionVersion

/** What a finding between two versions is lowered to where a webhook converts: it may be right, but has that one thing to get right. */
const converted: Readonly<Record<Level, Level | undefined>> = { error: 'warning', warning: 'info', info: undefined }
/** Without a webhook, only what may hurt counts: that one version knows more than the other is why there are two. */
const unconverted: Readonly<Record<Level, Level | undefined>> = { error: 'error', warning: 'warning', info: undefined }

/** From the old storage version to the new one, where that is another one: what stored objects lose. */
export function compareStorage(before: CustomResourceDefinition, after: CustomResourceDefinition): Change[] {
  const [from, to] = [storageOf(before), storageOf(after)]
  if (from === undefined || to === undefined || from.name === to.name) return []
  return comparePair({ from, to, scope: 'storage-pair', converts: strategyOf(after) === 'Webhook' })
}

/**
 * Between each two served versions of the new definition, in both directions, as an object may be written in either and read in
 * the other. What the old definition's versions had against each other already is nothing new.
 */
export function compareServed(before: CustomResourceDefinition, after: CustomResourceDefinition): Change[] {
  const existing = new Set(servedPairs(before).map(keyOf))
  return servedPairs(after).filter((change) => !existing.has(keyOf(change)))
}

function servedPairs(crd: CustomResourceDefinition): Change[] {
  const served = crd.spec.versions.filter((version) => version.served)
  const converts = strategyOf(crd) === 'Webhook'
  return served.flatMap((from) =>
    served.filter((to) => to !== from).flatMap((to) => comparePair({ from, to, scope: 'served-pair', converts })),
  )
}

/** The level stays out of it: a webhook that has come or gone is a change of its own. */
const keyOf = ({ version, path, id, before, after }: Change) => canonical([version, path, id, before, after])

interface Pair {
  from: Version
  to: Version
  scope: 'storage-pair' | 'served-pair'
  converts: boolean
}

function comparePair({ from, to, scope, converts }: Pair): Change[] {
  const [before, after] = [schemaOfVersion(from), schemaOfVersion(to)]
  if (before === undefined || after === undefined) return []
  return compareSchemas(before, after).flatMap((change) => {
    const level = (converts ? converted : unconverted)[change.level]
    const audiences = change.audiences.filter((audience) =>
      scope === 'served-pair' ? audience !== 'writer' : audience === 'stored',
    )
    // What hurts no object hurts nobody here: whoever asks for another version expects another schema.
    if (level === undefined || !change.audiences.includes('stored')) return []
    return [{ ...change, scope, version: `${from.name} -> ${to.name}`, level, audiences }]
  })
}

function storageOf(crd: CustomResourceDefinition): Version | undefined {
  return crd.spec.versions.find((version) => version.storage)
}
