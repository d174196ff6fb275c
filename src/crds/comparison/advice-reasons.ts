/** Which of the wanted changes ask for a new version under a profile, and whether a webhook may convert them. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type { AdviceReason, Bump } from './advice.types.ts'
import type { Wanted, WantedStep } from './advice-wanted.ts'
import type { Change, ComparisonContext, ProfileName } from './comparison.types.ts'
import { judge, textsOf } from './judge.ts'
import { classify } from './profiles/ngf-classes.ts'
import { profiles } from './profiles.ts'
import { canonical } from './schema-reading.ts'
import { stabilityOf } from './version-priority.ts'

/** A wanted change that breaks somebody, and what it asks for. `none`: the profile excuses it, in this version. */
export interface WeighedChange {
  change: Change
  asksFor: Bump
  /** the version that it is a change of */
  from: string
}

interface Weighing {
  before: CustomResourceDefinition
  after: CustomResourceDefinition
  profile: ProfileName
  context: ComparisonContext
}

/** The order in which one change outweighs another: what no webhook can convert decides for all of them. */
const weights: readonly Bump[] = ['none', 'bump-with-webhook', 'bump-without-webhook']

/** The bump that the heaviest of these asks for. */
export function worst(changes: readonly { asksFor: Bump }[]): Bump {
  return weights.findLast((bump) => changes.some(({ asksFor }) => asksFor === bump)) ?? 'none'
}

/** Weighs what is wanted. The same change in two versions is said once. */
export function weigh({ steps }: Pick<Wanted, 'steps'>, weighing: Weighing): WeighedChange[] {
  const all = steps.flatMap((step) => (weighing.profile === 'ngf' ? weighNgf(step) : weighStep(step, weighing)))
  const places = new Map<string, WeighedChange>()
  for (const weighed of all) {
    const key = canonical([weighed.change.id, weighed.change.path])
    const known = places.get(key)
    if (known === undefined || worst([weighed, known]) !== known.asksFor) places.set(key, weighed)
  }
  return [...places.values()]
}

/**
 * What fields are renamed to or restructured into, a webhook converts; the rest of what breaks it cannot. Alpha versions are
 * allowed more of the latter, which somebody who adds a version does not ask for.
 */
function weighNgf({ from, added, changes }: WantedStep): WeighedChange[] {
  const { structure, breaking } = classify(changes)
  const excused = added === undefined && stabilityOf(from.name) === 'alpha' && structure.length === 0
  const as = (asksFor: Bump) => (change: Change) => ({ change, asksFor, from: from.name })
  return [...structure.map(as('bump-with-webhook')), ...breaking.map(as(excused ? 'none' : 'bump-without-webhook'))]
}

function weighStep({ from, added, changes }: WantedStep, weighing: Weighing): WeighedChange[] {
  const { before, after, profile, context } = weighing
  const breaking = changes.filter(({ level }) => level === 'error')
  const judged = judge(breaking, { profile, context, definitions: { before, after } })
  const refused = new Set(judged.filter(({ level }) => level === 'error').map(({ id, path }) => canonical([id, path])))
  return breaking.map((change) => {
    // Between versions no stability excuses what nothing converts.
    const asks = added !== undefined || refused.has(canonical([change.id, change.path]))
    return { change, asksFor: asks ? 'bump-with-webhook' : 'none', from: from.name }
  })
}

/** As the advice says it. */
export function reasonsOf(changes: readonly Pick<WeighedChange, 'change' | 'asksFor'>[], profile: ProfileName) {
  const texts = textsOf(profiles[profile])
  return changes.map(({ change: { id, path }, asksFor }): AdviceReason => {
    return { id, path, title: texts.get(id)?.title ?? id, asksFor }
  })
}
