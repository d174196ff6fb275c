/** Provider configs rewritten and restored, as the API server sees it. */
import { describe, expect, it } from 'vitest'
import type { KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import type { ProviderConfigChanges } from '../../../src/releases/release.types.ts'
import { restore } from '../../../src/steps/restore.ts'
import { rewrite } from '../../../src/steps/rewrite.ts'
import { type StepContext, StepFailed } from '../../../src/steps/step.types.ts'
import { stage } from '../kubernetes/story.ts'
import { type Seen, status } from '../kubernetes/tls-server.ts'

const on = stage()
const collection = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'InferenceProviderConfig' }
const resources = [
  { name: 'inferenceproviderconfigs', kind: collection.kind, namespaced: false, verbs: ['get', 'list', 'update'] },
]
const changes: ProviderConfigChanges = {
  itemsToObjects: [{ field: 'spec.capabilities.engines', key: 'name', copied: ['gpuSupport'] }],
  toAnnotations: [],
}
const config = (resourceVersion: string, capabilities: object): AnyObject => ({
  ...collection,
  metadata: { name: 'acme', uid: 'u1', resourceVersion },
  spec: { capabilities },
})
const saved = config('1', { engines: ['vllm'], gpuSupport: true })
const pruned = (resourceVersion: string): AnyObject => config(resourceVersion, { engines: ['vllm'] })

/** A cluster with one config, which is at `now` when it is listed. */
const cluster = async (
  now: AnyObject,
  onPut: (put: AnyObject, attempt: number) => ReturnType<typeof status> | object,
) => {
  let live = now
  let attempt = 0
  const started = await on.start(({ method, url, body }) => {
    if (url.pathname === '/apis/kubeairunway.ai/v1alpha1') return { body: { kind: 'APIResourceList', resources } }
    if (method === 'GET' && url.pathname.endsWith('s')) return { body: { ...collection, metadata: {}, items: [live] } }
    if (method === 'GET') return { body: live }
    const answer = onPut(JSON.parse(body) as AnyObject, ++attempt)
    return 'status' in answer ? answer : { body: answer }
  })
  return { ...started, moveTo: (next: AnyObject) => (live = next) }
}

const contextOf = (client: KubernetesClient): StepContext => ({
  client,
  run: 1,
  signal: new AbortController().signal,
  now: () => new Date(),
  report: () => undefined,
  keep: async () => undefined,
  kept: async <T>() =>
    ({
      takenAt: '',
      objects: [],
      absent: [],
      collections: { 'kubeairunway.ai/v1alpha1 InferenceProviderConfig': [saved] },
    }) as T,
})

const puts = (requests: Seen[]): AnyObject[] =>
  requests.filter(({ method }) => method === 'PUT').map(({ body }) => JSON.parse(body) as AnyObject)

describe('rewrite', () => {
  const step = { id: '1', title: '', kind: 'rewrite', collection, changes } as const

  it('writes on the version that it has read, and reads again after a conflict', async () => {
    const { server, client, moveTo } = await cluster(pruned('7'), (put, attempt) => {
      if (attempt > 1) return put
      // the heartbeat of a shim that is not stopped
      moveTo(pruned('8'))
      return status(409, 'Conflict', 'the object has been modified')
    })
    expect(await rewrite(step, contextOf(client))).toEqual({ rewritten: ['acme'], unchanged: 0 })
    expect(puts(server.requests).map(({ metadata }) => [metadata.uid, metadata.resourceVersion])).toEqual([
      ['u1', '7'],
      ['u1', '8'],
    ])
    expect(puts(server.requests).at(-1)?.['spec']).toEqual({
      capabilities: { engines: [{ name: 'vllm', gpuSupport: true }] },
    })
  })

  it('writes nothing a second time', async () => {
    const done = config('9', { engines: [{ name: 'vllm', gpuSupport: true }] })
    const { server, client } = await cluster(done, (put) => put)
    expect(await rewrite(step, contextOf(client))).toEqual({ rewritten: [], unchanged: 1 })
    expect(puts(server.requests)).toEqual([])
  })

  it('stops where the form is refused, and names the object', async () => {
    const { client } = await cluster(pruned('7'), () => status(422, 'Invalid', 'unsupported value: "own"'))
    const error = await rewrite(step, contextOf(client)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StepFailed)
    expect(String(error)).toMatch(/acme is not accepted in its new form: .*unsupported value/)
  })

  it('stops before an object of which nobody knows what is hidden', async () => {
    const stranger = { ...pruned('7'), metadata: { name: 'late', uid: 'u2', resourceVersion: '7' } }
    const { server, client } = await cluster(stranger, (put) => put)
    await expect(rewrite(step, contextOf(client))).rejects.toThrow('late was made after the back-up')
    expect(puts(server.requests)).toEqual([])
  })
})

describe('restore', () => {
  const step = { id: '1', title: '', kind: 'restore', collection, changes } as const

  it('writes the spec of the back-up on the version that is there', async () => {
    const { server, client } = await cluster(config('9', { engines: [{}] }), (put) => put)
    expect(await restore({ ...step, objects: [saved] }, contextOf(client))).toEqual({
      restored: ['acme'],
      unchanged: 0,
    })
    expect(puts(server.requests)).toMatchObject([{ metadata: { resourceVersion: '9' }, spec: saved['spec'] }])
  })

  it('empties what nobody can read any more, and names it', async () => {
    const live = { ...config('9', { engines: [{}] }), metadata: { name: 'late', uid: 'u2', resourceVersion: '9' } }
    const { server, client } = await cluster(live, (put) => put)
    expect(await restore({ ...step, objects: [] }, contextOf(client))).toMatchObject({ incomplete: ['late'] })
    expect(puts(server.requests)).toMatchObject([{ spec: { capabilities: { engines: [] } } }])
  })
})
