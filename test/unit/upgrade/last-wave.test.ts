/** The last steps of an upgrade, which move stored objects: where they stand, what is said of them, and how they are left out. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { CrdState, Inventory } from '../../../src/installation/inventory.types.ts'
import type { RunState } from '../../../src/journal/journal.types.ts'
import { requiredAccess } from '../../../src/plan/access.ts'
import { stillMoving, withStorageHeld } from '../../../src/plan/migration-steps.ts'
import type { Plan, Step, StepKind, StepOf } from '../../../src/plan/plan.types.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { planRollback } from '../../../src/rollback/plan-rollback.ts'
import { planUpgrade, type UpgradeInput } from '../../../src/upgrade/plan-upgrade.ts'
import { backupOf, crdState, runningOn, runOf, sampleRelease } from '../../support/upgrade-samples.ts'

const models = 'modeldeployments.kubeairunway.ai'
const configs = 'inferenceproviderconfigs.kubeairunway.ai'

const releases = new Map<string, Release>()
const release = (version: string): Release => {
  const found = releases.get(version)
  if (found === undefined) throw new Error(`${version} was not read`)
  return structuredClone(found)
}

beforeAll(async () => {
  for (const version of ['v0.1.0', 'v0.2.0', 'v0.2.0-undecodable', 'v0.2.1', 'v0.3.0', 'v0.4.0', 'v0.5.0'])
    releases.set(version, await sampleRelease(version))
}, 60_000)

type Options = Partial<Pick<UpgradeInput, 'holdStorage' | 'storage' | 'tier'>> & {
  crds?: (crd: CrdState) => Partial<CrdState>
}

const planned = (from: string, to: string, { crds, ...options }: Options = {}) => {
  const inventory: Inventory = runningOn(release(from))
  if (crds !== undefined) inventory.crds = inventory.crds.map((crd) => ({ ...crd, ...crds(crd) }))
  const [install] = inventory.installs
  if (install === undefined) throw new Error('no install')
  return planUpgrade({ inventory, install, release: release(to), ...options })
}

const plan = (...input: Parameters<typeof planned>): Plan => {
  const made = planned(...input)
  if ('refused' in made) throw new Error(made.refused.message)
  return made.plan
}

const of = <K extends StepKind>({ steps }: Plan, kind: K): StepOf<K>[] =>
  steps.filter((step: Step): step is StepOf<K> => step.kind === kind)

/** The kinds of the steps behind the comparison that ends the upgrade itself. */
const wave = ({ steps }: Plan): string[] => {
  const compared = steps.findIndex(({ kind }) => kind === 'compare-baseline')
  return steps.slice(compared + 1).map(({ kind }) => kind)
}

const WHOLE = [
  'await-admission',
  'check-migration',
  'check-migration',
  'flip-storage',
  'flip-storage',
  'migrate',
  'migrate',
  'compare-baseline',
]

/** As an upgrade leaves a definition that has held its storage version. */
const held = (version: string) => (crd: CrdState) => ({
  storedVersions: [version],
  versions: crd.versions.map((each) => ({ ...each, storage: each.name === version })),
})

describe('the last steps', () => {
  test.each(['in-place', 'standby'] as const)(
    'by %s come last: all is looked at before the first storage version moves',
    (tier) => {
      const made = plan('v0.1.0', 'v0.2.0', { tier })
      expect(wave(made)).toEqual(WHOLE)
      expect(of(made, 'flip-storage')).toMatchObject([
        { definition: configs, uid: 'uid', from: 'v1alpha1', to: 'v1beta1' },
        { definition: models, uid: 'uid', from: 'v1alpha1', to: 'v1beta1' },
      ])
      for (const step of of(made, 'migrate'))
        expect(step).toMatchObject({
          storageVersion: 'v1beta1',
          storedVersions: ['v1alpha1', 'v1beta1'],
          staleVersions: [],
          engine: 'own',
          together: [configs, models],
        })
      // The conversion has to answer in both versions before the first of them moves.
      expect(of(made, 'await-admission').at(-1)).toMatchObject({ readableVersions: ['v1alpha1', 'v1beta1'] })
      const [, again] = of(made, 'compare-baseline')
      expect(again).toMatchObject({ workloads: { apiVersion: 'kubeairunway.ai/v1beta1' } })
      expect(again?.images).toEqual(of(made, 'compare-baseline')[0]?.images)
    },
  )

  test('are said to end the way back, and how to keep it', () => {
    const made = plan('v0.1.0', 'v0.2.0')
    expect(made.wayBack).toEqual({ possible: false, why: expect.stringContaining('is stored in v1beta1 at the end') })
    expect(made.notes.join('\n')).toMatch(/no rollback to v0\.1\.0; until then abort goes back\. --hold-storage/)
    expect(made).not.toHaveProperty('heldStorage')
  })

  test('are left out where the storage is held, and what is held is known', () => {
    const made = plan('v0.1.0', 'v0.2.0', { holdStorage: true })
    expect(wave(made)).toEqual([])
    expect(made.wayBack).toEqual({ possible: true })
    expect(made.heldStorage).toEqual({ [models]: 'v1beta1', [configs]: 'v1beta1' })
    expect(made.notes.join('\n')).toMatch(
      /kubectl airunway migrate moves them to those of v0\.2\.0; from then on it cannot/,
    )
  })

  test.each([
    ['a patch that stores as before', 'v0.2.0', 'v0.2.1', []],
    ['types that change within a version', 'v0.1.0', 'v0.2.0-undecodable', []],
    ['a version that is not served any more', 'v0.2.0', 'v0.3.0', WHOLE.filter((kind) => kind !== 'flip-storage')],
    ['the next version', 'v0.4.0', 'v0.5.0', WHOLE],
  ])('of %s (%s%s to %s)', (...[, from, to, kinds]) => {
    expect(wave(plan(from, to))).toEqual(kinds)
  })

  test('move what an earlier upgrade has held, with the managers of what is not served any more', () => {
    const made = plan('v0.2.0', 'v0.3.0', { crds: held('v1alpha1') })
    expect(wave(made)).toEqual(WHOLE)
    for (const step of of(made, 'migrate')) expect(step.staleVersions).toEqual(['v1alpha1'])
    // Also where nothing else is left of it.
    for (const step of of(plan('v0.2.0', 'v0.3.0'), 'migrate'))
      expect(step).toMatchObject({ force: true, staleVersions: ['v1alpha1'], storedVersions: ['v1beta1'] })
  })

  test('trim what an earlier run has left in the list, without a flip and without ending the way back', () => {
    const made = plan('v0.2.0', 'v0.2.1', {
      crds: ({ name }) => (name === models ? { storedVersions: ['v1alpha1', 'v1beta1'] } : {}),
    })
    expect(wave(made)).toEqual(['await-admission', 'check-migration', 'migrate', 'compare-baseline'])
    expect(of(made, 'migrate')).toMatchObject([{ definition: models, storageVersion: 'v1beta1' }])
    expect(of(made, 'migrate')[0]).not.toHaveProperty('together')
    expect(made.wayBack).toEqual({ possible: true })
  })

  test('are refused where the release lacks a version that is stored', () => {
    const all = { crds: () => ({ storedVersions: ['v1alpha1', 'v1beta1'] }) }
    expect(planned('v0.3.0', 'v0.4.0', all)).toMatchObject({
      refused: { message: expect.stringContaining('v1alpha1') },
    })
  })

  test('know what may be lost, and how long late writes are waited for', () => {
    const storage = { accepted: { [models]: ['spec.a'] }, lateWriteSeconds: 1 }
    const made = plan('v0.1.0', 'v0.2.0', { storage })
    expect(of(made, 'check-migration').map(({ accepted }) => accepted)).toEqual([[], ['spec.a']])
    // What a webhook leaves out shows only when the first objects are rewritten.
    expect(of(made, 'migrate').map(({ accepted }) => accepted)).toEqual([undefined, ['spec.a']])
    expect(of(made, 'migrate').map((step) => step.lateWriteSeconds)).toEqual([1, 1])
    expect(of(plan('v0.1.0', 'v0.2.0'), 'migrate')[0]).not.toHaveProperty('lateWriteSeconds')
  })

  test('go as gently as they are told to, and try as many writes beforehand', () => {
    const usual = plan('v0.1.0', 'v0.2.0')
    expect(of(usual, 'migrate').map(({ limits }) => limits)).toEqual([{ maxInFlight: 32 }, { maxInFlight: 32 }])
    for (const step of of(usual, 'check-migration')) expect(step).not.toHaveProperty('tryAll')
    const gentle = plan('v0.1.0', 'v0.2.0', { storage: { maxInFlight: 2, maxQps: 50, tryAll: true } })
    for (const { limits } of of(gentle, 'migrate')) expect(limits).toEqual({ maxInFlight: 2, maxQps: 50 })
    expect(of(gentle, 'check-migration').map(({ tryAll }) => tryAll)).toEqual([true, true])
  })

  test('need their rights from the beginning', () => {
    const asked = (made: Plan): unknown[] =>
      requiredAccess(made).filter((access) => 'resource' in access && access.resource === 'modeldeployments')
    expect(asked(plan('v0.1.0', 'v0.2.0'))).toContainEqual(
      expect.objectContaining({ group: 'kubeairunway.ai', verbs: ['list', 'get', 'patch'] }),
    )
    expect(asked(plan('v0.1.0', 'v0.2.0', { holdStorage: true }))).toEqual([])
  })
})

describe('an upgrade that ends with its storage held after all', () => {
  const made = () => plan('v0.1.0', 'v0.2.0')
  const ids = (steps: readonly Step[]): string[] => steps.map(({ kind }) => kind)

  test('before anything moved: can be gone back from, and leaves both to migrate', () => {
    const whole = made()
    const shortened = withStorageHeld(whole, new Set())
    expect(ids(stillMoving(whole, new Set()))).toEqual(WHOLE.slice(1, -1))
    expect(wave(shortened)).toEqual(['await-admission', 'compare-baseline'])
    expect(shortened).toMatchObject({
      hash: whole.hash,
      wayBack: { possible: true },
      heldStorage: { [models]: 'v1beta1', [configs]: 'v1beta1' },
    })
    expect(shortened).not.toHaveProperty('notMigrated')
  })

  test('after the first storage version moved: cannot, and leaves the other one', () => {
    const whole = made()
    const [first] = of(whole, 'flip-storage')
    const shortened = withStorageHeld(whole, new Set([first?.id ?? '']))
    expect(shortened).toMatchObject({ wayBack: { possible: false }, heldStorage: { [models]: 'v1beta1' } })
    expect(shortened.heldStorage).not.toHaveProperty([configs])
    expect(shortened.notMigrated).toEqual([configs])
  })

  test('after all storage versions moved: names those whose objects have not', () => {
    const whole = made()
    const migrated = of(whole, 'migrate').find(({ definition }) => definition === configs)
    const done = new Set(
      [...of(whole, 'flip-storage'), ...(migrated === undefined ? [] : [migrated])].map(({ id }) => id),
    )
    const shortened = withStorageHeld(whole, done)
    expect(shortened).toMatchObject({ wayBack: { possible: false }, notMigrated: [models] })
    expect(shortened).not.toHaveProperty('heldStorage')
  })

  test('where there was no way back for another reason: still cannot', () => {
    const whole: Plan = { ...made(), wayBack: { possible: false, why: 'another reason' } }
    expect(withStorageHeld(whole, new Set()).wayBack).toEqual({ possible: false, why: 'another reason' })
  })
})

describe('going back from it', () => {
  /** The way back from an upgrade that is in this state, with objects stored as the definitions say. */
  const back = (state: RunState, storage: string, storedVersions: string[]) => {
    const [before, after] = [release('v0.1.0'), release('v0.2.0')]
    const made = plan('v0.1.0', 'v0.2.0', { tier: 'in-place' })
    const inventory = runningOn(after)
    inventory.crds = of(made, 'apply')
      .flatMap(({ objects }) => objects)
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map((object) => {
        const crd = crdState(object)
        const versions = crd.versions.map((each) => ({ ...each, storage: each.name === storage }))
        return { ...crd, versions, storedVersions }
      })
    return planRollback({
      run: runOf(made, { state }),
      plan: made,
      backup: backupOf(before, made),
      inventory,
      kind: state === 'succeeded' ? 'rollback' : 'abort',
    })
  }

  test('before the first flip', () => {
    expect(back('failed', 'v1alpha1', ['v1alpha1'])).toHaveProperty('plan')
  })

  test.each<[string, RunState, string, string[], string]>([
    ['after a flip, while it is not over', 'failed', 'v1beta1', ['v1alpha1', 'v1beta1'], 'kubectl airunway resume'],
    [
      'after a flip of which only the list tells',
      'running',
      'v1alpha1',
      ['v1alpha1', 'v1beta1'],
      'kubectl airunway resume',
    ],
    ['when it has ended', 'succeeded', 'v1beta1', ['v1beta1'], 'stay on this version'],
  ])('%s', (_when, state, storage, storedVersions, next) => {
    expect(back(state, storage, storedVersions)).toMatchObject({
      refused: { message: expect.stringContaining('stores v1'), next: expect.stringContaining(next) },
    })
  })
})
