/** What decides about a migration before it begins: its plan, what is accepted, what is refused, and how that is told. */
import { describe, expect, test } from 'vitest'
import type { CustomResourceDefinition, ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import { describeStep } from '../../../src/plan/describe.ts'
import type { Plan } from '../../../src/plan/plan.types.ts'
import { renderMigrationPlan, renderMigrationRun } from '../../../src/report/human-migration.ts'
import { Refusal } from '../../../src/report/refusal.ts'
import { plainStyle } from '../../../src/report/style.ts'
import { acceptedInPlan, parseAcceptedLosses, unusedNotes } from '../../../src/services/accepted-losses.ts'
import { type Decided, migrationPlan, type ToMigrate } from '../../../src/services/migration-plan.ts'
import {
  blockersRefusal,
  denialsRefusal,
  lossesRefusal,
  missingRightsRefusal,
} from '../../../src/services/migration-refusals.ts'
import type { MigratedDefinition, SurveyedDefinition } from '../../../src/services/migration-report.types.ts'

const definition = (
  plural: string,
  storage: string,
  storedVersions: string[],
  served: Record<string, boolean> = {},
): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com`, uid: `uid-${plural}`, resourceVersion: '7' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural, kind: plural },
    versions: ['v1', 'v2'].map((name) => ({ name, served: served[name] ?? true, storage: name === storage })),
  },
  status: { storedVersions },
})

const options = { limits: { maxInFlight: 32 }, engine: 'own' as const, force: false }
const nothing: Decided = { backUp: [], accepted: [], notes: [] }
const planOf = (all: ToMigrate[], decided: Decided = nothing): Plan => migrationPlan(all, decided, options)
const told = ({ steps }: Plan): string[] => steps.map((step) => `${step.id} ${describeStep(step)}`)

describe('the plan of a migration', () => {
  test('moves what is stored in an old version', () => {
    const plan = planOf([{ crd: definition('widgets', 'v2', ['v1', 'v2']) }])
    expect(plan).toMatchObject({
      kind: 'migration',
      product: 'widgets.example.com',
      from: 'v1',
      to: 'v2',
      wayBack: { possible: true },
    })
    expect(told(plan)).toEqual(['01-migrate widgets.example.com: v1 to v2, proved, then storedVersions is trimmed'])
  })

  test('backs up first, then sets all storage versions, then moves', () => {
    const all = [
      { crd: definition('widgets', 'v1', ['v1']), flipTo: 'v2' },
      { crd: definition('gadgets', 'v2', ['v1', 'v2']) },
      { crd: definition('gears', 'v1', ['v1']), flipTo: 'v2' },
    ]
    const decided = { ...nothing, backUp: [{ apiVersion: 'example.com/v1', kind: 'gadgets' }] }
    const plan = planOf(all, decided)
    expect(told(plan)).toEqual([
      '01-back-up all gadgets objects',
      '02-flip-storage widgets.example.com: v1 to v2; there is no rollback across it',
      '03-flip-storage gears.example.com: v1 to v2; there is no rollback across it',
      '04-migrate widgets.example.com: v1 to v2, proved, then storedVersions is trimmed',
      '05-migrate gadgets.example.com: v1 to v2, proved, then storedVersions is trimmed',
      '06-migrate gears.example.com: v1 to v2, proved, then storedVersions is trimmed',
    ])
    expect(plan.steps[3]).toMatchObject({ uid: 'uid-widgets', storageVersion: 'v2', storedVersions: ['v1', 'v2'] })
    expect(plan.steps[3]).toMatchObject({ together: all.map(({ crd }) => crd.metadata.name) })
    expect(plan.product).toBe('3 definitions')
    expect(plan.wayBack).toEqual({
      possible: false,
      why: 'widgets.example.com is stored in v2 at the end, and there is no rollback across that yet',
    })
  })

  test('brings versions back where that was consented to, and renames managers of versions that nobody is served', () => {
    const lost = { crd: definition('widgets', 'v2', ['v2'], { v1: false }), bringBack: ['v0'] }
    const plan = planOf([lost])
    expect(told(plan)).toEqual([
      '01-migrate widgets.example.com: v0 back into the spec, then v0 to v2, proved, then storedVersions is trimmed',
    ])
    expect(plan.steps[0]).toMatchObject({
      bringBack: ['v0'],
      staleVersions: ['v1', 'v0'],
      storedVersions: ['v2', 'v0'],
    })
  })

  test.each<[string, ManagedFieldsEntry, string]>([
    [
      'a GitOps manager',
      { manager: 'kustomize-controller', operation: 'Apply' },
      ' to kustomize-controller (server-side apply),',
    ],
    ['whoever wrote it as a whole', { manager: 'helm', operation: 'Update' }, ' to helm,'],
    ['this plugin', { manager: 'kubectl-airunway', operation: 'Apply' }, ''],
    ['who writes its status', { manager: 'kube-apiserver', operation: 'Update', subresource: 'status' }, ''],
  ])('says that %s owns the versions, where they are changed', (_, entry, expected) => {
    const crd = definition('widgets', 'v1', ['v1'])
    crd.metadata.managedFields = [{ fieldsV1: { 'f:spec': { 'f:versions': {} } }, ...entry }]
    const notes = planOf([{ crd, flipTo: 'v2' }]).notes.join('\n')
    const [, owner = ''] =
      /^spec\.versions of widgets\.example\.com belongs( to .*,) and the new .* back to v1, or/m.exec(notes) ?? []
    expect(owner).toBe(expected)
    expect(planOf([{ crd }]).notes).toEqual([])
  })

  test('tells the step what may be lost where a webhook converts, for that shows only when it writes', () => {
    const [widgets, gadgets] = [definition('widgets', 'v2', ['v1']), definition('gadgets', 'v2', ['v1'])]
    widgets.spec.conversion = { strategy: 'Webhook' }
    const accepted = acceptedInPlan(
      ['widgets', 'gadgets'].map((name) => ({ definition: `${name}.example.com`, path: 'spec.size', reason: 'why' })),
    )
    const { steps } = planOf([{ crd: widgets }, { crd: gadgets }], { ...nothing, accepted })
    expect(steps).toMatchObject([{ accepted: ['spec.size'] }, { definition: 'gadgets.example.com' }])
    expect(steps[1]).not.toHaveProperty('accepted')
  })

  test('is another one where the definition is, and the same where only its resourceVersion is', () => {
    const crd = definition('widgets', 'v2', ['v1', 'v2'])
    const { hash } = planOf([{ crd }])
    expect(planOf([{ crd: { ...crd, metadata: { ...crd.metadata, resourceVersion: '8' } } }]).hash).toBe(hash)
    expect(planOf([{ crd: { ...crd, metadata: { ...crd.metadata, uid: 'made anew' } } }]).hash).not.toBe(hash)
    expect(planOf([{ crd: definition('widgets', 'v1', ['v1', 'v2']) }]).hash).not.toBe(hash)
  })
})

describe('--accept-loss', () => {
  test.each([
    ['widgets.example.com:^.spec.size=gone', 'spec.size', 'gone'],
    ['widgets.example.com:.spec.list[*].name=a = b', 'spec.list[*].name', 'a = b'],
    ['widgets.example.com:spec.map{*}= spaces ', 'spec.map{*}', 'spaces'],
  ])('%s', (text, path, reason) => {
    expect(parseAcceptedLosses([text])).toEqual([{ definition: 'widgets.example.com', path, reason }])
  })

  test.each([
    ['no reason', ['widgets.example.com:^.spec.size']],
    ['an empty reason', ['widgets.example.com:^.spec.size= ']],
    ['no definition', ['^.spec.size=why']],
    ['no field', ['widgets.example.com:=why']],
    ['twice', ['w.e:^.spec.size=a', 'w.e:.spec.size=b']],
  ])('%s is refused', (_, texts) => {
    expect(() => parseAcceptedLosses(texts)).toThrow(Refusal)
  })

  test('that nothing came of are told apart by why', () => {
    const unused = parseAcceptedLosses(['a.example.com:^.spec.x=r', 'b.example.com:^.spec.x=r'])
    expect(unusedNotes(unused, ['a.example.com'])).toEqual([
      '--accept-loss a.example.com:^.spec.x was not needed: nobody loses it.',
      '--accept-loss b.example.com:^.spec.x was not needed: no b.example.com is migrated.',
    ])
  })

  test('is recorded with its reason, and hashed by its name', () => {
    const [first] = acceptedInPlan([{ definition: 'w.e', path: 'spec.size', reason: 'why' }])
    const [other] = acceptedInPlan([{ definition: 'w.e', path: 'spec.sizes', reason: 'why' }])
    expect(first).toMatchObject({ id: 'w.e:^.spec.size', reason: 'why' })
    expect(first?.evidenceHash).not.toBe(other?.evidenceHash)
  })
})

const row = (change: Partial<SurveyedDefinition> = {}): SurveyedDefinition => ({
  definition: 'widgets.example.com',
  storageVersion: 'v2',
  storedVersions: ['v1', 'v2'],
  needed: true,
  objects: 1200,
  requests: 2426,
  seconds: 37,
  blockers: [],
  users: [],
  lost: [],
  unchecked: [],
  denied: [],
  tried: 20,
  notes: [],
  ...change,
})

describe('what forbids a migration', () => {
  const blocker = {
    kind: 'terminating',
    definition: 'a.e',
    message: 'a.e is being deleted',
    why: 'w',
    next: 'n',
  } as const

  test('definitions that are in the way, with the others of the command', () => {
    expect(blockersRefusal([row()])).toBeUndefined()
    const refused = blockersRefusal([row({ definition: 'a.e', blockers: [blocker] }), row()])
    expect(refused).toMatchObject({
      kind: 'blocked',
      why: 'a.e is being deleted: w',
      next: 'n; or without it: kubectl airunway migrate widgets.example.com',
    })
  })

  test('objects that nobody can read, with the flag that repairs them', () => {
    const unreadable = { ...blocker, kind: 'unreadable' as const, versions: ['v0'] }
    expect(blockersRefusal([row({ blockers: [unreadable] })])?.next).toContain('--repair-unreadable')
  })

  test('fields that nobody has accepted to lose, each as it is typed', () => {
    const examples = Array.from({ length: 7 }, (_, index) => ({ namespace: 'a', name: `w-${index}` }))
    const report = {
      definition: 'w.e',
      checked: [],
      fields: [{ path: 'spec.size', version: 'v1', objects: 7, defaults: 0, examples }],
      unchecked: [{ version: 'v0', fields: ['spec.old'], why: 'v0 is not served', next: 'serve it' }],
    }
    expect(lossesRefusal([])).toBeUndefined()
    const refused = lossesRefusal([{ report, paths: ['spec.size', 'spec.old'] }])
    expect(refused?.message).toContain('2 fields')
    expect(refused?.why).toContain('w.e:^.spec.size in v1: 7 objects (a/w-0, a/w-1, a/w-2, a/w-3, a/w-4 and 2 more)')
    expect(refused?.why).toContain('w.e:^.spec.old: not known who has it: v0 is not served')
    expect(refused?.next).toContain("--accept-loss 'w.e:^.spec.size=REASON' --accept-loss 'w.e:^.spec.old=REASON'")
    expect(refused?.next).toContain('values that can be seen are backed up first')
    expect(lossesRefusal([{ report, paths: ['spec.size'] }])?.next).toContain('(the values are backed up first)')
    expect(lossesRefusal([{ report, paths: ['spec.old'] }])?.next).not.toContain('backed up')
  })

  test.each([
    ['a webhook', { cause: 'webhook', subject: 'x', objects: 2, throughStatus: 0 }, true],
    ['a webhook that lets /status pass', { cause: 'webhook', subject: 'x', objects: 2, throughStatus: 2 }, false],
    ['one that lets some pass', { cause: 'policy', subject: 'x', objects: 2, throughStatus: 1 }, true],
    ['a server that was busy', { cause: 'throttled', objects: 2, throughStatus: 0 }, false],
    ['an invalid object', { cause: 'schema', objects: 1, throughStatus: 0 }, true],
  ] as const)('%s', (_, group, refused) => {
    const denied = [{ ...group, examples: [{ namespace: 'a', name: 'b', message: 'no' }] }]
    const refusal = denialsRefusal([row({ denied })])
    expect(refusal !== undefined).toBe(refused)
    const words = `widgets.example.com: ${group.objects} of 20 tried by`
    expect(refusal?.why?.includes(words) ?? false).toBe(refused)
    // Without names it would be about other definitions than those that were asked for.
    expect(refusal?.next ?? '').not.toMatch(/kubectl airunway migrate$/)
  })

  test('rights that are missing, but not those that it does without', () => {
    const request = { verb: 'patch', group: 'example.com', resource: 'widgets' }
    const base = { definition: 'w', group: 'g', kind: 'k', plural: 'p', looked: 0 }
    const surveyed = { ...base, ...row(), missingRights: [{ request, why: 'w' }] }
    expect(missingRightsRefusal([surveyed])?.why).toContain('patch widgets.example.com')
    const optional = { ...surveyed, missingRights: [{ request, why: 'w', optional: true as const }] }
    expect(missingRightsRefusal([optional])).toBeUndefined()
  })
})

describe('for people', () => {
  const metadata = { time: '2026-11-22T12:00:00Z', cluster: { server: 'https://127.0.0.1:6443' } }
  const plan = planOf([{ crd: definition('widgets', 'v1', ['v1']), flipTo: 'v2' }])
  const shown = { ...plan, steps: plan.steps.map((step) => ({ ...step, description: describeStep(step) })) }

  test('the survey is a table, and what forbids it stands below', () => {
    const survey = [
      row({ storageVersion: 'v1', storedVersions: ['v1'], flipTo: 'v2' }),
      row({
        definition: 'gears.example.com',
        lost: [{ path: 'spec.size', version: 'v1', objects: 3, defaults: 1, examples: [] }],
        denied: [{ cause: 'webhook', subject: 's', objects: 4, throughStatus: 1, examples: [] }],
        users: [{ version: 'v1', users: [{ manager: 'm', via: 'managedFields', objects: 2, example: 'a/b' }] }],
      }),
    ]
    const blocked = { message: 'No.', why: 'one\ntwo', next: 'n' }
    const text = renderMigrationPlan({ metadata, plan: shown, survey, blocked }, plainStyle)
    expect(text.split('\n').slice(4)).toEqual([
      'DEFINITION           STORED  STORAGE   OBJECTS  REQUESTS  ABOUT  IN THE WAY',
      'widgets.example.com  v1      v1 -> v2  1200     2426      37 s   -',
      'gears.example.com    v1, v2  v2        1200     2426      37 s   1 field lost, 3 writes refused',
      '  i  gears.example.com: written in v1 by m (2)',
      '  !  gears.example.com: ^.spec.size of v1 goes: 3 objects have a value of their own, 1 just its',
      '    default',
      '',
      '   1  Store widgets in v2  widgets.example.com: v1 to v2; there is no rollback across it',
      '   2  Migrate widgets      widgets.example.com: v1 to v2, proved, then storedVersions is trimmed',
      '',
      '  * From then on the cluster stores widgets.example.com in v2. A release that does not know that',
      '    version cannot be gone back to by rollback.',
      '',
      'BLOCKED. No.',
      '  one',
      '  two',
      'Next: n',
      '',
    ])
  })

  test('a run tells what was rewritten, what proves it, and what may go', () => {
    const pass = {
      gone: 0,
      failed: 0,
      throughStatus: 0,
      managersMoved: 0,
      altered: 0,
      startedAt: '',
      seconds: 1,
      requests: 2,
      mostInFlight: 4,
    }
    const migrated: MigratedDefinition = {
      definition: 'widgets.example.com',
      storageVersion: 'v2',
      before: { storedVersions: ['v1', 'v2'] },
      after: { storedVersions: ['v2'] },
      outcome: 'migrated',
      passes: [
        { ...pass, rewritten: 1100, unchanged: 99, gone: 1 },
        { ...pass, rewritten: 0, unchanged: 1199 },
      ],
      proof: { pass: 2, objects: 1199, startedAt: '', secondsAfterFlip: 35.9 },
      seconds: { settle: 1, rewrite: 6, prove: 30, trim: 0.21 },
      requests: 2412,
      removable: ['v1'],
    }
    const text = renderMigrationRun(
      {
        metadata: { ...metadata, recordNamespace: 'airunway-runs' },
        run: {
          number: 3,
          kind: 'migration',
          product: plan.product,
          from: 'v1',
          to: 'v2',
          state: 'succeeded',
          startedAt: '',
          by: 'me',
          planHash: plan.hash,
        },
        seconds: 38,
        steps: [],
        workloads: { compared: false, children: 0, disturbed: 0, changes: [] },
        notes: [],
        wayBack: plan.wayBack,
        measured: [],
        migrated: [migrated],
      },
      plainStyle,
    )
    expect(text.split('\n')).toEqual([
      'migration widgets.example.com v1 -> v2: done in 38 s',
      'cluster  https://127.0.0.1:6443',
      'run      3, recorded in namespace airunway-runs',
      '',
      'ok widgets.example.com: 1100 rewritten to v2, 99 were current, 1 deleted meanwhile',
      '    proved: pass 2 wrote each of 1199 objects without a change, begun 35 s after the new version was stored',
      '    storedVersions v2; 37.2 s, 2412 requests',
      '',
      'v1 may be taken out of spec.versions of widgets.example.com once nobody asks for it.',
      'Set served: false before, and migrate once more with --force-scan: managedFields that name a version that is gone make every server-side apply fail.',
      'Next: kubectl airunway migrate --all --dry-run (what else there is)',
      '',
    ])
  })
})
