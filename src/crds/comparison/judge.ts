/** What a profile and a configuration make of changes. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type {
  Change,
  ChangeText,
  ComparisonConfig,
  ComparisonOptions,
  Finding,
  Ignore,
  Level,
} from './comparison.types.ts'
import { enforcedByCrdify } from './crdify-config.ts'
import { inOrder } from './order.ts'
import type { LevelRow, Profile } from './profile.types.ts'
import { isAnnounced } from './profiles/announced.ts'
import { profiles } from './profiles.ts'
import { allRules } from './rules.ts'
import { stabilityOf } from './version-priority.ts'

export interface JudgeOptions extends ComparisonOptions {
  /** of the direction that the changes are of */
  definitions?: { before: CustomResourceDefinition; after: CustomResourceDefinition }
}

/** Gives each change the level of the profile, then that of the configuration. What is ignored stays, as info. */
export function judge(changes: readonly Change[], options: JudgeOptions): Finding[] {
  const profile = profiles[options.profile]
  const texts = textsOf(profile)
  const findings = changes.flatMap((change): Finding[] => {
    const level = configuredLevel(change, profiledLevel(change, profile, options), options.config, profile)
    if (level === 'none') return []
    const { title, why, fix } = texts.get(change.id) ?? unknownText
    const ignore = options.config?.ignore.find(
      (entry) => covers(entry, change) && !isOver(entry, options.context.today),
    )
    if (ignore === undefined) return [{ ...change, level, title, why, fix }]
    const { reason, until } = ignore
    return [{ ...change, level: 'info', title, why, fix, ignored: { reason, ...(until !== undefined && { until }) } }]
  })
  return inOrder(findings)
}

const unknownText: ChangeText = { title: 'something has changed', why: '', fix: '' }

/** The texts of every kind of change that a profile can find, by id. */
export function textsOf(profile: Profile): ReadonlyMap<string, ChangeText> {
  const rules = [...allRules, ...profile.policies, ...profile.policiesForNew]
  const kinds = rules.flatMap(({ id, kinds: all }) =>
    Object.entries(all).map(([name, kind]): [string, ChangeText] => [`${id}.${name}`, kind]),
  )
  return new Map([...kinds, ...Object.entries(profile.kinds ?? {})])
}

function profiledLevel(change: Change, { levels }: Profile, { definitions }: JudgeOptions): Level | 'none' {
  const row = levels.find((candidate) => fits(candidate, change, definitions))
  return row === undefined || row.to === 'as it is' ? change.level : row.to
}

function fits(row: LevelRow, change: Change, definitions: JudgeOptions['definitions']): boolean {
  const [version = ''] = change.version.split(' -> ')
  // What a policy's own check says, it says with the level that it means.
  if (!(row.ids ?? ['crd.*']).some((id) => matches(id, change.id))) return false
  if (row.scopes !== undefined && !row.scopes.includes(change.scope)) return false
  if (row.stabilities !== undefined && !(version !== '' && row.stabilities.includes(stabilityOf(version)))) return false
  if (row.from !== undefined && row.from !== change.level) return false
  return row.announced !== true || (definitions !== undefined && isAnnounced(version, definitions))
}

function configuredLevel(
  change: Change,
  level: Level | 'none',
  config: ComparisonConfig | undefined,
  profile: Profile,
): Level | 'none' {
  if (config === undefined || level === 'none') return level
  const override = config.overrides.find((entry) => covers(entry, change))
  if (override !== undefined) return override.level
  // Profiles that compare as crdify does have read its configuration already.
  return config.crdify === undefined || profile.changes !== undefined
    ? level
    : enforcedByCrdify(change, level, config.crdify)
}

/** An entry that names no version or no path is about all of them. */
function covers({ id, version, path }: Pick<Ignore, 'id' | 'version' | 'path'>, change: Change): boolean {
  return (
    matches(id, change.id) &&
    (version === undefined || version === change.version) &&
    (path === undefined || matches(path, change.path))
  )
}

/** Is the text meant by an id or a path of an entry? Some end in `*`. */
export function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') && !pattern.endsWith('[*]') ? text.startsWith(pattern.slice(0, -1)) : pattern === text
}

/** The day that an entry names is its last one. */
function isOver({ until }: Ignore, today: string): boolean {
  return until !== undefined && today > until
}
