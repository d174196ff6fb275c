/**
 * A pass on a real API server: what etcd holds afterwards, what its verdicts are worth while others write, and that owners of
 * fields are the same when their version has left the definition.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, KubernetesObject } from '../../src/kubernetes/objects.ts'
import type { MigrationTarget, PassResult } from '../../src/migration/migration.types.ts'
import { runPass } from '../../src/migration/pass.ts'
import type { PassOptions } from '../../src/migration/pass.types.ts'
import { revisionNow, storedBytes } from '../bench/migrate/stored-bytes.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'

const GROUP = 'pass.example.com'
const OLD = `${GROUP}/v1alpha1`
const NEW = `${GROUP}/v1`
const CRDS = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const MANY = 60

interface Kind {
  kind: string
  plural: string
}
const widgets: Kind = { kind: 'Widget', plural: 'widgets' }
const gadgets: Kind = { kind: 'Gadget', plural: 'gadgets' }
const gizmos: Kind = { kind: 'Gizmo', plural: 'gizmos' }

const text = { type: 'string' }
const versionsOf = (storage: string): object[] =>
  ['v1alpha1', 'v1'].map((name) => ({
    name,
    served: true,
    storage: name === storage,
    subresources: { status: {} },
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', properties: { size: { type: 'integer' }, color: text, note: text } },
          status: { type: 'object', properties: { seen: { type: 'integer' } } },
        },
      },
    },
  }))

const targetOf = ({ kind, plural }: Kind): MigrationTarget => ({
  definition: `${plural}.${GROUP}`,
  uid: '',
  generation: 2,
  fingerprint: 'f',
  group: GROUP,
  kind,
  plural,
  namespaced: true,
  storageVersion: 'v1',
  storedVersions: ['v1alpha1', 'v1'],
  versions: ['v1alpha1', 'v1'],
  served: ['v1alpha1', 'v1'],
  requestVersion: 'v1',
  conversion: 'None',
  statusSubresource: true,
})

describe.skipIf(!clusterTestsPossible().possible)('a pass on a real API server', () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane({ pace: PACE })
    for (const kind of [widgets, gadgets, gizmos]) await define(kind)
  })
  afterAll(async () => cluster?.stop())

  const define = async ({ kind, plural }: Kind): Promise<void> => {
    const definition: AnyObject = {
      ...CRDS,
      metadata: { name: `${plural}.${GROUP}` },
      spec: { group: GROUP, scope: 'Namespaced', names: { kind, plural }, versions: versionsOf('v1alpha1') },
    }
    await cluster.client.create(definition)
    await eventually(
      async () => (await cluster.client.raw({ method: 'GET', path: `/apis/${OLD}/${plural}` })).status === 200,
    )
  }

  const object = (kind: string, name: string, apiVersion: string, spec: object): AnyObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'default' },
    spec,
  })
  const prefix = (plural: string): string => `/registry/${GROUP}/${plural}/`
  const bytes = async (plural: string) => (await storedBytes(cluster.etcdUrl, prefix(plural))).byVersion

  /** Makes v1 the storage version, and waits until writes are stored in it. */
  const flip = async ({ kind, plural }: Kind): Promise<void> => {
    const name = `${plural}.${GROUP}`
    await cluster.client.patch({ ...CRDS, name }, { spec: { versions: versionsOf('v1') } }, { type: 'merge' })
    const probe = object(kind, 'probe', NEW, { size: 1 })
    await eventually(async () => {
      await cluster.client.create(probe)
      const found = await storedBytes(cluster.etcdUrl, `${prefix(plural)}default/probe`)
      await cluster.client.delete({ apiVersion: NEW, kind, namespace: 'default', name: 'probe' })
      return found.byVersion[NEW] === 1
    })
  }

  const pass = (kind: Kind, options: Partial<PassOptions> = {}): Promise<PassResult> =>
    runPass(cluster.client, targetOf(kind), { limits: { maxInFlight: 32 }, ...options })

  describe('owners of fields', () => {
    const ref = (name: string) => ({ apiVersion: NEW, kind: 'Widget', namespace: 'default', name })
    const apply = (name: string, spec: object, apiVersion = NEW): Promise<unknown> =>
      cluster.client.apply(object('Widget', name, apiVersion, spec), { fieldManager: 'flux' })
    const managers = async (): Promise<Map<string, KubernetesObject['metadata']['managedFields']>> => {
      const all = await cluster.client.list({ apiVersion: NEW, kind: 'Widget' })
      return new Map(all.map(({ metadata }) => [metadata.name, metadata.managedFields]))
    }

    beforeAll(async () => {
      for (let index = 0; index < MANY; index++) {
        const name = `w-${index}`
        await apply(name, { size: index }, OLD)
        // One manager in both versions: its entries have to become one.
        const old = { ...ref(name), apiVersion: OLD }
        await cluster.client.patch(old, { spec: { color: 'red' } }, { type: 'merge', fieldManager: 'editor' })
        await cluster.client.patch(ref(name), { spec: { note: 'n' } }, { type: 'merge', fieldManager: 'editor' })
      }
      await flip(widgets)
    })

    test('move with their object, in one write', async () => {
      expect(await bytes('widgets')).toEqual({ [OLD]: MANY })
      expect(await pass(widgets, { staleVersions: ['v1alpha1'] })).toMatchObject({
        rewritten: MANY,
        managersMoved: 2 * MANY,
        failed: 0,
        requests: MANY + 1,
      })
      expect(await bytes('widgets')).toEqual({ [NEW]: MANY })
      for (const entries of (await managers()).values()) {
        expect(entries?.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`).toSorted()).toEqual([
          `editor ${NEW}`,
          `flux ${NEW}`,
        ])
        const editor = entries?.find(({ manager }) => manager === 'editor')
        expect(Object.keys(editor?.fieldsV1?.['f:spec'] ?? {}).toSorted()).toEqual(['f:color', 'f:note'])
      }
    })

    test('a second pass finds nothing, and writes nothing', async () => {
      const before = await revisionNow(cluster.etcdUrl)
      expect(await pass(widgets, { staleVersions: ['v1alpha1'] })).toMatchObject({ rewritten: 0, unchanged: MANY })
      const { writtenSince } = await storedBytes(cluster.etcdUrl, prefix('widgets'), before)
      expect(writtenSince).toBe(0)
    })

    test('own what they owned when the version is gone; one that was left behind does not', async () => {
      await apply('left-behind', { size: 1 }, OLD)
      const name = `widgets.${GROUP}`
      await cluster.client.patch(
        { ...CRDS, name },
        { status: { storedVersions: ['v1'] } },
        { type: 'merge', subresource: 'status' },
      )
      await cluster.client.patch(
        { ...CRDS, name },
        { spec: { versions: versionsOf('v1').slice(1) } },
        { type: 'merge' },
      )
      await eventually(
        async () => (await cluster.client.raw({ method: 'GET', path: `/apis/${OLD}/widgets` })).status === 404,
      )

      await expect(apply('left-behind', {})).rejects.toThrow('request to convert CR to an invalid group/version')
      // What is no longer applied goes, so it was its own; what the other owns is refused.
      await expect(apply('w-1', { size: 1, color: 'blue' })).rejects.toMatchObject({ code: 409 })
      await apply('w-1', {})
      expect((await cluster.client.get(ref('w-1')))['spec']).toEqual({ color: 'red', note: 'n' })
    })
  })

  describe('owners of fields whose version stays', () => {
    const ref = (name: string, apiVersion = NEW) => ({ apiVersion, kind: 'Gizmo', namespace: 'default', name })
    const apply = (name: string, spec: object, apiVersion: string): Promise<unknown> =>
      cluster.client.apply(object('Gizmo', name, apiVersion, spec), { fieldManager: 'flux' })
    const edit = (name: string, spec: object, apiVersion: string): Promise<unknown> =>
      cluster.client.patch(ref(name, apiVersion), { spec }, { type: 'merge', fieldManager: 'editor' })
    const specOf = async (name: string): Promise<unknown> => (await cluster.client.get<AnyObject>(ref(name)))['spec']
    const make = async (name: string): Promise<void> => {
      await apply(name, { size: 1, color: 'red' }, OLD)
      await edit(name, { note: 'n' }, OLD)
    }

    beforeAll(async () => {
      for (let index = 0; index < MANY; index++) await make(`g-${index}`)
      await flip(gizmos)
      // Stored in the new version, though all its managers wrote in the old one.
      await make('current')
    })

    test('are called by the new one, in the same write; what is current is not written for that', async () => {
      const revision = (await cluster.client.get(ref('current'))).metadata.resourceVersion
      const result = await pass(gizmos, { renamableVersions: ['v1alpha1'] })
      expect(result).toMatchObject({ rewritten: MANY, unchanged: 1, failed: 0 })
      // All but those that were on their way before the first answer.
      expect(result.managersMoved).toBeGreaterThan(2 * (MANY - 10))
      expect(await bytes('gizmos')).toEqual({ [NEW]: MANY + 1 })
      expect((await cluster.client.get(ref('current'))).metadata.resourceVersion).toBe(revision)
      expect(await pass(gizmos)).toMatchObject({ rewritten: 0, unchanged: MANY + 1 })
    })

    test.each([
      ['the old version', 'g-1', OLD],
      ['the new one', 'g-2', NEW],
    ])('own what they owned, writing in %s', async (_, name, apiVersion) => {
      const { managedFields = [] } = (await cluster.client.get(ref(name))).metadata
      expect(managedFields.map((entry) => `${entry.manager} ${entry.apiVersion}`).toSorted()).toEqual([
        `editor ${NEW}`,
        `flux ${NEW}`,
      ])
      await expect(apply(name, { size: 1, color: 'red', note: 'mine' }, apiVersion)).rejects.toMatchObject({
        code: 409,
      })
      await apply(name, { size: 2 }, apiVersion)
      expect(await specOf(name)).toEqual({ size: 2, note: 'n' })
      await edit(name, { note: 'm', color: 'blue' }, apiVersion)
      await expect(apply(name, { size: 2, color: 'green' }, apiVersion)).rejects.toMatchObject({ code: 409 })
      await edit(name, { note: null, color: null }, apiVersion)
      expect(await specOf(name)).toEqual({ size: 2 })
    })
  })

  describe('while others write', () => {
    const ref = (name: string) => ({ apiVersion: NEW, kind: 'Gadget', namespace: 'default', name })
    const status = (name: string, seen: number): Promise<unknown> =>
      cluster.client.patch(ref(name), { status: { seen } }, { type: 'merge', subresource: 'status' })

    beforeAll(async () => {
      for (let index = 0; index < MANY; index++) {
        await cluster.client.create(object('Gadget', `g-${index}`, OLD, { size: index }))
      }
      await flip(gadgets)
    })

    test('a policy at the main endpoint is gone round, and a stale write there is refused as well', async () => {
      await deny()
      const refused = await cluster.client.raw({
        method: 'PATCH',
        path: `/apis/${NEW}/namespaces/default/gadgets/g-0/status`,
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion: '1' } },
      })
      expect(refused.status).toBe(409)
      expect(await bytes('gadgets')).toEqual({ [OLD]: MANY })
      expect(await pass(gadgets)).toMatchObject({ rewritten: MANY, throughStatus: MANY, failed: 0 })
      expect(await bytes('gadgets')).toEqual({ [NEW]: MANY })
    })

    test('what others write is not taken for a rewrite of ours', async () => {
      const controller = new AbortController()
      let written = 0
      const writing = (async () => {
        for (let seen = 1; !controller.signal.aborted; seen++) {
          await status(`g-${seen % MANY}`, seen)
          written += 1
        }
      })()
      try {
        await eventually(() => written > 5)
        const before = written
        expect(await pass(gadgets)).toMatchObject({ rewritten: 0, unchanged: MANY, failed: 0 })
        expect(written).toBeGreaterThan(before)
      } finally {
        controller.abort()
        await writing
      }
    })

    /** A policy that refuses every update of gadgets, but not of their status. */
    const deny = async (): Promise<void> => {
      const rules = [{ apiGroups: [GROUP], apiVersions: ['*'], operations: ['UPDATE'], resources: ['gadgets'] }]
      const admission = 'admissionregistration.k8s.io/v1'
      await cluster.client.create({
        apiVersion: admission,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'frozen' },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: { resourceRules: rules },
          validations: [{ expression: 'false' }],
        },
      })
      await cluster.client.create({
        apiVersion: admission,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'everywhere' },
        spec: { policyName: 'frozen', validationActions: ['Deny'] },
      })
      const patch = {
        method: 'PATCH' as const,
        path: `/apis/${NEW}/namespaces/default/gadgets/g-0?dryRun=All`,
        contentType: 'application/merge-patch+json',
        body: {},
      }
      await eventually(async () =>
        (await cluster.client.raw(patch)).text.includes("'frozen' with binding 'everywhere' denied"),
      )
    }
  })
})
