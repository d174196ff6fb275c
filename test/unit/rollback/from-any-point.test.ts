/**
 * The way back from every point that a run can stop at: after each of its steps, and in the middle of each. The runs and the
 * ways back are carried out on a simulated cluster, which says at once what an order of steps breaks.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/backup/backup.types.ts'
import type { RunSummary } from '../../../src/journal/journal.types.ts'
import type { Plan, Step, Tier } from '../../../src/plan/plan.types.ts'
import { keyOf, referenceOf } from '../../../src/plan/reference.ts'
import type { Planned } from '../../../src/plan/refused.types.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planRollback, type RollbackInput } from '../../../src/rollback/plan-rollback.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { runOf, sampleRelease } from '../../support/upgrade-samples.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

let releases: { old: Release; next: Release }

beforeAll(async () => {
  const [old, next] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0')])
  releases = { old, next }
})

const plan = (planned: Planned): Plan => {
  if ('refused' in planned) throw new Error(`${planned.refused.message} ${planned.refused.why ?? ''}`)
  return planned.plan
}

/** A run that is under way on a cluster, and what it has kept. */
interface Running {
  cluster: SimulatedCluster
  summary: RunSummary
  plan: Plan
  backup: Backup
}

const begin = (cluster: SimulatedCluster, made: Plan, number: number): Running => {
  const backUp = made.steps.find((step) => step.kind === 'back-up')
  if (backUp === undefined) throw new Error('no back-up')
  cluster.had.clear()
  return { cluster, summary: runOf(made, { number, state: 'running' }), plan: made, backup: cluster.backup(backUp) }
}

/** Up to `steps` whole ones, then half of the next where `half` is set; what is wrong after each that must not be. */
const carryOn = (
  { cluster, plan: { steps: all } }: Running,
  { steps, half }: { steps: number; half: boolean },
): void => {
  for (const step of all.slice(0, steps)) named(step, () => cluster.carryOut(step))
  const [next] = all.slice(steps)
  if (half && next !== undefined) cluster.carryOut(next, true)
}

const named = (step: Step, work: () => void): void => {
  try {
    work()
  } catch (error) {
    throw new Error(`${step.id} (${step.title}): ${(error as Error).message}`, { cause: error })
  }
}

const upgraded = (tier: Tier): Running => {
  const cluster = SimulatedCluster.running(releases.old, [releases.old, releases.next])
  const inventory = cluster.inventory()
  const [install] = inventory.installs
  if (install === undefined) throw new Error('no install')
  return begin(cluster, plan(planUpgrade({ inventory, install, release: releases.next, tier })), 1)
}

const back = ({ cluster, summary, plan: made, backup }: Running, change: Partial<RollbackInput> = {}): Plan =>
  plan(planRollback({ run: summary, plan: made, backup, inventory: cluster.inventory(), settled: false, ...change }))

/** What must hold after each step of a way back by a standby: nothing is called that does not answer, nobody lacks a right. */
const heldThroughout = (cluster: SimulatedCluster, made: Plan): void => {
  const wrong = (): string[] => [...cluster.troubles(), ...cluster.missingRights(), ...cluster.blindShims()]
  const before = new Set(wrong())
  for (const step of made.steps) {
    named(step, () => cluster.carryOut(step))
    const now = wrong().filter((trouble) => !before.has(trouble))
    expect(now, `after ${step.id} (${step.title})`).toEqual([])
  }
}

const carryBack = (cluster: SimulatedCluster, made: Plan, where: string): void => {
  cluster.had.clear()
  try {
    if (made.tier === 'standby') heldThroughout(cluster, made)
    else for (const step of made.steps) named(step, () => cluster.carryOut(step))
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
  }
}

/** What holds for every plan, whatever it goes back from. */
const sound = (made: Plan, { backup }: Pick<Running, 'backup'>): void => {
  const kinds = made.steps.map(({ kind }) => kind)
  expect(kinds[0]).toBe('back-up')
  expect(kinds.at(-1)).toBe('compare-baseline')
  const deleted = made.steps.flatMap((step) => (step.kind === 'delete' ? step.objects : []))
  expect(deleted.filter(({ kind }) => ['CustomResourceDefinition', 'Namespace'].includes(kind))).toEqual([])
  const saved = new Set(backup.objects.map(({ object }) => keyOf(referenceOf(object))))
  expect(deleted.filter((ref) => saved.has(keyOf(ref)))).toEqual([])
  const applied = new Set(
    made.steps.flatMap((step) =>
      step.kind === 'apply' ? step.objects.map((object) => keyOf(referenceOf(object))) : [],
    ),
  )
  const restored = backup.objects.filter(({ object }) => object.kind !== 'CustomResourceDefinition')
  expect(restored.map(({ object }) => keyOf(referenceOf(object))).filter((key) => !applied.has(key))).toEqual([])
  const stoodBy = made.steps.flatMap((step) => (step.kind === 'stand-by' ? [keyOf(referenceOf(step.object))] : []))
  expect(stoodBy.filter((key) => deleted.every((ref) => keyOf(ref) !== key))).toEqual([])
}

/** After each step; and half-way in each that consists of several writes. The back-up is there: without one nothing was changed. */
const points = ({ steps: all }: Plan): { steps: number; half: boolean }[] =>
  all.flatMap(({ kind }, index) => [
    ...(kind === 'apply' ? [{ steps: index, half: true }] : []),
    { steps: index + 1, half: false },
  ])

/** A quick test on a quiet machine; on a busy one it must not fail for that. */
const timeout = 60_000

const ways: [Tier, Tier][] = [
  ['in-place', 'in-place'],
  ['in-place', 'standby'],
  ['standby', 'standby'],
  ['standby', 'in-place'],
]

describe.each(ways)('an upgrade %s, back %s', (tier, backTier) => {
  test('ends in the state before, from every point', { timeout }, () => {
    const whole = upgraded(tier)
    const before = whole.cluster.state()
    for (const point of points(whole.plan)) {
      const run = { ...whole, cluster: whole.cluster.copy() }
      carryOn(run, point)
      const made = back(run, { tier: backTier, kind: 'abort' })
      sound(made, run)
      const where = `stopped ${point.half ? 'in' : 'before'} ${whole.plan.steps[point.steps]?.id}`
      expect(made.tier, where).toBe(backTier)
      carryBack(run.cluster, made, where)
      expect(run.cluster.state(), where).toEqual(before)
    }
  })
})

describe.each(ways)('a rollback %s of a finished upgrade, aborted %s', (tier, backTier) => {
  test('ends in the release that ran before the rollback, from every point', { timeout }, () => {
    const upgrade = upgraded('in-place')
    carryOn(upgrade, { steps: upgrade.plan.steps.length, half: false })
    const { cluster } = upgrade
    const before = cluster.state()
    const whole = begin(cluster, back(upgrade, { tier, settled: true }), 2)
    expect(whole.plan.wayBack).toEqual({ possible: true })
    for (const point of points(whole.plan)) {
      const run = { ...whole, cluster: cluster.copy() }
      carryOn(run, point)
      const made = back(run, { tier: backTier, kind: 'abort' })
      sound(made, run)
      const where = `stopped ${point.half ? 'in' : 'before'} ${whole.plan.steps[point.steps]?.id}`
      expect(made, where).toMatchObject({ kind: 'abort', from: 'v0.1.0', to: 'v0.2.0', wayBack: { possible: false } })
      carryBack(run.cluster, made, where)
      expect(run.cluster.state(), where).toEqual(before)
    }
  })
})

describe.each(ways)('a rollback %s that stopped, and another one %s', (tier, backTier) => {
  test('ends in the state before the upgrade, from every point', { timeout }, () => {
    const upgrade = upgraded('standby')
    const before = upgrade.cluster.state()
    carryOn(upgrade, { steps: upgrade.plan.steps.length, half: false })
    const whole = begin(upgrade.cluster, back(upgrade, { tier, settled: true }), 2)
    for (const point of points(whole.plan)) {
      const run = { ...whole, cluster: upgrade.cluster.copy() }
      carryOn(run, point)
      const made = back({ ...upgrade, cluster: run.cluster }, { tier: backTier })
      sound(made, upgrade)
      const where = `stopped ${point.half ? 'in' : 'before'} ${whole.plan.steps[point.steps]?.id}`
      expect(made.wayBack, where).toMatchObject({ possible: false })
      carryBack(run.cluster, made, where)
      expect(run.cluster.state(), where).toEqual(before)
    }
  })
})
