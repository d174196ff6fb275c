/** Definitions that others write while their objects are moved: what has to end a migration, and what must not. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { storageVersionOf } from '../../src/crds/versions.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { issueServingCertificates } from '../../src/playground/standins/certificates.ts'
import { migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { changeRequest } from '../support/change-request.ts'
import { clusterTestsPossible } from '../support/control-plane.ts'
import { planned, ran, usual } from '../support/migrate-stories.ts'
import { definitionKind, KeptCheckpoints, MovingKind } from '../support/migrating.ts'
import { isTrim, isWrite, proxiedCluster } from '../support/proxied-cluster.ts'

type Spec = CustomResourceDefinition['spec']

/** A conversion webhook that changes nothing but the version, and who vouches for it. */
const startConverter = async (): Promise<{ server: Server; url: string; authority: string }> => {
  const certificates = issueServingCertificates('localhost', new Date())
  const server = createServer({ key: certificates['tls.key'], cert: certificates['tls.crt'] }, (incoming, answer) => {
    void text(incoming).then((body) => {
      const { request } = JSON.parse(body) as {
        request: { uid: string; desiredAPIVersion: string; objects: AnyObject[] }
      }
      const convertedObjects = request.objects.map((object) => ({ ...object, apiVersion: request.desiredAPIVersion }))
      const response = { uid: request.uid, convertedObjects, result: { status: 'Success' } }
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}/convert`
  return { server, url, authority: certificates['ca.crt'] }
}

describe.skipIf(!clusterTestsPossible().possible)('a definition that others write meanwhile', () => {
  const at = proxiedCluster()
  /** what the API server did not let the others do */
  const refused: unknown[] = []
  afterEach(() => {
    if (refused.length > 0) throw new AggregateError(refused.splice(0), 'the API server refused what others write')
  })

  /** Does something before each of these writes is passed on, numbered from 1, and before the first trim. */
  const before = (places: readonly number[], act: (place: number | 'trim') => unknown): void => {
    let [writes, trims] = [0, 0]
    const noted = async (place: number | 'trim'): Promise<void> => {
      try {
        await act(place)
      } catch (error) {
        refused.push(error)
      }
    }
    at.proxy.fault = async (request) => {
      if (isTrim(request) && ++trims === 1) await noted('trim')
      if (!isWrite(request)) return undefined
      const number = ++writes
      if (places.includes(number)) await noted(number)
      return undefined
    }
  }
  const print = (kind: MovingKind, name: string): Promise<void> =>
    kind.change(({ spec }) => {
      const column = { name, type: 'string', jsonPath: '.spec.size' }
      for (const version of spec.versions) version['additionalPrinterColumns'] = [column]
    })
  const generation = async (kind: MovingKind): Promise<number> => (await kind.read()).metadata.generation ?? 0

  const harmless: [string, string, (kind: MovingKind, place: string) => unknown][] = [
    ['what is printed', 'printeds', (kind, place) => print(kind, `Size${place}`)],
    [
      'short names and categories',
      'shorts',
      (kind, place) =>
        kind.change(({ spec: { names } }) =>
          Object.assign(names, { shortNames: [`s${place}`], categories: [`c${place}`] }),
        ),
    ],
    [
      'a deprecation',
      'deprecateds',
      (kind, place) =>
        kind.change(({ spec: { versions } }) => {
          Object.assign(versions[0] ?? {}, { deprecated: true, deprecationWarning: `old, ${place}` })
        }),
    ],
  ]
  test.each(harmless)('%s, again and again: it goes on, and its proof stands', async (_what, plural, change) => {
    const moving = await at.old(plural, 60)
    const first = await generation(moving)
    before([5, 30, 55, 70, 110], (place) => change(moving, String(place)))
    const result = await at.migrate(moving)
    expect(result).toMatchObject({
      outcome: 'migrated',
      proof: { objects: 60 },
      after: { storedVersions: ['v1beta1'] },
    })
    expect(result.passes.reduce((sum, { rewritten }) => sum + rewritten, 0)).toBe(60)
    // One change each, the one before the trim as well.
    expect(await generation(moving)).toBe(first + 6)
    expect(await moving.stored()).toEqual({ v1beta1: 60 })
    expect(await moving.storedVersions()).toEqual(['v1beta1'])
  })

  test('labels and annotations: it goes on', async () => {
    const moving = await at.old('annotateds', 30)
    before([5, 25, 40], (place) => {
      const body = { metadata: { annotations: { 'example.com/place': String(place) } } }
      return at.cluster.client.patch({ ...definitionKind, name: moving.name }, body, { type: 'merge' })
    })
    expect(await at.migrate(moving)).toMatchObject({ outcome: 'migrated' })
  })

  test('the authority of its conversion webhook: it goes on', async () => {
    const { server, url, authority } = await startConverter()
    try {
      const moving = await (await new MovingKind(at.cluster, 'converteds').define()).write('w', 60)
      const bundle = (): string => {
        const another = issueServingCertificates('localhost', new Date())['ca.crt']
        return Buffer.from(`${authority}${another}`).toString('base64')
      }
      const inject = (): Promise<void> =>
        moving.change(({ spec }) => {
          const clientConfig = { url, caBundle: bundle() }
          spec.conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
        })
      await inject()
      await moving.flip()
      const first = await generation(moving)
      before([10, 40, 80], inject)
      expect(await at.migrate(moving)).toMatchObject({ outcome: 'migrated', proof: { objects: 60 } })
      expect(await generation(moving)).toBe(first + 4)
      expect(await moving.stored()).toEqual({ v1beta1: 60 })
      expect(await moving.storedVersions()).toEqual(['v1beta1'])
    } finally {
      server.close()
    }
  })

  const decisive: [string, string, (spec: Spec) => unknown][] = [
    [
      'a schema',
      'schematas',
      ({ versions }) => {
        const root = versions[0]?.schema?.openAPIV3Schema?.['properties'] as Record<string, unknown> | undefined
        Object.assign(root ?? {}, { colour: { type: 'string' } })
      },
    ],
    [
      'a version that is not served any more',
      'unserveds',
      ({ versions }) => Object.assign(versions[0] ?? {}, { served: false }),
    ],
    [
      'a version more',
      'extendeds',
      ({ versions }) => {
        const [version] = versions
        if (version) versions.push({ ...version, name: 'v1', storage: false })
      },
    ],
  ]
  test.each(decisive)('%s: it ends, and nothing is trimmed; begun again it is done', async (_what, plural, change) => {
    const moving = await at.old(plural, 40)
    before([20], () => moving.change(({ spec }) => void change(spec)))
    const result = await at.migrate(moving)
    expect(result).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringContaining('in what decides how objects are stored'),
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(await moving.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
    at.proxy.fault = () => undefined
    expect(await at.migrate(moving)).toMatchObject({ outcome: 'migrated' })
  })

  test('while nobody works on it: one change of what is printed keeps what was done, two begin anew', async () => {
    const moving = await at.old('resumeds', 1_010)
    const checkpoints = new KeptCheckpoints()
    const stopAt = async (writes: number): Promise<void> => {
      const control = new AbortController()
      before([writes], () => control.abort(new Error('stopped')))
      await expect(at.migrate(moving, { checkpoints, signal: control.signal })).rejects.toThrow('stopped')
      at.proxy.fault = () => undefined
    }
    await stopAt(600)
    expect(checkpoints.saved.at(-1)?.place?.counts).toMatchObject({ rewritten: 500 })
    await print(moving, 'One')
    await stopAt(300)
    expect(checkpoints.saved.at(-1)).toMatchObject({
      generation: await generation(moving),
      passes: [],
      place: { counts: { rewritten: 500 } },
    })
    await print(moving, 'Two')
    await print(moving, 'Three')
    const result = await at.migrate(moving, { checkpoints })
    expect(result).toMatchObject({ outcome: 'migrated', notes: [expect.stringContaining('changed 2 times')] })
    expect(await moving.stored()).toEqual({ v1beta1: 1_010 })
  })

  test('whoever keeps it by server-side apply is named in the plan, and does set the storage version back', async () => {
    const moving = await (await new MovingKind(at.cluster, 'synceds').define()).write('w', 2)
    const { apiVersion, kind, spec } = await moving.read()
    const source = { apiVersion, kind, metadata: { name: moving.name }, spec }
    const sync = (force: boolean): Promise<unknown> =>
      at.cluster.client.apply(source, { fieldManager: 'kustomize-controller', force })
    await sync(false)
    const request = changeRequest(at.cluster)
    const options = { ...usual, storage: { [moving.name]: 'v1beta1' } }
    const { plan } = planned(await migrateDefinitions(request, { ...options, dryRun: true }))
    expect(plan.notes.join(' ')).toMatch(/belongs to .*kustomize-controller \(server-side apply\)/)
    ran(await migrateDefinitions(request, options))
    expect(await moving.stored()).toEqual({ v1beta1: 2 })
    await expect(sync(false)).rejects.toMatchObject({ code: 409 })
    await sync(true)
    expect(storageVersionOf(await moving.read())).toBe('v1alpha1')
  })
})
