/** Handing over to the migrator of the cluster, and proving what it did. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { migrationObject } from '../../src/migration/in-tree.ts'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import type { MigrateOptions } from '../../src/migration/migrate.types.ts'
import type { MigrationResult } from '../../src/migration/migration.types.ts'
import type { PolicyRule } from '../../src/plan/rights.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { abort } from '../../src/services/abort.ts'
import { migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind, LeapingClock, MovingKind } from '../support/migrating.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the cluster's own migrator are skipped: ${reason}\n`)

/** The kind is the API server's own elsewhere; here it is a definition, and the tests are its controller. */
describe.skipIf(!possible)('a migration by the migrator of the cluster', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  const definition = 'storageversionmigrations.storagemigration.k8s.io'
  const kind = { apiVersion: 'storagemigration.k8s.io/v1beta1', kind: 'StorageVersionMigration' }
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    client = cluster.client
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    await client.create({
      ...definitionKind,
      metadata: { name: definition, annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
      spec: {
        group: 'storagemigration.k8s.io',
        scope: 'Cluster',
        names: { plural: 'storageversionmigrations', kind: kind.kind },
        versions: [
          {
            name: 'v1beta1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: open },
          },
        ],
      },
    })
    await eventually(async () => (await client.list(kind)).length === 0)
  })
  afterAll(() => cluster?.stop())

  const old = async (plural: string): Promise<MovingKind> =>
    (await (await new MovingKind(cluster, plural).define()).write('w', 10)).flip()
  const flippedAt = (): string => new Date(Date.now() - 3_600_000).toISOString()
  const handedOver = async (moving: MovingKind, options: Partial<MigrateOptions> = {}): Promise<MigrationResult> =>
    migrateDefinition(client, await moving.target(flippedAt()), {
      limits: { maxInFlight: 4 },
      engine: 'in-tree',
      ...options,
    })
  /** What the controller says of the only migration there is. */
  const say = async (type: string, message = ''): Promise<void> => {
    const [found] = await eventually(async () => {
      const all = await client.list(kind)
      return all.length === 1 && all
    })
    const status = { conditions: [{ type, status: 'True', message }] }
    await client.patch(
      { ...kind, name: found?.metadata.name ?? '' },
      { status },
      { type: 'merge', subresource: 'status' },
    )
  }
  const rewrite = async (moving: MovingKind, objects: number): Promise<void> => {
    for (let index = 0; index < objects; index++) {
      await client.patch(moving.reference(`w-${index}`), {}, { type: 'merge' })
    }
  }

  test.each([
    ['all', 10, [{ rewritten: 0, unchanged: 10 }]],
    [
      'not all',
      7,
      [
        { rewritten: 3, unchanged: 7 },
        { rewritten: 0, unchanged: 10 },
      ],
    ],
  ])('is proved by a pass of ours, where it did %s', async (_, objects, passes) => {
    const moving = await old(`moved${objects}s`)
    const result = handedOver(moving)
    await say('Running')
    await rewrite(moving, objects)
    await say('Succeeded')
    expect(await result).toMatchObject({ outcome: 'migrated', passes, after: { storedVersions: ['v1beta1'] } })
    expect(await moving.stored()).toEqual({ v1beta1: 10 })
    expect(await client.list(kind)).toEqual([])
  })

  test('needs just the rights that --print-rbac prints, with or without those that may be left out', async () => {
    const request = { ...changeRequest(cluster), requestLimitMs: 300 }
    for (const [plural, optional] of [
      ['guardeds', false],
      ['wards', true],
    ] as const) {
      const moving = await old(plural)
      const options = { ...usual, names: [moving.name], engine: 'in-tree' as const }
      const printed = await migrateDefinitions({ ...request, printRbac: { user: plural } }, options)
      if (printed.outcome !== 'rights') throw new Error(printed.outcome)
      const { objects } = printed.report
      const rules = objects.flatMap((object) => (object as AnyObject & { rules?: PolicyRule[] }).rules ?? [])
      expect(rules).toContainEqual({
        apiGroups: ['storagemigration.k8s.io'],
        resources: ['storageversionmigrations'],
        verbs: ['create', 'delete', 'get', 'list', 'watch'],
      })
      expect(rules.filter(({ resources }) => resources.includes(`${plural}/status`))).toHaveLength(1)
      for (const object of objects)
        if (optional || !object.metadata.name.endsWith('-optional')) await client.apply(object)
      const theirs = { ...request, connection: { kubeconfig: await cluster.kubeconfigFor({ name: plural }) } }
      const result = eventually(async () => {
        try {
          return ran(await migrateDefinitions(theirs, options))
        } catch (error) {
          // The authorizer hears of new roles a moment later.
          if (error instanceof Refusal && error.kind === 'blocked') return undefined
          throw error
        }
      })
      await say('Running')
      await rewrite(moving, 10)
      await say('Succeeded')
      expect((await result)?.migrated).toMatchObject([{ outcome: 'migrated', proof: { objects: 10 } }])
    }
  })

  test('that failed is told, and nothing is trimmed', async () => {
    const moving = await old('failings')
    const result = handedOver(moving)
    await say('Failed', 'webhook "x" denied')
    const told = await result
    expect(told).toMatchObject({ outcome: 'failures left', reason: expect.stringContaining('webhook "x" denied') })
    expect(told).not.toHaveProperty('notes')
    expect(await moving.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
    expect(await client.list(kind)).toEqual([])
  })

  test('that failed and trimmed all the same is told', async () => {
    const moving = await old('trimmeds')
    const result = handedOver(moving)
    await eventually(async () => (await client.list(kind)).length === 1)
    await moving.claim(['v1beta1'])
    await say('Failed')
    expect(await result).toMatchObject({
      outcome: 'failures left',
      after: { storedVersions: ['v1beta1'] },
      notes: [expect.stringContaining('does not name v1alpha1')],
    })
  })

  test('that nobody takes up is given up, with the reason', async () => {
    const moving = await old('nobodys')
    const { now, wait } = new LeapingClock()
    const result = await handedOver(moving, { now, wait })
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('for 180 s: its controller'),
    })
    expect(await client.list(kind)).toEqual([])
  })

  test('is not asked for any more once the run is closed', async () => {
    const moving = await old('closeds')
    const leaving = new AbortController()
    const request = { ...changeRequest(cluster), requestLimitMs: 300 }
    const options = { ...usual, names: [moving.name], engine: 'in-tree' as const }
    const run = refusal(migrateDefinitions({ ...request, signal: leaving.signal }, options))
    await eventually(async () => (await client.list(kind)).length === 1)
    leaving.abort()
    expect((await run).kind).toBe('interrupted')
    const [asked] = await client.list(kind)
    const closed = await abort(request, { dryRun: false })
    if (closed.outcome !== 'closed') throw new Error(closed.outcome)
    expect(closed.report.stays?.join(' ')).toContain(`StorageVersionMigration ${asked?.metadata.name} is deleted`)
    expect(await client.list(kind)).toEqual([])
  })

  test('that an earlier run has asked for is waited for, and one of somebody else is left alone', async () => {
    const moving = await old('adopteds')
    const asked = migrationObject(await moving.target(), 'v1beta1')
    const made = await client.create(asked)
    const result = handedOver(moving)
    await rewrite(moving, 10)
    await say('Succeeded')
    expect(await result).toMatchObject({ outcome: 'migrated' })
    expect(await client.list(kind)).toEqual([])
    expect(made.metadata.labels).toBeDefined()

    const other = await old('foreigns')
    const { labels: _labels, ...metadata } = migrationObject(await other.target(), 'v1beta1').metadata
    await client.create({ ...migrationObject(await other.target(), 'v1beta1'), metadata })
    expect(await handedOver(other)).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('not made'),
    })
    expect(await client.list(kind)).toHaveLength(1)
  })
})
