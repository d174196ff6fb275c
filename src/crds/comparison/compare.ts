/** A comparison of two definitions as people read it: both directions, judged. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import { changesOf, compareDefinitions } from './compare-definitions.ts'
import type { Change, Comparison, ComparisonOptions, CrdifyConfig, Finding } from './comparison.types.ts'
import { judge } from './judge.ts'
import type { Profile } from './profile.types.ts'
import { profiles } from './profiles.ts'
import { strategyOf } from './rules/conversion.ts'

/**
 * Compares two definitions in both directions. Without the checks of a policy, which are about releases and thus about one
 * direction, the upgrade from a to b says just what the rollback from b to a says.
 */
export function compare(
  before: CustomResourceDefinition,
  after: CustomResourceDefinition,
  options: ComparisonOptions,
): Comparison {
  const profile = profiles[options.profile]
  const changes = changesBetween(before, after, options)
  const subject = { before, after, changes, context: options.context }
  const policy = changesOf(profile.policies, subject, 'definition', '')
  const judged = (all: readonly Change[], definitions: { before: typeof before; after: typeof after }) =>
    judge(all, { ...options, definitions })
  return {
    name: after.metadata.name,
    profile: options.profile,
    upgrade: judged([...changes, ...policy], { before, after }),
    rollback: judged(changesBetween(after, before, options), { before: after, after: before }),
  }
}

/** What a profile says of a definition that is new. */
export function compareAdded(after: CustomResourceDefinition, options: ComparisonOptions): Comparison {
  const profile = profiles[options.profile]
  const changes = changesOf(profile.policiesForNew, { after }, 'definition', '')
  const upgrade: Finding[] = judge(changes, options)
  return { name: after.metadata.name, profile: options.profile, upgrade, rollback: [] }
}

function changesBetween(
  before: CustomResourceDefinition,
  after: CustomResourceDefinition,
  options: ComparisonOptions,
): Change[] {
  const profile = profiles[options.profile]
  const { crdify } = options.config ?? {}
  if (profile.changes !== undefined) return profile.changes(before, after, settingsOf(profile, crdify))
  const changes = compareDefinitions(before, after)
  const ignoresPairs = crdify?.conversion === 'Ignore' && strategyOf(after) === 'Webhook'
  return ignoresPairs ? changes.filter(({ scope }) => scope !== 'served-pair') : changes
}

/** A configuration adds to what the profile sets. */
function settingsOf(profile: Profile, config: CrdifyConfig | undefined): CrdifyConfig {
  const { validations = {}, ...defaults } = profile.crdify ?? {}
  const { validations: configured = {}, ...settings } = config ?? {}
  return { ...defaults, ...settings, validations: { ...validations, ...configured } }
}
