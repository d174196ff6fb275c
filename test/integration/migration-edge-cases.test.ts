/** What may come between a migration and its end, one by one, on a real API server or through a proxy before it. */
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/kubernetes/connect.ts'
import type { CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { denialsOf } from '../../src/migration/denials.ts'
import { survey } from '../../src/migration/survey.ts'
import { migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { changeRequest } from '../support/change-request.ts'
import { clusterTestsPossible, eventually } from '../support/control-plane.ts'
import { type ProxyFault, statusBody } from '../support/fault-proxy.ts'
import { ran, refusal, usual } from '../support/migrate-stories.ts'
import { definitionKind, group, MovingKind } from '../support/migrating.ts'
import { MutatingWebhook } from '../support/mutating.ts'
import { isPage, isTrim, isWrite, proxiedCluster } from '../support/proxied-cluster.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of edge cases are skipped: ${reason}\n`)

describe.skipIf(!possible)('a migration where', () => {
  const at = proxiedCluster()
  /** Every third object's first write is answered so. */
  const faulty = (fault: ProxyFault): Set<string> => {
    const seen = new Set<string>()
    at.proxy.fault = (request) => {
      const [, number = '1'] = /w-(\d+)$/.exec(request.path) ?? []
      if (!isWrite(request) || seen.has(request.path) || Number(number) % 3 !== 0) return undefined
      seen.add(request.path)
      return fault
    }
    return seen
  }

  test('an object is deleted and made again between the list and its write', async () => {
    const again = await at.old('agains', 30)
    let done = false
    at.proxy.fault = async (request) => {
      if (!isWrite(request) || done) return undefined
      done = true
      await at.cluster.client.delete(again.reference('w-29'))
      const { apiVersion, kind, ...metadata } = again.reference('w-29')
      await at.cluster.client.create({ apiVersion, kind, metadata })
      return undefined
    }
    const { outcome, passes } = await at.migrate(again)
    expect(outcome).toBe('migrated')
    expect(passes[0]).toMatchObject({ failed: 0, gone: 0, unchanged: 1, rewritten: 29 })
    expect(await again.stored()).toEqual({ v1beta1: 30 })
  })

  test('an object is terminating, held by a finalizer: it is written like others', async () => {
    const held = await at.old('helds', 5)
    const ref = held.reference('w-2')
    await at.cluster.client.patch(ref, { metadata: { finalizers: ['example.com/stay'] } }, { type: 'merge' })
    await at.cluster.client.delete(ref)
    await held.storeOld('w-2')
    expect(await at.migrate(held)).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 5 }, { unchanged: 5 }] })
    expect(await held.stored()).toEqual({ v1beta1: 5 })
    expect((await at.cluster.client.get(ref)).metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      finalizers: ['example.com/stay'],
    })
    await at.cluster.client.patch(ref, { metadata: { finalizers: null } }, { type: 'merge' })
    await eventually(async () => (await at.cluster.client.find(ref)) === undefined)
  })

  test('the namespace of an object is terminating', async () => {
    const ending = await new MovingKind(at.cluster, 'endings').define()
    const name = 'ending'
    await at.cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const ref = { ...ending.reference('w'), namespace: name }
    const { apiVersion, kind } = ref
    const metadata = { name: 'w', namespace: name, finalizers: ['example.com/stay'] }
    await eventually(() => at.cluster.client.create({ apiVersion, kind, metadata }))
    await at.cluster.client.delete({ apiVersion: 'v1', kind: 'Namespace', name })
    await eventually(async () => (await at.cluster.client.get(ref)).metadata.deletionTimestamp !== undefined)
    await ending.flip()
    expect(await at.migrate(ending)).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 1 }, { unchanged: 1 }],
    })
    expect(await ending.stored()).toEqual({ v1beta1: 1 })
    await at.cluster.client.patch(ref, { metadata: { finalizers: null } }, { type: 'merge' })
    await eventually(async () => (await at.cluster.client.find(ref)) === undefined)
  })

  test.each<[string, string, ProxyFault]>([
    ['a conflict', 'conflicts', { status: 409, body: statusBody(409, 'the object has been modified') }],
    ['a 500', 'errors', { status: 500, body: statusBody(500, 'etcdserver: request timed out') }],
    ['a 503', 'absents', { status: 503, body: statusBody(503, 'apiserver is shutting down') }],
    ['a 504', 'timeouts', { status: 504, body: statusBody(504, 'the server was unable to return a response in time') }],
    ['a connection that breaks', 'breaks', 'lost'],
    ['an answer that is lost', 'losts', 'carried out and lost'],
  ])('%s answers some of the writes: they are asked again, and each object counts once', async (_, plural, fault) => {
    const some = await at.old(plural, 60)
    const failed = faulty(fault)
    const result = await at.migrate(some)
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [
        { rewritten: 60, unchanged: 0, failed: 0, gone: 0 },
        { rewritten: 0, unchanged: 60 },
      ],
    })
    expect(failed.size).toBe(20)
    expect(await some.stored()).toEqual({ v1beta1: 60 })
  })

  test('the conversion webhook fails for a while: one write at a time asks whether it is back', async () => {
    const converting = await at.old('convertings', 60)
    const message = `conversion webhook for ${group}/v1alpha1, Kind=CONVERTINGS failed: connection refused`
    let failed = 0
    let open = 0
    let most = 0
    at.proxy.fault = async (request) => {
      if (!isWrite(request) || failed >= 9) return undefined
      failed += 1
      // By then it has noticed, and those that were on their way before are answered.
      if (failed > 8) most = Math.max(most, ++open)
      // As long as a webhook takes that does not answer at once.
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (failed > 8) open -= 1
      return { status: 500, body: statusBody(500, message) }
    }
    expect(await at.migrate(converting)).toMatchObject({
      outcome: 'migrated',
      passes: [{ rewritten: 60, failed: 0 }, { unchanged: 60 }],
    })
    expect(most).toBe(1)
    expect(await converting.stored()).toEqual({ v1beta1: 60 })
  })

  test('the user may not write: it stops at once and names the right', async () => {
    const guarded = await at.old('guardeds', 40)
    const name = 'reader-only'
    const user = await connect({ kubeconfig: await at.cluster.kubeconfigFor({ name }) }, { env: {} })
    try {
      await mayRead(name, guarded)
      await eventually(() => user.list({ apiVersion: `${group}/v1beta1`, kind: guarded.kind }))
      const result = await at.migrate(guarded, {}, { by: user })
      expect(result).toMatchObject({
        outcome: 'failures left',
        stopped: 'forbidden',
        reason: expect.stringContaining('cannot patch resource "guardeds"'),
        after: { storedVersions: ['v1alpha1', 'v1beta1'] },
      })
      expect(result.passes[0]?.rewritten ?? 0).toBe(0)
      expect(await guarded.stored()).toEqual({ v1alpha1: 40 })
    } finally {
      await user.close()
    }
  })

  /** All that a migration needs but to write the objects. */
  const mayRead = async (name: string, { plural }: MovingKind): Promise<void> => {
    const api = 'rbac.authorization.k8s.io/v1'
    const crds = ['customresourcedefinitions', 'customresourcedefinitions/status']
    await at.cluster.client.create({
      apiVersion: api,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [group], resources: [plural], verbs: ['list', 'get'] },
        { apiGroups: ['apiextensions.k8s.io'], resources: crds, verbs: ['get', 'list', 'watch', 'patch'] },
      ],
    })
    await at.cluster.client.create({
      apiVersion: api,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    })
  }

  test('the definition is being deleted, before or meanwhile', async () => {
    const dying = await at.old('dyings', 60)
    const hold = (finalizers: string[]): Promise<void> =>
      dying.change(({ metadata }) => void (metadata.finalizers = finalizers))
    await hold(['example.com/stay'])
    let writes = 0
    at.proxy.fault = async (request) => {
      if (isWrite(request) && ++writes === 10) await at.cluster.client.delete({ ...definitionKind, name: dying.name })
      return undefined
    }
    expect(await at.migrate(dying)).toMatchObject({
      outcome: 'changed meanwhile',
      reason: expect.stringContaining('is being deleted'),
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    const { definitions } = await survey(at.cluster.client, [dying.name])
    expect(definitions[0]?.blockers).toMatchObject([{ kind: 'terminating' }])
    const refused = await refusal(migrateDefinitions(changeRequest(at.cluster), { ...usual, names: [dying.name] }))
    expect(refused.why).toContain('is being deleted')
    await eventually(async () => {
      await hold([])
      return true
    })
  })

  test.each<[string, string, ProxyFault]>([
    ['the store', 'bigs', { status: 500, body: statusBody(500, 'etcdserver: request is too large') }],
    ['the API server', 'larges', { status: 413, body: statusBody(413, 'limit is 3145728') }],
  ])('an object is too large for %s: it is named, and nothing is trimmed', async (_, plural, fault) => {
    const big = await at.old(plural, 12)
    at.proxy.fault = (request) => (isWrite(request) && request.path.endsWith('/w-7') ? fault : undefined)
    const result = await at.migrate(big)
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('1 by too-large'),
      after: { storedVersions: ['v1alpha1', 'v1beta1'] },
    })
    expect(result.passes[0]).toMatchObject({
      rewritten: 11,
      failed: 1,
      failures: [{ name: 'w-7', cause: 'too-large' }],
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
  })

  /** Another schema for v1beta1's spec. */
  const withSchema = (kind: MovingKind, size: Record<string, unknown>): Promise<void> =>
    kind.change(({ spec }) => {
      for (const { name, schema } of spec.versions) {
        const root = schema?.openAPIV3Schema as { properties: { spec: { properties: Record<string, unknown> } } }
        if (name === 'v1beta1') root.properties.spec.properties['size'] = { type: 'string', ...size }
      }
    })

  test('the storage version would refuse objects, which the API server lets pass as long as nothing changes', async () => {
    const ratcheted = await at.old('ratcheteds', 5)
    await withSchema(ratcheted, { enum: ['s'] })
    await eventually(async () => {
      const write = { spec: { size: 'm' } }
      return at.cluster.client.patch(ratcheted.reference('w-0'), write, { type: 'merge', dryRun: true }).then(
        () => false,
        (error: Error) => error.message.includes('Unsupported value'),
      )
    })
    expect(await at.migrate(ratcheted)).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 5 }, {}] })
    expect(await ratcheted.stored()).toEqual({ v1beta1: 5 })
  })

  test('a rule refuses even a write that changes nothing: the field is named before and after', async () => {
    const ruled = await at.old('ruleds', 5)
    await withSchema(ruled, { 'x-kubernetes-validations': [{ rule: 'self != oldSelf', message: 'has to change' }] })
    const denials = await eventually(async () => {
      const found = await denialsOf(at.cluster.client, await ruled.target())
      return found.groups.length > 0 && found
    })
    expect(denials.groups).toMatchObject([{ cause: 'schema', subject: 'spec.size', objects: 5 }])
    const result = await at.migrate(ruled)
    expect(result).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('5 by schema spec.size'),
      passes: [{ failed: 5 }],
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(await ruled.stored()).toEqual({ v1alpha1: 5 })
  })

  test('a mutating webhook changes objects as they are written: that is told', async () => {
    const mutated = await at.old('mutateds', 20)
    await using webhook = await MutatingWebhook.start(at.cluster, mutated)
    webhook.patch = ({ name }) =>
      name === 'w-3' || name === 'w-4' ? [{ op: 'replace', path: '/spec/size', value: 'xl' }] : []
    const result = await at.migrate(mutated)
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [
        { rewritten: 20, altered: 2 },
        { unchanged: 20, altered: 0 },
      ],
      notes: [expect.stringContaining('2 objects were changed by the rewrite')],
    })
    expect((await at.cluster.client.get(mutated.reference('w-3'))).metadata.generation).toBe(2)
    expect((await at.cluster.client.get(mutated.reference('w-5'))).metadata.generation).toBe(1)
  })

  test('a mutating webhook changes objects with each write: nothing is proved, and nothing trimmed', async () => {
    const restless = await at.old('restlesses', 10)
    await using webhook = await MutatingWebhook.start(at.cluster, restless)
    let count = 0
    webhook.patch = () => [{ op: 'add', path: '/metadata/labels', value: { count: String(++count) } }]
    expect(await at.migrate(restless)).toMatchObject({
      outcome: 'failures left',
      reason: expect.stringContaining('a mutating webhook or another controller'),
    })
    expect(at.proxy.requests.filter(isTrim)).toEqual([])
    expect(await restless.storedVersions()).toEqual(['v1alpha1', 'v1beta1'])
  })

  test('storedVersions names a version that the spec lacks: nobody can change the spec until it is trimmed', async () => {
    const stale = await at.old('stales', 4)
    await stale.claim(['v0', 'v1alpha1', 'v1beta1'])
    const rename = (): Promise<void> => stale.change(({ spec }) => void (spec.names.shortNames = ['st']))
    await expect(rename()).rejects.toThrow('v0')
    const request = changeRequest(at.cluster)
    const refused = await refusal(migrateDefinitions(request, { ...usual, names: [stale.name] }))
    expect(refused.why).toContain('v0, which its spec lacks')
    ran(await migrateDefinitions(request, { ...usual, names: [stale.name], repairUnreadable: true }))
    expect(await stale.stored()).toEqual({ v1beta1: 4 })
    expect(await stale.storedVersions()).toEqual(['v1beta1'])
    await rename()
    expect((await stale.read()).spec.names.shortNames).toEqual(['st'])
  })

  test('somebody applies manifests in the old version: who, and how many objects, is told before', async () => {
    const applied = await at.old('applieds', 3)
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
    const last = JSON.stringify({ apiVersion: `${group}/v1alpha1`, kind: applied.kind })
    for (const name of ['w-0', 'w-1'])
      await at.cluster.client.patch(
        applied.reference(name),
        { metadata: { annotations: { [annotation]: last } } },
        { type: 'merge' },
      )
    const [found] = (await survey(at.cluster.client, [applied.name])).definitions
    const users = found?.users.find(({ version }) => version === 'v1alpha1')?.users
    expect(users).toContainEqual(expect.objectContaining({ via: 'last-applied', objects: 2, example: 'default/w-0' }))
  })

  test('there are many objects: pages of 500, one at a time, metadata alone', async () => {
    const many = await at.old('manies', 520)
    let open = 0
    let most = 0
    const pages: string[] = []
    at.proxy.fault = async (request) => {
      if (!isPage(request)) return undefined
      pages.push(request.query.get('limit') ?? '')
      most = Math.max(most, ++open)
      await new Promise((resolve) => setImmediate(resolve))
      open -= 1
      return undefined
    }
    expect(await at.migrate(many)).toMatchObject({ outcome: 'migrated', proof: { objects: 520 } })
    expect(pages).toEqual(Array.from({ length: 4 }, () => '500'))
    expect(most).toBe(1)
  })

  test('the definition has no status subresource: there is no second way for an object that is refused', async () => {
    const bare = await new MovingKind(at.cluster, 'bares').define()
    await bare.change(({ spec }: CustomResourceDefinition) => {
      for (const version of spec.versions) delete version.subresources
    })
    await bare.write('w', 3)
    await bare.flip()
    expect(await bare.target()).toMatchObject({ statusSubresource: false })
    const denied = statusBody(403, 'admission webhook "no.example.com" denied the request: no')
    at.proxy.fault = (request) => (isWrite(request) ? { status: 403, body: denied } : undefined)
    expect(await at.migrate(bare)).toMatchObject({ reason: expect.stringContaining('3 by webhook no.example.com') })
    expect(at.proxy.requests.filter(isWrite)).toHaveLength(3)
    at.proxy.fault = () => undefined
    expect(await at.migrate(bare)).toMatchObject({ outcome: 'migrated', passes: [{ rewritten: 3 }, { unchanged: 3 }] })
  })
})
