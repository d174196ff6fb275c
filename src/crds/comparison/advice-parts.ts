/** The releases that a new version takes: what each of them does, and why not earlier. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import type { Bump, ReleasePart } from './advice.types.ts'
import type { WeighedChange } from './advice-reasons.ts'
import { releaseAfter, type Schedule, scheduleOf } from './advice-schedule.ts'
import type { ComparisonContext, ProfileName } from './comparison.types.ts'
import { deprecatedSince, fieldDeprecatedSince, saysDeprecated } from './profiles/ledger.ts'
import { releasesBeforeRemoval } from './profiles/ngf-schema-checks.ts'
import { strategyOf } from './rules/conversion.ts'
import { comparePriority } from './version-priority.ts'

export interface Situation {
  before: CustomResourceDefinition
  profile: ProfileName
  context: ComparisonContext
  nextRelease?: string
  bump: Bump
  /** the version that is followed, or that the change is made in */
  from: string
  to: string
  changes: readonly WeighedChange[]
}

/** What is done in which release, before it is in order. */
interface Action extends Pick<ReleasePart, 'releasesLater' | 'why'> {
  actions: string[]
}

/** The releases of a wanted change. Empty where nothing is to do. */
export function partsOf(situation: Situation): ReleasePart[] {
  const fields = phaseOut(situation)
  const room = situation.bump === 'none' ? { start: 0, parts: [] } : makeRoom(situation)
  const start = Math.max(fields.start, room.start)
  const main = situation.bump === 'none' ? inPlace(situation, start) : replace(situation, start, room.start > 0)
  return inReleases([...fields.parts, ...room.parts, ...main], situation.nextRelease)
}

/** One part for each release, in order. Two parts of one release are one. */
function inReleases(parts: readonly Action[], next: string | undefined): ReleasePart[] {
  const days = [...new Set(parts.map(({ releasesLater }) => releasesLater))].toSorted((one, other) => one - other)
  return days.map((releasesLater) => {
    const own = parts.filter((part) => part.releasesLater === releasesLater)
    const release = releaseAfter(next, releasesLater)
    return {
      releasesLater,
      ...(release !== undefined && { release }),
      actions: [...new Set(own.flatMap(({ actions }) => actions))],
      why: [...new Set(own.map(({ why }) => why))].join(' '),
    }
  })
}

/** What was deprecated is counted from the release that said so first, at the latest from the one before the next. */
function historyOf({ before, context }: Situation) {
  const history = context.history ?? []
  return history.length > 0 ? history : [{ release: '', definition: before }]
}

const releasesLeft = ({ releases }: { releases: number }) => Math.max(0, releasesBeforeRemoval - releases)

/** Fields that go are deprecated for three releases, where the policy asks for it. */
function phaseOut(situation: Situation): { start: number; parts: Action[] } {
  if (situation.profile !== 'ngf') return { start: 0, parts: [] }
  const history = historyOf(situation)
  const gone = situation.changes.flatMap(({ change: { id, path, node }, from, asksFor }) => {
    if (id !== 'crd.property.removed' || asksFor === 'bump-with-webhook' || node === undefined) return []
    const said = saysDeprecated(node.before)
    const since = fieldDeprecatedSince({ version: from, path: node.path }, history, releasesBeforeRemoval)
    return [{ path, said, left: said ? releasesLeft(since) : releasesBeforeRemoval }]
  })
  const start = Math.max(0, ...gone.map(({ left }) => left))
  const silent = gone.filter(({ said }) => !said)
  const why = 'If possible, fields are deprecated for 3 releases before they are removed.'
  const deprecate = silent.map(({ path }) => `Say "Deprecated" in the description of ${path}, and keep the field`)
  if (start === 0) return { start, parts: [] }
  const kept = gone.filter(({ said, left }) => said && left > 0).map(({ path }) => `Keep ${path}, which is deprecated`)
  return { start, parts: [{ releasesLater: 0, actions: [...deprecate, ...kept], why }] }
}

/** Where two versions are served already, one has to go before another can be added. */
function makeRoom(situation: Situation): { start: number; parts: Action[] } {
  const { before, profile, from } = situation
  const served = before.spec.versions.filter((version) => version.served)
  if (profile !== 'ngf') return { start: 0, parts: [] }
  if (served.length < 2) return withoutWebhook(situation)
  const byAge = served.toSorted((one, other) => comparePriority(other.name, one.name))
  const old = byAge.find(({ deprecated }) => deprecated === true) ?? byAge.find(({ name }) => name !== from)
  if (old === undefined) return { start: 0, parts: [] }
  const heir = byAge.findLast(({ name }) => name !== old.name)?.name ?? from
  const said = old.deprecated === true
  const left = said
    ? releasesLeft(deprecatedSince(old.name, historyOf(situation), releasesBeforeRemoval))
    : releasesBeforeRemoval
  const why = 'At most 2 versions are supported at the same time, so another one has to wait.'
  const deprecate = `Mark ${old.name} as deprecated, with a deprecationWarning that names ${heir}`
  const schedule = { ...scheduleOf('ngf', old.name, heir), store: left, withdraw: left, remove: left + 1 }
  // A webhook that converted from the old version goes with it, where the new one is to have none; and before the new one comes.
  const webhook = situation.bump === 'bump-without-webhook' && strategyOf(before) === 'Webhook'
  const parts = retire({ from: old.name, to: heir, isStored: old.storage, webhook }, schedule, 0)
  const first: Action[] = said ? [] : [{ releasesLater: 0, actions: [deprecate], why }]
  return {
    start: left + (webhook && situation.changes.length > 0 ? 2 : 1),
    parts: [...first, ...parts.map((part) => ({ ...part, why: `${why} ${part.why}` }))],
  }
}

/** A version that no webhook is to convert comes after the webhook of earlier ones has gone, and they with it. */
function withoutWebhook(situation: Situation): { start: number; parts: Action[] } {
  const { before, bump, from, changes } = situation
  if (bump !== 'bump-without-webhook' || changes.length === 0 || strategyOf(before) === 'None') {
    return { start: 0, parts: [] }
  }
  const others = before.spec.versions.filter(({ name }) => name !== from)
  const remove = others.map(({ name }) => `Remove ${name} from the definition`)
  const why = 'The webhook would be asked to convert what it cannot, so it goes first, with what it converts from.'
  const since = (name: string) => deprecatedSince(name, historyOf(situation), releasesBeforeRemoval)
  const wait = Math.max(0, ...others.map(({ name }) => releasesLeft(since(name))))
  return { start: wait + 1, parts: [{ releasesLater: wait, actions: [...remove, 'Remove the webhook'], why }] }
}

/** The change in the version itself. */
function inPlace({ before, from, changes, profile }: Situation, start: number): Action[] {
  const others = before.spec.versions.filter(({ name, served, storage }) => name !== from && (served || storage))
  const alike =
    others.length === 0 || strategyOf(before) === 'Webhook'
      ? `Make the change in ${from}`
      : `Make the change in ${[from, ...others.map(({ name }) => name)].join(', ')} alike`
  const excused = changes.length > 0
  const why =
    others.length > 0 && strategyOf(before) === 'None'
      ? 'With conversion strategy None a field that only one of the versions has is dropped.'
      : 'It breaks nobody who keeps to the version.'
  const said = profile === 'ngf' ? 'an alpha API has a bit more flexibility' : 'an alpha version may break'
  return excused
    ? [
        {
          releasesLater: start,
          actions: [alike, 'Say in release notes and docs what users have to change'],
          why: `It breaks users, which only what ${from} promises allows: ${said}, or it was deprecated and is converted.`,
        },
      ]
    : [{ releasesLater: start, actions: [alike], why }]
}

/** A new version in the place of another one, which is the only one left where room was made before. */
function replace(situation: Situation, start: number, alone: boolean): Action[] {
  const { before, profile, bump, from, to, changes } = situation
  const webhook = bump === 'bump-with-webhook'
  const schedule = scheduleOf(profile, from, to)
  const stored = before.spec.versions.find(({ storage }) => storage)?.name ?? from
  const add = [
    `Add ${to}, served, not stored`,
    ...conversion(situation, alone),
    ...(schedule.deprecate ? [`Mark ${from} as deprecated, with a deprecationWarning that names ${to}`] : []),
    changes.length === 0 ? `Give ${from} the same schema` : `Leave the schema of ${from} as it is, and serve it`,
    `Keep storing objects in ${alone ? from : stored}`,
    ...(webhook ? [] : ['Say in release notes and docs what users have to change']),
  ]
  const why = webhook
    ? 'Both versions are supported side by side, and the release before can be gone back to.'
    : 'With strategy None the API server changes just the apiVersion, so what only the new version has is dropped while objects are stored in the old one.'
  const isStored = before.spec.versions.some(({ name, storage }) => storage && name !== to)
  return [
    {
      releasesLater: start,
      actions: add,
      why: changes.length === 0 ? 'Versions of one schema need no conversion.' : why,
    },
    // While another version is served, the webhook converts from that one as well.
    ...retire({ from, to, isStored, webhook: webhook && othersServed(situation, alone).length === 0 }, schedule, start),
  ]
}

/** The versions that stay beside the one that is followed and the new one. */
function othersServed({ before, from, to }: Situation, alone: boolean): string[] {
  const others = before.spec.versions.filter(({ name, served }) => served && name !== from && name !== to)
  return alone ? [] : others.map(({ name }) => name)
}

function conversion(situation: Situation, alone: boolean): string[] {
  const { before, bump, from, to, profile, changes } = situation
  if (bump !== 'bump-with-webhook' && changes.length === 0 && strategyOf(before) === 'Webhook' && !alone) {
    return [`Let the webhook convert ${to} as well: it is asked for every pair of versions`]
  }
  if (bump !== 'bump-with-webhook') {
    const none = `Keep conversion strategy None${changes.length === 0 ? '' : ': no webhook can convert the change'}`
    return [none]
  }
  const setting = "Set `conversion: Ignore` in crdify's configuration: it compares served versions, converted or not"
  return [
    `Convert between ${[...othersServed(situation, alone), from].join(', ')} and ${to} by a webhook, in both directions and without loss`,
    ...(profile === 'strict' ? [setting] : []),
  ]
}

interface Retirement {
  from: string
  to: string
  isStored: boolean
  webhook: boolean
}

/** How a version goes: objects leave it, requests leave it, and then the definition may. */
function retire({ from, to, isStored, webhook }: Retirement, schedule: Schedule, start: number): Action[] {
  const { store, withdraw, remove, why, whyRemove = why } = schedule
  const at = (releases: number | undefined, actions: string[], because = why): Action[] =>
    releases === undefined || actions.length === 0 ? [] : [{ releasesLater: start + releases, actions, why: because }]
  return [
    ...at(store, isStored ? [`Store objects in ${to}`] : []),
    ...at(withdraw, [`Stop serving ${from}, but keep it in the definition`]),
    ...at(store, [
      ...(isStored ? ['Migrate all stored objects'] : []),
      ...(remove === undefined ? [] : [`Take ${from} from status.storedVersions once no object is stored in it`]),
    ]),
    ...at(remove, [`Remove ${from} from the definition`, ...(webhook ? ['Remove the webhook'] : [])], whyRemove),
  ]
}
