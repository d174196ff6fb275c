/** What to do about a change that somebody wants: nothing, a new version with a webhook, or one without; and in which releases. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type { Advice, AdviceReason, Bump } from './advice.types.ts'
import { nextVersionName } from './advice-names.ts'
import { partsOf, type Situation } from './advice-parts.ts'
import { reasonsOf, type WeighedChange, weigh, worst } from './advice-reasons.ts'
import { currentVersion, readWanted, type Wanted } from './advice-wanted.ts'
import type { ComparisonContext, ProfileName } from './comparison.types.ts'
import { ranks, stabilityOf } from './version-priority.ts'

export interface AdviceOptions {
  profile: ProfileName
  context: ComparisonContext
  /** `v1.4.0`: the releases are then named */
  nextRelease?: string
}

/**
 * Says how a wanted change gets into releases. `wanted` may have the change in the version that `before` has, or in a version
 * that it adds. Throws TooDeep where a schema nests deeper than an API server would take.
 */
export function adviseNext(
  before: CustomResourceDefinition,
  wanted: CustomResourceDefinition,
  options: AdviceOptions,
): Advice {
  const { profile, context } = options
  const read = readWanted(before, wanted, profile)
  const name = before.metadata.name
  if (read === undefined) return empty(name, profile)
  const changes = weigh(read, { before, after: wanted, profile, context })
  const impossible = reasonsOf(
    read.impossible.map((change) => ({ change, asksFor: 'none' as const })),
    profile,
  )
  const bump = bumpOf(read, changes)
  const from = followed(before, read, bump)
  const to = nameOf(before, read, { profile, from })
  const situation: Situation = { before, bump, from, to: to ?? 'the new version', changes, ...options }
  return {
    name,
    profile,
    version: from,
    bump,
    ...(bump !== 'none' && to !== undefined && { newVersion: to }),
    verdict: verdictOf(situation, read, impossible),
    because: reasonsOf(changes, profile),
    parts: nothingInSchemas(read) ? [] : partsOf(situation),
    byHand: byHandOf(before, situation),
    impossible,
  }
}

function empty(name: string, profile: ProfileName): Advice {
  const verdict = 'The definition has no version.'
  return { name, profile, version: '', bump: 'none', verdict, because: [], parts: [], byHand: [], impossible: [] }
}

const nothingInSchemas = ({ steps, added }: Wanted) => added === undefined && steps.length === 0

function bumpOf(wanted: Wanted, changes: readonly WeighedChange[]): Bump {
  const bump = worst(changes)
  // A version that promises more needs no change of its schema. It is a label, which nothing has to convert.
  return bump === 'none' && graduates(wanted) ? 'bump-without-webhook' : bump
}

function graduates({ added, version }: Wanted): boolean {
  return added !== undefined && ranks[stabilityOf(added)] > ranks[stabilityOf(version.name)]
}

/** A deprecated version is not followed once more: the new one follows the version that took its place. */
function followed(before: CustomResourceDefinition, { version }: Wanted, bump: Bump): string {
  return bump === 'none' || version.deprecated !== true ? version.name : (currentVersion(before)?.name ?? version.name)
}

function nameOf(
  before: CustomResourceDefinition,
  { added }: Wanted,
  { profile, from }: { profile: ProfileName; from: string },
): string | undefined {
  const taken = before.spec.versions.map(({ name }) => name)
  return nextVersionName({ profile, from, taken, ...(added !== undefined && { chosen: added }) })
}

const rules: Readonly<Record<ProfileName, Readonly<Record<Exclude<Bump, 'none'>, string>>>> = {
  kubernetes: {
    'bump-with-webhook': 'an API version stays compatible, and another one is converted from and to it without loss',
    'bump-without-webhook': 'a version that promises more, with the same schema, needs no conversion',
  },
  kubeairunway: {
    'bump-with-webhook': 'breaking changes occur only between API versions, which conversion webhooks convert',
    'bump-without-webhook':
      'versions go from v1alpha1 over v1beta1 to v1; with the same schema nothing has to be converted',
  },
  ngf: {
    'bump-with-webhook':
      'renaming a field or changing its structure is a compatible change, which requires a version change',
    'bump-without-webhook':
      'new required fields, removed fields and other validation are breaking changes, which no webhook can convert',
  },
  olm: {
    'bump-with-webhook':
      'crdify refuses the change within a version; versions that a webhook converts it does not compare',
    'bump-without-webhook': 'a version that promises more, with the same schema, needs no conversion',
  },
  strict: {
    'bump-with-webhook': 'crdify refuses the change within a version',
    'bump-without-webhook': 'a version that promises more, with the same schema, needs no conversion',
  },
}

function verdictOf(situation: Situation, wanted: Wanted, impossible: readonly AdviceReason[]): string {
  const own = impossible.length > 0 && situation.changes.length === 0 ? [] : [verdictOnSchema(situation, wanted)]
  const refused =
    impossible.length > 0 ? ['It takes a new definition: the API server changes no scope, group or kind.'] : []
  return [...refused, ...own].join(' ')
}

function verdictOnSchema({ bump, from, to, changes, profile }: Situation, wanted: Wanted): string {
  if (bump === 'none') return verdictOnNone({ from, changes }, wanted)
  const graduation = changes.length === 0
  const how = bump === 'bump-with-webhook' ? 'with a conversion webhook' : 'without a webhook'
  const rule =
    graduation && profile === 'ngf'
      ? 'an API that is stable is promoted from alpha straight to v1'
      : rules[profile][bump]
  const rename =
    wanted.added !== undefined && wanted.added !== to
      ? ` Instead of ${wanted.added}: the profile's way goes over ${to}.`
      : ''
  const stable =
    stabilityOf(from) === 'stable' && profile !== 'kubernetes'
      ? ` ${from} is stable: do this only when absolutely necessary; see whether an optional field does.`
      : ''
  const asked = new Set(changes.map(({ asksFor }) => asksFor))
  const mixed =
    asked.has('bump-with-webhook') && asked.has('bump-without-webhook')
      ? ' Some of it a webhook could convert, in a version of its own.'
      : ''
  const left = wanted.version.name === from ? '' : ` ${wanted.version.name} is deprecated: leave it as it is.`
  return `Add ${to} ${how}: ${rule}.${mixed}${rename}${stable}${left}`
}

function verdictOnNone({ from, changes }: Pick<Situation, 'from' | 'changes'>, wanted: Wanted): string {
  if (changes.length > 0) return `No new version is required: ${from} may break in itself, if users are told.`
  if (nothingInSchemas(wanted)) return 'No new version: no schema has changed.'
  const needless = wanted.added === undefined ? '' : `, so ${wanted.added} is not needed`
  return `No new version${needless}: optional fields, documentation and wider limits break nobody.`
}

const shown = 10

/** In words of release notes. */
function byHandOf({ spec }: CustomResourceDefinition, { bump, from, to, changes }: Situation): string[] {
  if (bump === 'bump-with-webhook' || (bump === 'none' && changes.length === 0)) return []
  const { kind, plural } = { ...spec.names }
  if (changes.length === 0) return [`Write ${to} in the manifests of every ${kind} before ${from} is withdrawn.`]
  const places = [...new Set(changes.map(({ change: { path, id } }) => path || id))]
  const more = places.length > shown ? [`and ${places.length - shown} more`] : []
  const change = `Change each ${kind} at ${[...places.slice(0, shown), ...more].join(', ')}.`
  if (bump === 'none') return [`${change} Do it before the upgrade: ${from} itself changes.`]
  const adds = changes.some(({ change: { id } }) => /^crd\.(property|required)\.added/.test(id))
  return [
    `Export every ${kind}: kubectl get ${plural}.${spec.group} --all-namespaces -o yaml.`,
    `${change} Set its apiVersion to ${spec.group}/${to}, and apply it.`,
    ...(adds
      ? [`Apply it again once objects are stored in ${to}: fields that ${from} lacks are dropped until then.`]
      : []),
  ]
}
