/** A kubelet and a scheduler in one: registers nodes, binds pods to them and runs pods as processes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { Node, Pod } from '../kubernetes/objects.ts'
import { heartbeat, nodeObject, nodeStatus, type PlaygroundNode } from './nodes.ts'
import { chooseNode, isOver, isTerminating, wantsNode } from './pod-model.ts'
import { PodRunner, type PodRunnerContext, removePod } from './pod-runner.ts'

export interface ProcessKubeletOptions extends PodRunnerContext {
  nodes: PlaygroundNode[]
  signal: AbortSignal
}

const heartbeatMs = 10_000
const pods = { apiVersion: 'v1', kind: 'Pod' }

export class ProcessKubelet {
  readonly #options: ProcessKubeletOptions
  readonly #client: KubernetesClient
  readonly #runners = new Map<string, { runner: PodRunner; pod: Pod }>()
  /** Pods that wait for a node, by uid; also those that are just being bound. */
  readonly #unbound = new Map<string, Pod>()
  readonly #binding = new Set<string>()
  readonly #readySince = new Date()
  /** What the scheduler knows of the nodes, read again with every heartbeat. */
  #nodes: Node[]

  constructor(options: ProcessKubeletOptions) {
    this.#options = options
    this.#client = options.client
    this.#nodes = options.nodes.map((node) => ({
      ...nodeObject(node),
      status: nodeStatus(node, '', '') as NonNullable<Node['status']>,
    }))
  }

  /** Registers the nodes, then goes on in the background until the signal. @throws ApiError, ConnectionError */
  async start(): Promise<void> {
    await this.#beat()
    void this.#beatForever()
    void this.#watchForever()
  }

  async #beat(): Promise<void> {
    for (const node of this.#options.nodes) await heartbeat(node, this.#client, this.#readySince)
    const names = new Set(this.#options.nodes.map(({ name }) => name))
    const nodes = await this.#client.list<Node & { [field: string]: unknown }>({ apiVersion: 'v1', kind: 'Node' })
    this.#nodes = nodes.filter(({ metadata }) => names.has(metadata.name))
    for (const pod of this.#unbound.values()) this.#bind(pod)
  }

  async #beatForever(): Promise<void> {
    const { signal, log } = this.#options
    while (!signal.aborted) {
      await sleep(heartbeatMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await this.#beat().catch((error) => log(`heartbeat: ${message(error)}`))
    }
  }

  async #watchForever(): Promise<void> {
    const { signal, log } = this.#options
    while (!signal.aborted) {
      try {
        await this.#listAndWatch()
      } catch (error) {
        if (!signal.aborted) log(`watch: ${message(error)}`)
        await sleep(500, undefined, { signal }).catch(() => {})
      }
    }
  }

  async #listAndWatch(): Promise<void> {
    const { signal } = this.#options
    const seen = new Set<string>()
    let resourceVersion = ''
    for await (const page of this.#client.pages<Pod & { [field: string]: unknown }>(pods, { signal })) {
      resourceVersion = page.resourceVersion
      for (const pod of page.items) {
        seen.add(pod.metadata.uid ?? '')
        this.#handle(pod)
      }
    }
    for (const [uid, { pod }] of this.#runners) if (!seen.has(uid)) this.#gone(pod)
    for await (const event of this.#client.watch<Pod & { [field: string]: unknown }>(pods, {
      resourceVersion,
      signal,
    })) {
      if (event.type === 'DELETED') this.#gone(event.object)
      else if (event.type !== 'BOOKMARK') this.#handle(event.object)
    }
  }

  #handle(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    const known = this.#runners.get(uid)
    if (known) {
      known.pod = pod
      if (isTerminating(pod)) void this.#end(uid, pod)
      else known.runner.update(pod)
      return
    }
    if (pod.spec.nodeName) this.#unbound.delete(uid)
    if (isTerminating(pod)) {
      this.#unbound.delete(uid)
      if (!pod.spec.nodeName || this.#isMine(pod))
        void removePod(pod, this.#client).catch((error) => this.#options.log(message(error)))
    } else if (wantsNode(pod)) {
      this.#unbound.set(uid, pod)
      this.#bind(pod)
    } else if (this.#isMine(pod) && !isOver(pod)) {
      const runner = new PodRunner(pod, this.#options)
      this.#runners.set(uid, { runner, pod })
      void runner.start()
    }
  }

  #isMine(pod: Pod): boolean {
    return this.#options.nodes.some(({ name }) => name === pod.spec.nodeName)
  }

  #gone(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    this.#unbound.delete(uid)
    void this.#end(uid, pod)
  }

  async #end(uid: string, pod: Pod): Promise<void> {
    const known = this.#runners.get(uid)
    if (!known) return
    await known.runner.stop(pod)
    this.#runners.delete(uid)
  }

  #bind(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    if (this.#binding.has(uid)) return
    const count = new Map<string, number>()
    for (const { pod: other } of this.#runners.values()) {
      const name = other.spec.nodeName ?? ''
      count.set(name, (count.get(name) ?? 0) + 1)
    }
    const node = chooseNode(pod, this.#nodes, count)
    if (!node) return
    this.#binding.add(uid)
    void this.#writeBinding(pod, node)
      .catch((error) => this.#options.log(`binding ${pod.metadata.name}: ${message(error)}`))
      .finally(() => this.#binding.delete(uid))
  }

  async #writeBinding(pod: Pod, node: string): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, ...(uid && { uid }) },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    }
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`
    try {
      const response = await this.#client.raw({ method: 'POST', path, body: binding, contentType: 'application/json' })
      if (response.status >= 400 && response.status !== 404 && response.status !== 409)
        throw new Error(response.text.slice(0, 300))
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))
