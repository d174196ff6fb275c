/**
 * What somebody wants of a definition, however it was written down: the schema edited in the version that is there, or a new
 * version added beside it. Either way it is a change from the schema of one version to another schema.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../kubernetes/objects.ts'
import { changesOf, compareDefinitions } from './compare-definitions.ts'
import type { Change, ProfileName } from './comparison.types.ts'
import { profiles } from './profiles.ts'
import { definitionRules } from './rules.ts'
import { comparePriority } from './version-priority.ts'

type Version = CustomResourceDefinitionVersion

/** What is wanted of one version. */
export interface WantedStep {
  from: Version
  /** the name of the version that is added; undefined for a change in place */
  added?: string
  /** from the one schema to the other, as if they were of the same version, by the profile's own way to compare */
  changes: Change[]
  /** Is there any difference at all? crdify sees no optional field. */
  differs: boolean
}

export interface Wanted {
  /** the version that is followed by another one, if one is needed */
  version: Version
  added?: string
  steps: WantedStep[]
  /** another scope, group or kind */
  impossible: Change[]
}

/** Reads what is wanted. Undefined where the definition has no version at all. */
export function readWanted(
  before: CustomResourceDefinition,
  wanted: CustomResourceDefinition,
  profile: ProfileName,
): Wanted | undefined {
  const current = currentVersion(before)
  if (current === undefined) return undefined
  const isNew = ({ name }: Version) => before.spec.versions.every((version) => version.name !== name)
  const [added] = wanted.spec.versions.filter(isNew).toSorted(byPriority)
  const step = (from: Version, to: Version) => changesAsOne(before, [from, to], profile)
  const inPlace = before.spec.versions
    .toSorted(byPriority)
    .flatMap((from): WantedStep[] => {
      const now = wanted.spec.versions.find(({ name }) => name === from.name)
      return now === undefined ? [] : [{ from, ...step(from, now) }]
    })
    .filter(({ differs }) => differs)
  const names = added === undefined ? {} : { added: added.name }
  const add: WantedStep[] = added === undefined ? [] : [{ from: current, ...names, ...step(current, added) }]
  const edited = inPlace.find(({ from }) => from.name === current.name) ?? inPlace[0]
  return {
    version: added === undefined ? (edited?.from ?? current) : current,
    ...names,
    steps: [...inPlace, ...add],
    impossible: changesOf(definitionRules, { before, after: wanted }, 'definition', '').filter(isImpossible),
  }
}

const byPriority = (one: Version, other: Version) => comparePriority(one.name, other.name)

/** The version that clients are to use: of those that are not deprecated, the first one by Kubernetes' order. */
export function currentVersion({ spec }: CustomResourceDefinition): Version | undefined {
  const inForce = spec.versions.filter(({ served, deprecated }) => served && deprecated !== true)
  return inForce.toSorted(byPriority)[0] ?? spec.versions.find(({ storage }) => storage) ?? spec.versions[0]
}

function isImpossible({ id, level }: Change): boolean {
  return level === 'error' && /^crd\.(scope|group|names)\./.test(id)
}

/** The changes from one version to another, as those of a definition that has just this one. */
function changesAsOne(definition: CustomResourceDefinition, [from, to]: [Version, Version], profile: ProfileName) {
  const { changes, crdify = { validations: {} } } = profiles[profile]
  const alone = (version: Version): CustomResourceDefinition => ({
    ...definition,
    spec: {
      ...definition.spec,
      conversion: { strategy: 'None' },
      versions: [{ ...version, name: from.name, served: true, storage: true }],
    },
    status: {},
  })
  const [old, now] = [alone(from), alone(to)]
  const isOfSchema = ({ id, scope }: Change) => scope === 'same-version' && !id.startsWith('crd.deprecation.')
  const all = compareDefinitions(old, now).filter(isOfSchema)
  return { changes: (changes?.(old, now, crdify) ?? all).filter(isOfSchema), differs: all.length > 0 }
}
