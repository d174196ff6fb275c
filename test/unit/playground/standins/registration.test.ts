/** A shim's registration, as the API server sees it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { KubernetesClient } from '../../../../src/kubernetes/client.types.ts'
import type { ShimProgram } from '../../../../src/playground/programs.ts'
import { programFor } from '../../../../src/playground/programs.ts'
import type { StandinContext } from '../../../../src/playground/standins/context.types.ts'
import { jsonLog } from '../../../../src/playground/standins/log.ts'
import { registerProvider } from '../../../../src/playground/standins/registration.ts'
import { traitsOf } from '../../../../src/playground/standins/traits.ts'
import { stage } from '../../kubernetes/story.ts'
import { type Seen, status } from '../../kubernetes/tls-server.ts'

const on = stage()
const resources = [
  { name: 'inferenceproviderconfigs', kind: 'InferenceProviderConfig', namespaced: false, verbs: ['get'] },
]
const found = {
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'InferenceProviderConfig',
  metadata: { name: 'kaito', resourceVersion: '7' },
  spec: { selectionRules: [{ condition: 'of another version' }] },
}

const shimOf = (image: string): ShimProgram => {
  const program = programFor(image)
  if (program?.kind !== 'shim') throw new Error('no shim')
  return program
}

describe('a shim', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const registering = (client: KubernetesClient) => {
    const lines: string[] = []
    const stop = new AbortController()
    const context: StandinContext = {
      client,
      log: jsonLog((line) => lines.push(line), 'test'),
      signal: stop.signal,
      environment: {
        image: '',
        podName: 'p',
        namespace: 'n',
        ports: new Map(),
        volumes: new Map(),
        flags: new Map(),
        variables: {},
      },
    }
    const program = shimOf('ghcr.io/kubeairunway/kubeairunway/kaito-provider:0.1.0')
    return { lines, stop, registered: registerProvider(context, program, traitsOf(program.product, program.version)) }
  }
  const writes = (requests: Seen[]): Seen[] => requests.filter(({ method }) => method !== 'GET')
  const ready = ({ body }: Seen): unknown => (JSON.parse(body) as { status?: { ready?: boolean } }).status?.ready

  it('overwrites the spec that is there, reports every 60 s, and says ready=false at its end', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let refuse = false
    const { server, client } = await on.start(({ method, url, body }) => {
      if (url.pathname === '/apis/kubeairunway.ai/v1alpha1') return { body: { kind: 'APIResourceList', resources } }
      if (refuse) return status(403, 'Forbidden', 'denied by a policy')
      return { body: method === 'GET' ? found : { ...found, ...(JSON.parse(body) as object) } }
    })
    const { lines, stop, registered } = registering(client)
    const unregister = await registered
    const [put, first] = writes(server.requests)
    expect([put?.method, first?.method, first?.url.pathname.endsWith('/status')]).toEqual(['PUT', 'PATCH', true])
    expect(JSON.parse(put?.body ?? '')).toMatchObject({
      metadata: found.metadata,
      spec: { selectionRules: [{ condition: 'true', priority: 10 }] },
    })
    await vi.advanceTimersByTimeAsync(59_000)
    expect(writes(server.requests)).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1000)
    await vi.waitFor(() => expect(writes(server.requests)).toHaveLength(3))
    // a refused heartbeat is only logged
    refuse = true
    await vi.advanceTimersByTimeAsync(60_000)
    await vi.waitFor(() => expect(lines.join('')).toContain('failed to update heartbeat'))
    refuse = false
    stop.abort()
    await unregister()
    expect(writes(server.requests).map(ready)).toEqual([undefined, true, true, true, false])
    await vi.advanceTimersByTimeAsync(120_000)
    expect(writes(server.requests)).toHaveLength(5)
  })

  it('fails where its registration is refused', async () => {
    const { server, client } = await on.start(({ method, url }) => {
      if (url.pathname === '/apis/kubeairunway.ai/v1alpha1') return { body: { kind: 'APIResourceList', resources } }
      return method === 'GET' ? { body: found } : status(403, 'Forbidden', 'denied by a policy')
    })
    await expect(registering(client).registered).rejects.toThrow('denied by a policy')
    expect(writes(server.requests)).toHaveLength(1)
  })
})
