/**
 * What each custom resource definition goes back to, or why it cannot. Pure. A definition of which the same versions are
 * left stays as it is, a superset that harms nobody; versions that the run added go, if nothing is stored in them; versions
 * that it withdrew come back with their conversion. None is ever deleted: its objects would go along.
 */
import type { SavedObject } from '../backup/backup.types.ts'
import { isSuperset } from '../crds/superset.ts'
import { deprecationOf, holdStorage, servedVersions, storageVersionOf, withDeprecation } from '../crds/versions.ts'
import type { CrdState } from '../installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { canonicalJson } from '../plan/hash.ts'
import type { Deprecation } from '../plan/plan.types.ts'
import type { Refused } from '../plan/refused.types.ts'

export interface DefinitionBack {
  name: string
  group: string
  kind: string
  /** versions that go out of its spec; nothing is stored in them */
  leaving: string[]
  endsConversion: boolean
  /** versions that stay and whose deprecation the run has declared, or taken back: what they said before */
  deprecations: Record<string, Deprecation>
  /** the definition with the versions and the conversion that the run took out of it; undefined where it took none */
  comesBack: AnyObject | undefined
  /** conversion webhook that it names at the end */
  conversion: { service: string; path: string } | undefined
  stored: string
  /** versions to read it with while it is gone back, and afterwards: the stored one where it is served */
  readable: { now: string; after: string }
  /** versions that are served at the end */
  served: string[]
}

/** Refuses where objects are, or may be, stored in what the release before cannot read. `before` names that release. */
export const definitionBack = (
  saved: SavedObject,
  crds: CrdState[],
  before: string,
  /** the release before cannot read what fits the schema of now: the definition comes back as it was, not as a superset */
  whole = false,
): { definition: DefinitionBack } | { refused: Refused } => {
  const old = saved.object as unknown as CustomResourceDefinition
  const live = crds.find(({ name }) => name === old.metadata.name)
  if (live?.object === undefined)
    return { refused: { message: `${old.metadata.name} is gone: there is nothing left to go back with.` } }
  const kept = new Set(old.spec.versions.map(({ name }) => name))
  const leaving = live.versions.map(({ name }) => name).filter((name) => !kept.has(name))
  const stored = storageVersionOf(old) ?? ''
  const stuck = whyStored({ old, live, leaving }, before)
  if (stuck !== undefined) return { refused: stuck }
  const target = whole ? old : merged(old, live.object, leaving)
  const changed = whole ? undefined : whyChanged(target, old, before)
  if (changed !== undefined) return { refused: changed }
  const comesBack = whole || lacksSomething(old, live.object)
  const serves = comesBack ? servedVersions(target) : servedVersions(old)
  return {
    definition: {
      name: old.metadata.name,
      group: live.group,
      kind: live.kind,
      leaving,
      endsConversion: live.conversion === 'Webhook' && old.spec.conversion?.strategy !== 'Webhook',
      deprecations: comesBack ? {} : deprecationsBack(old, live.object),
      comesBack: comesBack ? asApplied(saved, target) : undefined,
      conversion: conversionOf(old),
      stored,
      readable: readableOf(stored, servedVersions(live.object), servedVersions(target)),
      served: serves,
    },
  }
}

const deprecationsBack = (
  old: CustomResourceDefinition,
  live: CustomResourceDefinition,
): DefinitionBack['deprecations'] =>
  Object.fromEntries(
    old.spec.versions.flatMap((before) => {
      const now = live.spec.versions.find(({ name }) => name === before.name)
      const same = now === undefined || canonicalJson(deprecationOf(now)) === canonicalJson(deprecationOf(before))
      return same ? [] : [[before.name, deprecationOf(before)]]
    }),
  )

interface Hop {
  old: CustomResourceDefinition
  live: CrdState
  leaving: string[]
}

const STAY = 'stay on this version, or restore objects by hand from the back-up in the run records'

const whyStored = ({ old, live, leaving }: Hop, before: string): Refused | undefined => {
  const storedNew = live.storedVersions.filter((version) => leaving.includes(version))
  const storage = live.versions.find((version) => version.storage)?.name
  if (storedNew.length === 0 && storage === storageVersionOf(old)) return undefined
  return {
    message: `${old.metadata.name} stores ${[...new Set([...storedNew, storage])].join(', ')}; ${before} stores ${storageVersionOf(old)}.`,
    why: `Objects may be stored in a version that ${before} cannot read; going back now would lose them.`,
    next: STAY,
  }
}

const whyChanged = (
  target: CustomResourceDefinition,
  old: CustomResourceDefinition,
  before: string,
): Refused | undefined => {
  const { superset, differences } = isSuperset(target, old)
  if (superset) return undefined
  const shown = differences.slice(0, 3).map(({ version, path, what }) => `${version} ${path}: ${what}`)
  return {
    message: `${old.metadata.name} has changed so that ${before} cannot read what is stored now.`,
    why: `${shown.join('; ')}${differences.length > 3 ? `; and ${differences.length - 3} more` : ''}.`,
    next: STAY,
  }
}

/**
 * The versions of before, in their order: as they are now where they are still there, for the schema of now keeps what is
 * stored now; else as they were. The storage version is the one of now.
 */
const merged = (
  old: CustomResourceDefinition,
  live: CustomResourceDefinition,
  leaving: string[],
): CustomResourceDefinition => {
  const now = new Map(live.spec.versions.map((version) => [version.name, version]))
  const versions = [
    ...old.spec.versions.map((version) => withDeprecation(now.get(version.name) ?? version, deprecationOf(version))),
    ...live.spec.versions.filter(({ name }) => !leaving.includes(name) && !knows(old, name)),
  ]
  const { conversion: _conversion, ...spec } = live.spec
  const complete: CustomResourceDefinition = {
    ...live,
    spec: { ...spec, versions, ...(old.spec.conversion && { conversion: old.spec.conversion }) },
  }
  const held = holdStorage(complete, storageVersionOf(live) ?? '')
  return held.held ? held.crd : complete
}

const knows = (crd: CustomResourceDefinition, name: string): boolean =>
  crd.spec.versions.some((version) => version.name === name)

/** The run took a version out, or the conversion webhook, or put another one in its place. */
const lacksSomething = (old: CustomResourceDefinition, live: CustomResourceDefinition): boolean =>
  old.spec.versions.some(({ name }) => !knows(live, name)) ||
  (old.spec.conversion?.strategy === 'Webhook' && webhookOf(old) !== webhookOf(live))

/** Where it is sent to; not the CA, which the certificate rotator changes by itself. */
const webhookOf = ({ spec: { conversion } }: CustomResourceDefinition): string => {
  const { caBundle: _caBundle, ...client } = conversion?.webhook?.clientConfig ?? {}
  return canonicalJson(conversion?.strategy === 'Webhook' ? client : null)
}

const conversionOf = ({ spec: { conversion } }: CustomResourceDefinition): DefinitionBack['conversion'] => {
  const service = conversion?.strategy === 'Webhook' ? conversion.webhook?.clientConfig?.service : undefined
  return service === undefined ? undefined : { service: service.name, path: service.path ?? '/' }
}

/** What had been applied, and of the spec what decides: another manager may own versions, and the CA in the conversion. */
const asApplied = ({ object, applied }: SavedObject, { spec }: CustomResourceDefinition): AnyObject => {
  const { name, labels, annotations } = (applied ?? object).metadata
  const before = (applied ?? object)['spec'] as Record<string, unknown> | undefined
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: {
      ...before,
      group: spec.group,
      names: before?.['names'] ?? spec.names,
      scope: spec.scope,
      versions: spec.versions,
      ...(spec.conversion && { conversion: spec.conversion }),
    },
  }
}

/** One version for all of the way where there is one; the stored one is read without conversion. A stored one need not be served. */
const readableOf = (stored: string, now: string[], then: string[]): DefinitionBack['readable'] => {
  const both = now.filter((name) => then.includes(name))
  const best = (served: string[]): string => (served.includes(stored) ? stored : (served[0] ?? stored))
  return both.length > 0 ? { now: best(both), after: best(both) } : { now: best(now), after: best(then) }
}
