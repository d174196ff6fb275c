/** What a way back decides besides its order: which way, what each object goes back to, and what is refused. */
import { describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/backup/backup.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment } from '../../../src/kubernetes/objects.ts'
import type { Plan, Step, StepKind, StepOf, Tier } from '../../../src/plan/plan.types.ts'
import type { Planned } from '../../../src/plan/refused.types.ts'
import { planRollback, type RollbackInput } from '../../../src/rollback/plan-rollback.ts'
import { planUpgrade } from '../../../src/upgrade/plan-upgrade.ts'
import { backupOf, crdState, runningOn, runOf, sampleRelease } from '../../support/upgrade-samples.ts'

/** A finished upgrade from v0.1.0 to v0.2.0, as a planner of the way back is given it. */
const finished = async (tier: Tier = 'in-place'): Promise<RollbackInput> => {
  const [old, release] = await Promise.all([sampleRelease('v0.1.0'), sampleRelease('v0.2.0')])
  const before = runningOn(old)
  const [install] = before.installs
  if (install === undefined) throw new Error('no install')
  const made = planned(planUpgrade({ inventory: before, install, release, tier }))
  const inventory = runningOn(release)
  inventory.crds = applied(made, 'CustomResourceDefinition').map((object) => crdState(object))
  return { run: runOf(made), plan: made, backup: backupOf(old, made), inventory }
}

const planned = (result: Planned): Plan => {
  if ('refused' in result) throw new Error(`${result.refused.message} ${result.refused.why}`)
  return result.plan
}
const back = async (change: (input: RollbackInput) => Partial<RollbackInput>, tier?: Tier): Promise<Planned> => {
  const input = await finished(tier)
  return planRollback({ ...input, ...change(input) })
}
const steps = <K extends StepKind>({ steps: all }: Plan, kind: K): StepOf<K>[] =>
  all.filter((step: Step): step is StepOf<K> => step.kind === kind)
const applied = (made: Plan, kind: string): AnyObject[] =>
  steps(made, 'apply').flatMap(({ objects }) => objects.filter((object) => object.kind === kind))

/** The back-up with each object of a kind changed, as read and as applied. */
const withObjects = (
  backup: Backup,
  kind: string,
  change: (object: AnyObject) => Partial<Backup['objects'][number]>,
): Backup => ({
  ...backup,
  objects: backup.objects.map((saved) => (saved.object.kind === kind ? { ...saved, ...change(saved.object) } : saved)),
})

describe('which way', () => {
  test.each<[Tier, Tier | undefined, Tier]>([
    ['in-place', undefined, 'in-place'],
    ['standby', undefined, 'standby'],
    ['in-place', 'standby', 'standby'],
    ['standby', 'in-place', 'in-place'],
  ])('a run %s, asked for %s, goes back %s', async (run, asked, expected) => {
    const made = planned(await back(() => (asked === undefined ? {} : { tier: asked }), run))
    expect(made.tier).toBe(expected)
    expect(made.components.map(({ tier }) => tier)).toEqual([expected, expected, expected])
    expect(made.steps.some(({ kind }) => kind === 'stand-by')).toBe(expected === 'standby')
  })

  const onItsNode = ({ backup }: RollbackInput): Partial<RollbackInput> => ({
    backup: withObjects(backup, 'Deployment', (object) => {
      const changed = structuredClone(object) as AnyObject & Deployment
      changed.spec.template.spec['hostNetwork'] = true
      return { object: changed, applied: changed }
    }),
  })

  test('in place where the Deployment of before cannot have a standby, with the reason', async () => {
    const made = planned(await back(onItsNode, 'standby'))
    expect(made).toMatchObject({ tier: 'in-place', tierReason: expect.stringContaining('ports of their node') })
  })

  test('refused where just that was asked for', async () => {
    const result = await back((input) => ({ ...onItsNode(input), tier: 'standby' }))
    expect(result).toMatchObject({ refused: { next: expect.stringContaining('--tier in-place') } })
  })
})

describe('what it is called, and whether one can go on from it', () => {
  const broken = { state: 'failed' } as const
  test.each<[string, Partial<RollbackInput>, Partial<RollbackInput['run']>, object]>([
    ['a rollback of a finished upgrade can be aborted', {}, {}, { kind: 'rollback', wayBack: { possible: true } }],
    ['not one of an upgrade that stopped', {}, broken, { kind: 'rollback', wayBack: { possible: false } }],
    ['nor one while a later run is unfinished', { settled: false }, {}, { wayBack: { possible: false } }],
    ['nor an abort', { kind: 'abort' }, broken, { kind: 'abort', wayBack: { possible: false } }],
  ])('%s', async (_title, change, run, expected) => {
    expect(planned(await back((input) => ({ ...change, run: { ...input.run, ...run } })))).toMatchObject({
      from: 'v0.2.0',
      to: 'v0.1.0',
      source: 'the records of run 1',
      ...expected,
    })
  })

  test('a back-up that was taken half-way is nothing to go to', async () => {
    const input = await finished()
    const again = planned(planRollback({ ...input, settled: false }))
    const result = planRollback({ ...input, run: runOf(again, { number: 2 }), plan: again, kind: 'abort' })
    expect(result).toMatchObject({
      refused: { message: expect.stringContaining('run 2'), next: expect.stringContaining('resume') },
    })
  })
})

describe('each object', () => {
  test('what the run deleted is applied again', async () => {
    const made = planned(
      await back(({ plan, backup }) => {
        const object: AnyObject = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'lost', namespace: 'n' },
          data: {},
        }
        const last: Step = {
          kind: 'delete',
          id: '99-delete',
          title: 'Delete',
          objects: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'lost' }],
        }
        return {
          plan: { ...plan, steps: [...plan.steps, last] },
          backup: { ...backup, objects: [...backup.objects, { object, applied: object }] },
        }
      }),
    )
    expect(applied(made, 'ConfigMap').map(({ metadata }) => metadata.name)).toEqual(['lost'])
  })

  test('a CRD and a Namespace that the run added stay, and the CRD is told of; the rest goes', async () => {
    const added = new Set(['ClusterRole', 'Namespace'])
    const made = planned(
      await back(({ backup }) => ({
        backup: {
          ...backup,
          objects: backup.objects.filter(
            ({ object: { kind, metadata } }) =>
              !added.has(kind) && !metadata.name.startsWith('inferenceproviderconfigs.'),
          ),
        },
      })),
    )
    const deleted = steps(made, 'delete').flatMap(({ objects }) => objects.map(({ kind }) => kind))
    expect(new Set(deleted)).toEqual(new Set(['ClusterRole']))
    expect(made.notes.join()).toMatch(/inferenceproviderconfigs\.kubeairunway\.ai was added by run 1 and stays/)
  })

  test('a number that an autoscaler had set comes back in its name', async () => {
    const made = planned(
      await back(({ backup }) => ({
        tier: 'standby',
        backup: withObjects(backup, 'Deployment', (object) => {
          const read = structuredClone(object) as AnyObject & Deployment
          const { replicas: _replicas, ...spec } = read.spec
          read.spec.replicas = 3
          read.metadata.managedFields = [
            { manager: 'hpa', subresource: 'scale', operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
          ]
          return { object: read, applied: { ...read, spec } }
        }),
      })),
    )
    const stopped = steps(made, 'scale').find(({ deployments: [ref] }) => ref?.name === 'kubeairunway-controller')
    expect(Object.values(stopped?.had ?? {})).toEqual([
      { replicas: 3, owner: { manager: 'hpa', subresource: 'scale' } },
    ])
  })

  test('a role has the rights of both releases while both run, and only its own in the end', async () => {
    const rule = { apiGroups: ['old.example.com'], resources: ['things'], verbs: ['get'] }
    const made = planned(
      await back(
        ({ backup }) => ({
          backup: withObjects(backup, 'ClusterRole', (object) => ({ applied: { ...object, rules: [rule] } })),
        }),
        'standby',
      ),
    )
    const roles = applied(made, 'ClusterRole').filter(({ metadata }) => metadata.name === 'kubeairunway-manager-role')
    expect(roles.map(({ rules }) => (rules as unknown[]).length > 1)).toEqual([true, false])
    expect(roles.map(({ rules }) => rules)).toEqual([expect.arrayContaining([rule]), [rule]])
  })
})

describe('definitions', () => {
  const models = 'modeldeployments.kubeairunway.ai'
  /** As a rollback left it: the version and the conversion of the newer release are out. */
  const withdrawn = async (): Promise<{ input: RollbackInput; next: CustomResourceDefinition }> => {
    const input = await finished()
    const made = planned(planRollback({ ...input, settled: true }))
    const next = await sampleRelease('v0.2.0')
    const old = await sampleRelease('v0.1.0')
    const held = new Map(
      applied(input.plan, 'CustomResourceDefinition').map((object) => [object.metadata.name, object]),
    )
    const backup = withObjects(backupOf(next, made), 'CustomResourceDefinition', ({ metadata }) => {
      const object = held.get(metadata.name)
      return object === undefined ? {} : { object, applied: object }
    })
    return {
      input: {
        run: runOf(made, { number: 2, state: 'failed' }),
        plan: made,
        backup,
        inventory: runningOn(old),
        kind: 'abort',
      },
      next: held.get(models) as unknown as CustomResourceDefinition,
    }
  }

  test('versions that a rollback withdrew come back with their conversion, stored as now', async () => {
    const { input, next } = await withdrawn()
    const made = planned(planRollback(input))
    const [crd] = applied(made, 'CustomResourceDefinition').filter(
      ({ metadata }) => metadata.name === models,
    ) as unknown as CustomResourceDefinition[]
    expect(crd?.spec.versions.map(({ name, storage }) => [name, storage])).toEqual([
      ['v1alpha1', true],
      ['v1beta1', false],
    ])
    expect(crd?.spec.conversion).toEqual(next.spec.conversion)
    expect(steps(made, 'withdraw-version')).toEqual([])
    expect(made.notes.join(' ')).toMatch(/v1beta1 needs the conversion webhook/)
  })

  test('an added CRD that is converted loses its conversion: nobody will answer it', async () => {
    const made = planned(
      await back(({ inventory, backup }) => ({
        inventory: {
          ...inventory,
          crds: inventory.crds.map((crd) => (crd.name === models ? crd : { ...crd, conversion: 'Webhook' })),
        },
        backup: {
          ...backup,
          objects: backup.objects.filter(({ object }) => !object.metadata.name.startsWith('inferenceproviderconfigs.')),
        },
      })),
    )
    expect(
      steps(made, 'withdraw-version').map(({ definition, versions, conversion }) => [
        definition.split('.')[0],
        versions,
        conversion,
      ]),
    ).toContainEqual(['inferenceproviderconfigs', [], 'None'])
  })
})
