/**
 * What a real API server and its objects say about a comparison, and whether it then does with those objects what was said: the
 * definition is really changed, and every object written again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare } from '../../src/crds/comparison/compare.ts'
import type { Comparison, Finding, JSONSchema } from '../../src/crds/comparison/comparison.types.ts'
import { gatherEvidence } from '../../src/installation/crd-evidence.ts'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { ApiError } from '../../src/kubernetes/errors.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { object, version } from '../unit/crds/comparison/definitions.ts'
import { integer, map, open, text } from '../unit/crds/comparison/schemas.ts'

type Schema = JSONSchema

const namedList = (type: string): Schema => ({
  type: 'array',
  items: text,
  ...(type !== '' && { 'x-kubernetes-list-type': type }),
})

/** One field of spec each: its schemas, a value that the change hurts, what is told, and whether unchanged values stay welcome. */
interface Case {
  id: string
  before: Schema
  after: Schema
  hurt: unknown
  safe: unknown
  /** refused when it is written again with another field of spec changed; undefined where nothing is ever refused */
  ratchets: boolean | undefined
}

const cases: Record<string, Case> = {
  kind: {
    id: 'crd.enum.value-removed',
    before: { ...text, enum: ['a', 'b'] },
    after: { ...text, enum: ['a'] },
    hurt: 'b',
    safe: 'a',
    ratchets: true,
  },
  count: {
    id: 'crd.maximum.tightened',
    before: { ...integer, maximum: 9 },
    after: { ...integer, maximum: 5 },
    hurt: 7,
    safe: 5,
    ratchets: true,
  },
  label: {
    id: 'crd.pattern.added',
    before: text,
    after: { ...text, pattern: '^x' },
    hurt: 'y',
    safe: 'xy',
    ratchets: true,
  },
  mode: { id: 'crd.type.changed', before: text, after: integer, hurt: 'one', safe: undefined, ratchets: true },
  tags: {
    id: 'crd.list-type.to-unique',
    before: namedList(''),
    after: namedList('set'),
    hurt: ['a', 'a'],
    safe: ['a'],
    ratchets: true,
  },
  inner: {
    id: 'crd.required.added',
    before: object({ k: text, l: text }),
    after: object({ k: text, l: text }, { required: ['k'] }),
    hurt: { l: 'x' },
    safe: { k: 'x' },
    ratchets: true,
  },
  pod: {
    id: 'crd.embedded-resource.added',
    before: open,
    after: { ...open, 'x-kubernetes-embedded-resource': true },
    hurt: { kind: 'Pod' },
    safe: { apiVersion: 'v1', kind: 'Pod', metadata: {} },
    ratchets: false,
  },
  few: {
    id: 'crd.max-items.added',
    before: namedList(''),
    after: { ...namedList(''), maxItems: 1 },
    hurt: ['a', 'b'],
    safe: ['a'],
    ratchets: true,
  },
  some: {
    id: 'crd.min-properties.added',
    before: object({ k: text }),
    after: object({ k: text }, { minProperties: 1 }),
    hurt: {},
    safe: { k: 'x' },
    ratchets: true,
  },
  choice: {
    id: 'crd.any-of.added',
    before: text,
    after: { ...text, anyOf: [{ enum: ['a'] }, { minLength: 3 }] },
    hurt: 'b',
    safe: 'a',
    ratchets: true,
  },
  ban: {
    id: 'crd.not.added',
    before: text,
    after: { ...text, not: { enum: ['b'] } },
    hurt: 'b',
    safe: 'a',
    ratchets: true,
  },
  both: {
    id: 'crd.all-of.branch-added',
    before: text,
    after: { ...text, allOf: [{ maxLength: 1 }] },
    hurt: 'bb',
    safe: 'a',
    ratchets: true,
  },
  day: {
    id: 'crd.format.added',
    before: text,
    after: { ...text, format: 'date' },
    hurt: 'today',
    safe: '2026-11-22',
    ratchets: true,
  },
  free: {
    id: 'crd.additional-properties.constrained',
    before: open,
    after: map,
    hurt: { k: 1 },
    safe: { k: 'x' },
    ratchets: true,
  },
  named: {
    id: 'crd.property.constrains-unknown',
    before: open,
    after: { ...open, properties: { k: text } },
    hurt: { k: 1 },
    safe: { k: 'x' },
    ratchets: true,
  },
  nil: {
    id: 'crd.nullable.removed',
    before: { ...text, nullable: true },
    after: text,
    hurt: null,
    safe: 'a',
    ratchets: true,
  },
  gone: {
    id: 'crd.property.removed',
    before: object({ k: text, l: text }),
    after: object({ k: text }),
    hurt: { l: 'x' },
    safe: { k: 'x' },
    ratchets: undefined,
  },
}

/** With the one that has no spec at all, and the one that no change is about. */
const all = Object.values(cases).reduce((count, { safe }) => count + (safe === undefined ? 1 : 2), 2)

const fields = (side: 'before' | 'after') =>
  object({ ...Object.fromEntries(Object.entries(cases).map(([name, entry]) => [name, entry[side]])), note: text })

const rootOf = (side: 'before' | 'after') =>
  object({ spec: fields(side) }, side === 'after' ? { required: ['spec'] } : {})

function definitionOf(side: 'before' | 'after', plural = 'gadgets'): CustomResourceDefinition {
  const [first = '', ...rest] = plural.slice(0, -1)
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.io` },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: { plural, kind: [first.toUpperCase(), ...rest].join('') },
      versions: [version('v1', { root: rootOf(side), storage: true })],
    },
  }
}

const MODEL = { apiVersion: 'example.io/v1', kind: 'Gadget' }
const model = (name: string, spec: object): AnyObject => ({ ...MODEL, metadata: { name, namespace: 'default' }, spec })
const [before, after] = [definitionOf('before'), definitionOf('after')]
const compared = (profile: Comparison['profile'] = 'kubernetes') =>
  compare(before, after, { profile, context: { today: '2026-11-22' } })

async function establish(client: KubernetesClient, crd: CustomResourceDefinition): Promise<void> {
  await client.apply(crd, { force: true })
  await eventually(async () => {
    const live = await client.get<CustomResourceDefinition>({ ...crd, name: crd.metadata.name })
    const established = live.status?.conditions?.find(({ type }) => type === 'Established')
    return established?.status === 'True'
  })
}

const findingOf = (comparison: Comparison, name: string): Finding | undefined =>
  comparison.upgrade.find(({ id, path }) => id === cases[name]?.id && path.startsWith(`^.spec.${name}`))

// From 1.30 on unchanged values are let be; 1.36 is the newest.
describe.each(['1.30', '1.36'])('Kubernetes %s', (kubernetes) => {
  describe.skipIf(!clusterTestsPossible(kubernetes).possible)('evidence', () => {
    let cluster: ControlPlane
    let comparison: Comparison

    beforeAll(async () => {
      cluster = await startControlPlane({ kubernetes })
      await establish(cluster.client, before)
      await eventually(() => cluster.client.create(model('plain', { note: 'nothing else' })))
      const { spec: _, ...bare } = model('bare', {})
      await cluster.client.create(bare)
      for (const [name, { hurt, safe }] of Object.entries(cases)) {
        await cluster.client.create(model(`hurt-${name}`, { note: 'old', [name]: hurt }))
        if (safe !== undefined) await cluster.client.create(model(`safe-${name}`, { note: 'old', [name]: safe }))
      }
      comparison = await gatherEvidence(cluster.client, compared(), { before, after })
    })
    afterAll(async () => cluster?.stop())

    test.each(Object.keys(cases))('%s: just the object that is hurt is named', (name) => {
      const finding = findingOf(comparison, name)
      expect(finding?.live).toMatchObject({
        checked: all,
        affected: 1,
        offenders: [{ namespace: 'default', name: `hurt-${name}`, field: expect.stringMatching(`^spec.${name}`) }],
        ratchets: cases[name]?.ratchets ?? false,
        levelBefore: 'error',
      })
      expect(finding?.level).toBe('error')
    })

    test('what is missing at the root never ratchets: a write always changes the metadata', () => {
      const root = comparison.upgrade.find(({ path }) => path === '^.spec')
      expect(root).toMatchObject({ id: 'crd.required.added', live: { affected: 1, ratchets: false } })
      expect(root?.live?.offenders).toMatchObject([{ name: 'bare', field: 'spec' }])
    })

    test('the cluster and its word on the new definition', () => {
      expect(comparison.live).toEqual({
        kubernetes,
        objects: all,
        direction: 'upgrade',
        dryRun: { outcome: 'accepted' },
        users: [],
      })
    })

    test('a definition that the API server refuses is refused as a dry run, with the field', async () => {
      const broken = {
        ...after,
        spec: { ...after.spec, versions: [version('v1', { spec: { type: 'array' }, storage: true })] },
      }
      const { live } = await gatherEvidence(cluster.client, compared(), { before, after: broken })
      expect(live?.dryRun).toMatchObject({
        outcome: 'refused',
        causes: [{ field: expect.stringContaining('openAPIV3Schema') }],
      })
    })

    test('who cannot read is told so', async () => {
      const stranger = await connect({ kubeconfig: await cluster.kubeconfigFor({ name: 'stranger' }) }, { env: {} })
      const { live, upgrade } = await gatherEvidence(stranger, compared(), { before, after })
      await stranger.close()
      expect(live).toMatchObject({
        objects: 0,
        dryRun: { outcome: 'unknown' },
        unread: [{ why: expect.stringContaining('cannot get') }],
      })
      expect(upgrade.map(({ level }) => level)).toEqual(compared().upgrade.map(({ level }) => level))
    })

    test('a version that goes: managers, kubectl apply and requests', async () => {
      const { client } = cluster
      const [one, two] = ['v1alpha1', 'v1'].map((name) =>
        version(name, { spec: object({ x: text }), storage: name === 'v1' }),
      )
      if (one === undefined || two === undefined) throw new Error('there are two')
      const old = {
        ...definitionOf('before', 'widgets'),
        spec: { ...definitionOf('before', 'widgets').spec, versions: [one, two] },
      }
      const next = { ...old, spec: { ...old.spec, versions: [{ ...one, served: false }, two] } }
      await establish(client, old)
      const widget = (name: string, apiVersion: string): AnyObject => ({
        apiVersion,
        kind: 'Widget',
        metadata: { name, namespace: 'default' },
        spec: { x: 'a' },
      })
      await eventually(() => client.create(widget('a', 'example.io/v1alpha1'), { fieldManager: 'helm' }))
      const manifest = widget('b', 'example.io/v1alpha1')
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(manifest) }
      await client.create({ ...widget('b', 'example.io/v1'), metadata: { ...manifest.metadata, annotations } })
      await client.create(widget('c', 'example.io/v1'))
      const options = { profile: 'kubernetes', context: { today: '2026-11-22' } } as const
      const { live, upgrade } = await gatherEvidence(client, compare(old, next, options), { before: old, after: next })
      expect(live?.users).toEqual([
        {
          version: 'v1alpha1',
          users: [
            { manager: 'kubectl-client-side-apply', via: 'last-applied', objects: 1, example: 'default/b' },
            { manager: 'helm', via: 'managedFields', objects: 1, example: 'default/a' },
          ],
          requests: expect.any(Number),
        },
      ])
      expect(live?.users[0]?.requests).toBeGreaterThan(0)
      const unserved = upgrade.find(({ id }) => id === 'crd.version.unserved')
      expect(unserved).toMatchObject({ level: 'error', live: { checked: 3, affected: 2 } })
    })

    // Last: the definition is really changed.
    test('the API server then does as was said', async () => {
      const { client } = cluster
      await establish(client, after)
      const write = async (name: string, spec: object): Promise<string> => {
        try {
          await client.patch({ ...MODEL, namespace: 'default', name }, { spec }, { type: 'merge' })
          return 'accepted'
        } catch (error) {
          if (error instanceof ApiError && error.code === 422) return 'refused'
          throw error
        }
      }
      const probe = model('probe', { kind: 'b' })
      await eventually(() =>
        client.create(probe, { dryRun: true }).then(
          () => false,
          (error: unknown) => error instanceof ApiError && error.code === 422,
        ),
      )
      const gone = await client.get<AnyObject>({ ...MODEL, namespace: 'default', name: 'hurt-gone' })
      expect(gone['spec']).toEqual({ note: 'old', gone: {} })
      const written = new Map<string, string>()
      for (const [name, { safe }] of Object.entries(cases)) {
        written.set(`hurt-${name}`, await write(`hurt-${name}`, { note: 'new' }))
        if (safe !== undefined) written.set(`safe-${name}`, await write(`safe-${name}`, { note: 'new' }))
      }
      const refused = [...written].filter(([, outcome]) => outcome === 'refused').map(([name]) => name)
      const stuck = Object.entries(cases).filter(([, { ratchets }]) => ratchets === false)
      expect(refused).toEqual(stuck.map(([name]) => `hurt-${name}`))
      const labelled = client.patch(
        { ...MODEL, namespace: 'default', name: 'bare' },
        { metadata: { labels: { a: 'b' } } },
        { type: 'merge' },
      )
      await expect(labelled).rejects.toMatchObject({ code: 422 })
      const tags = (more: string[]) => write('hurt-tags', { tags: ['a', 'a', ...more] })
      expect(await tags(['b']), 'duplicates stay welcome though the list has changed').toBe('accepted')
    })

    test('on the newer definition the way back has the evidence', async () => {
      const { live, upgrade, rollback } = await gatherEvidence(cluster.client, compared(), { before, after })
      expect(live?.direction).toBe('rollback')
      expect(upgrade.some((finding) => finding.live !== undefined)).toBe(false)
      expect(rollback.some((finding) => finding.live !== undefined)).toBe(true)
    })
  })
})
