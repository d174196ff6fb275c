/** One pod on a node of the playground: its files, its containers, its status. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { Container, Pod } from '../kubernetes/objects.ts'
import type { ChildProcesses } from './child-processes.ts'
import { ContainerRunner } from './container-runner.ts'
import type { PodAddresses } from './pod-addresses.ts'
import { PodDirectory, volumeRefreshMs } from './pod-directory.ts'
import { containerEnvironment, expand, processEnvironment } from './pod-environment.ts'
import { gracePeriodSeconds, portsOf } from './pod-model.ts'
import { podStatus } from './pod-status.ts'

export interface PodRunnerContext {
  client: KubernetesClient
  processes: ChildProcesses
  addresses: PodAddresses
  /** gets one folder and one log per pod */
  podsDirectory: string
  /** https://127.0.0.1:PORT */
  server: string
  /** PEM behind the API server's certificate */
  authority: string
  /** the program, for Node, that stands for an image; undefined where none does */
  entryFor: (image: string) => string | undefined
  /** how quick things go that a test does not want to wait for; as in a cluster unless told otherwise */
  pace?: PlaygroundPace | undefined
  log: (text: string) => void
}

export interface PlaygroundPace {
  /** how often a stand-in looks whether a Lease is free, instead of 2 s */
  leaseRetrySeconds: number
  /** the longest delay and period of a readiness probe, instead of 1 s */
  probeSeconds: number
}

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`

export class PodRunner {
  readonly #context: PodRunnerContext
  readonly #directory: PodDirectory
  readonly #podIP: string
  readonly #startTime = now()
  readonly #stopped = new AbortController()
  #containers: ContainerRunner[] = []
  #pod: Pod
  #reporting: Promise<void> = Promise.resolve()
  #reported = ''
  #stop: Promise<void> | undefined

  constructor(pod: Pod, context: PodRunnerContext) {
    this.#pod = pod
    this.#context = context
    this.#podIP = context.addresses.assign(portsOf(pod), pod.status?.podIP)
    this.#directory = new PodDirectory(
      this.#file(`${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`),
      context.client,
      context.authority,
    )
  }

  /** Runs the pod until it is stopped; never rejects. */
  async start(): Promise<void> {
    const signal = this.#stopped.signal
    while (!signal.aborted) {
      try {
        await this.#directory.refresh(this.#pod)
        break
      } catch (error) {
        this.#log(`cannot start yet: ${message(error)}`)
        await sleep(500, undefined, { signal }).catch(() => {})
      }
    }
    if (signal.aborted) return
    const restartPolicy = (this.#pod.spec['restartPolicy'] as 'Always' | undefined) ?? 'Always'
    this.#containers = this.#pod.spec.containers.map(
      (container) =>
        new ContainerRunner({
          container,
          restartPolicy,
          launch: () => this.#launch(container),
          changed: () => this.#report(),
          now,
          longestPauseSeconds: this.#context.pace?.probeSeconds,
        }),
    )
    for (const container of this.#containers) container.start()
    while (!signal.aborted) {
      await sleep(volumeRefreshMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await this.#directory.refresh(this.#pod).catch((error) => this.#log(message(error)))
    }
  }

  /** Takes the newest state of the object; reports again where somebody else changed the status. */
  update(pod: Pod): void {
    this.#pod = pod
  }

  /** Ends the processes with the pod's grace period and removes the object; may be called more than once. */
  stop(pod: Pod): Promise<void> {
    this.#pod = pod
    this.#stop ??= this.#end()
    return this.#stop
  }

  async #end(): Promise<void> {
    this.#stopped.abort()
    const stopping = this.#containers.map((container) => container.stop(gracePeriodSeconds(this.#pod)))
    this.#report()
    await Promise.all(stopping)
    await this.#reporting
    this.#context.addresses.release(this.#podIP)
    await this.#directory.remove()
    await removePod(this.#pod, this.#context.client).catch((error) => this.#log(message(error)))
  }

  async #launch(container: Container): ReturnType<ConstructorParameters<typeof ContainerRunner>[0]['launch']> {
    const context = this.#context
    const entry = context.entryFor(container.image ?? '')
    if (entry === undefined) return undefined
    // Other local ports at each start: whoever took one meanwhile must not keep the pod from starting for ever. Containers of
    // a pod share its ports, so they stay while another one uses them.
    const shared = this.#containers.some(
      ({ state }) => state.name !== container.name && state.runningSince !== undefined,
    )
    const ports = shared ? context.addresses.ports(this.#podIP) : await context.addresses.openPorts(this.#podIP)
    const environment = processEnvironment(container, this.#pod, {
      podIP: this.#podIP,
      ports,
      serviceAccountDirectory: this.#directory.serviceAccountDirectory,
      volumes: this.#directory.mounts(container),
      server: context.server,
    })
    const own = containerEnvironment(container, this.#pod, this.#podIP)
    const args = (container.args ?? []).map((arg) => expand(arg, own))
    const name = `${this.#pod.metadata.namespace}_${this.#pod.metadata.name}`
    mkdirSync(this.#directory.directory, { recursive: true })
    // The diagnostic directory also puts the playground's directory into the command line, by which its processes are known.
    const node = [`--diagnostic-dir=${this.#directory.directory}`, '--disable-warning=ExperimentalWarning']
    const started = await context.processes.start(name, process.execPath, [...node, entry, ...args], {
      log: this.#file(`${name}.log`),
      cwd: this.#directory.directory,
      env: {
        PATH: process.env['PATH'],
        HOME: this.#directory.directory,
        NODE_COMPILE_CACHE: this.#file('.compile-cache'),
        NO_PROXY: '*',
        no_proxy: '*',
        ...(context.pace && { AIRUNWAY_LEASE_RETRY_SECONDS: String(context.pace.leaseRetrySeconds) }),
        ...environment,
      },
    })
    this.#log(`started ${container.image} as process ${started.pid}`)
    void started.ended.then(({ code, signal }) => this.#log(`${container.name} ended (${signal ?? `code ${code}`})`))
    return { process: started, localPort: (port) => ports[String(port)] }
  }

  /** Writes the status, one write after the other; the last state always gets written. */
  #report(): void {
    this.#reporting = this.#reporting.then(async () => {
      const status = podStatus(
        this.#pod,
        this.#containers.map(({ state }) => state),
        { podIP: this.#podIP, startTime: this.#startTime, now: now() },
      )
      const text = JSON.stringify(status)
      if (text === this.#reported) return
      const { namespace, name, uid } = this.#pod.metadata
      const ref = { apiVersion: 'v1', kind: 'Pod', name, ...(namespace && { namespace }) }
      try {
        // With the uid a write for a pod that is gone cannot reach another one of the same name.
        this.#pod = await this.#context.client.patch<Pod & { [field: string]: unknown }>(
          ref,
          { metadata: { uid }, status },
          { type: 'merge', subresource: 'status' },
        )
        this.#reported = text
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) this.#log(`status: ${message(error)}`)
      }
    })
  }

  #file(name: string): string {
    return join(this.#context.podsDirectory, name)
  }

  #log(text: string): void {
    this.#context.log(`${this.#pod.metadata.namespace}/${this.#pod.metadata.name}: ${text}`)
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Removes a pod whose processes are gone: the kubelet's last word, a deletion without grace. */
export async function removePod(pod: Pod, client: KubernetesClient): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  try {
    await client.delete(
      { apiVersion: 'v1', kind: 'Pod', name, ...(namespace && { namespace }) },
      { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) },
    )
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}
