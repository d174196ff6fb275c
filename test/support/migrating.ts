/** What stories of a migration need on a real API server: kinds of their own, objects, flips, and what etcd holds of them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { parse } from 'yaml'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import type { CheckpointStore, MigrationCheckpoint, MigrationTarget } from '../../src/migration/migration.types.ts'
import { isBlocker, targetOf } from '../../src/migration/target.ts'
import { type ControlPlane, eventually } from './control-plane.ts'
import { prefixOf, storeAs, storedVersionsUnder } from './etcd-bytes.ts'
import { withoutConflict } from './without-conflict.ts'
import { type Kubeconfig, upstreamOf } from './write-proxy.ts'

export const group = 'moving.example.com'
export const definitionKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const schema = (): { openAPIV3Schema: Record<string, unknown> } => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { size: { type: 'string' } } },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
})

export class MovingKind {
  readonly plural: string
  readonly name: string
  readonly #cluster: ControlPlane
  readonly #client: KubernetesClient

  constructor(cluster: ControlPlane, plural: string) {
    this.#cluster = cluster
    this.#client = cluster.client
    this.plural = plural
    this.name = `${plural}.${group}`
  }

  get kind(): string {
    return this.plural.toUpperCase()
  }

  /** Defines it with v1alpha1 and v1beta1, stored in v1alpha1. */
  async define(): Promise<this> {
    const crd: CustomResourceDefinition = {
      ...definitionKind,
      metadata: { name: this.name },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: this.plural, kind: this.kind },
        versions: ['v1alpha1', 'v1beta1'].map((name) => ({
          name,
          served: true,
          storage: name === 'v1alpha1',
          subresources: { status: {} },
          schema: schema(),
        })),
      },
    }
    await this.#client.create(crd)
    await eventually(async () => (await this.#list('v1alpha1')) === 200 && (await this.#list('v1beta1')) === 200)
    return this
  }

  async #list(version: string): Promise<number> {
    return (await this.#client.raw({ method: 'GET', path: `/apis/${group}/${version}/${this.plural}?limit=1` })).status
  }

  read(): Promise<CustomResourceDefinition> {
    return this.#client.get<CustomResourceDefinition>({ ...definitionKind, name: this.name })
  }

  change(edit: (found: CustomResourceDefinition) => void): Promise<void> {
    return withoutConflict(async () => {
      const found = await this.read()
      edit(found)
      await this.#client.replace(found)
    })
  }

  /** v1beta1 lacks spec.size from now on. */
  withoutSize(): Promise<void> {
    return this.change(({ spec }) => {
      for (const version of spec.versions)
        if (version.name === 'v1beta1')
          version.schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } }
    })
  }

  /** Makes the version the storage version; writes go there when this returns. */
  async flip(to = 'v1beta1'): Promise<this> {
    await this.change(({ spec }) => {
      for (const version of spec.versions) version.storage = version.name === to
    })
    await eventually(async () => {
      await this.write('probe', 1)
      const stored = await storedVersionsUnder(this.#cluster.etcdUrl, `${this.prefix}default/probe`)
      await this.#client.delete(this.reference('probe-0'))
      return stored[`${group}/${to}`] === 1
    })
    return this
  }

  /** Takes `storedVersions` for granted, as somebody does who trims by hand. */
  async claim(storedVersions: string[]): Promise<void> {
    const body = { status: { storedVersions } }
    await this.#client.patch({ ...definitionKind, name: this.name }, body, { type: 'merge', subresource: 'status' })
  }

  reference(name: string): { apiVersion: string; kind: string; namespace: string; name: string } {
    return { apiVersion: `${group}/v1beta1`, kind: this.kind, namespace: 'default', name }
  }

  /** Makes `name-0` and so on. */
  async write(name: string, count: number): Promise<this> {
    const numbers = Array.from({ length: count }).keys()
    const worker = async (): Promise<void> => {
      for (const number of numbers) {
        const { name: called, namespace, ...type } = this.reference(`${name}-${number}`)
        const object: AnyObject = { ...type, metadata: { name: called, namespace }, spec: { size: 'l' } }
        await eventually(() => this.#client.create(object))
      }
    }
    await Promise.all([worker(), worker(), worker(), worker()])
    return this
  }

  get prefix(): string {
    return prefixOf(group, this.plural)
  }

  /** objects by the version that etcd holds them in */
  async stored(): Promise<Record<string, number>> {
    const byVersion = await storedVersionsUnder(this.#cluster.etcdUrl, this.prefix)
    return Object.fromEntries(
      Object.entries(byVersion).map(([apiVersion, count]) => [apiVersion.replace(/^.*\//, ''), count]),
    )
  }

  /** Writes one object as an API server does that has not heard of the flip. */
  storeOld(name: string): Promise<void> {
    return storeAs(this.#cluster.etcdUrl, `${this.prefix}default/${name}`, `${group}/v1alpha1`)
  }

  async storedVersions(): Promise<string[]> {
    return (await this.read()).status?.storedVersions ?? []
  }

  async target(flippedAt?: string): Promise<MigrationTarget> {
    const found = targetOf(await this.read(), flippedAt)
    if (isBlocker(found)) throw new Error(found.message)
    return found
  }
}

/**
 * A write that the API server has begun, and that waits for its body: it keeps the storage version that it began with.
 * `end` sends the body and gives the status of the answer.
 */
export async function beginWrite(
  cluster: ControlPlane,
  path: string,
  body: string,
): Promise<{ end(): Promise<number> }> {
  const upstream = upstreamOf(parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig)
  const outgoing = request({
    host: upstream.server.hostname,
    port: upstream.server.port,
    agent: upstream.agent,
    method: 'PATCH',
    path,
    headers: {
      ...(upstream.authorization && { authorization: upstream.authorization }),
      'content-type': 'application/merge-patch+json',
      'content-length': Buffer.byteLength(body),
      // Go's server answers 100 when the handler begins to read the body, and has decided how it will store.
      expect: '100-continue',
    },
  })
  outgoing.flushHeaders()
  await once(outgoing, 'continue')
  return {
    end: async () => {
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
      outgoing.end(body)
      const [answer] = await answered
      answer.resume()
      await once(answer, 'end')
      upstream.agent.destroy()
      return answer.statusCode ?? 0
    },
  }
}

/** Checkpoints in memory, all of them. */
export class KeptCheckpoints implements CheckpointStore {
  readonly saved: MigrationCheckpoint[] = []

  load(definition: string): Promise<MigrationCheckpoint | undefined> {
    return Promise.resolve(this.saved.findLast((checkpoint) => checkpoint.definition === definition))
  }

  save(checkpoint: MigrationCheckpoint): Promise<void> {
    this.saved.push(structuredClone(checkpoint))
    return Promise.resolve()
  }
}

/** Time that goes on by itself, and by what is waited for at once. */
export class LeapingClock {
  waited = 0
  readonly now = (): number => performance.timeOrigin + performance.now() + this.waited
  readonly wait = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    // A turn of the event loop, so that who waits in a circle does not keep others from their answers.
    await new Promise((resolve) => setTimeout(resolve, 1))
    this.waited += milliseconds
    signal?.throwIfAborted()
  }
}
