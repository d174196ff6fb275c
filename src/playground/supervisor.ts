/**
 * The process that owns a playground: servers and pods are its children, kubelet and egress proxy run in it.
 *
 * Whoever started it holds the other end of its stdin. It ends and removes everything when that end closes, so nothing stays
 * when a test crashes or `up` is interrupted; the line `keep` on stdin lets it outlive its starter.
 */
import { appendFileSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from '../kubernetes/connect.ts'
import { ChildProcesses } from './child-processes.ts'
import { startControlPlane } from './control-plane.ts'
import { controlPlanePaths } from './control-plane-files.ts'
import { startEgressProxy } from './egress-proxy.ts'
import type { PlaygroundNode } from './nodes.ts'
import { PodAddresses } from './pod-addresses.ts'
import type { PlaygroundPace } from './pod-runner.ts'
import { Ports } from './ports.ts'
import { ProcessKubelet } from './process-kubelet.ts'
import { type PlaygroundState, readState, writeState } from './state.ts'
import { waitFor } from './waiting.ts'

/** What a supervisor is told by its starter, in `supervisor.json` of the directory. */
export interface SupervisorOrder {
  nodes: PlaygroundNode[]
  /** the egress proxy's unix socket */
  socket: string
  /** image -> program for Node, besides the stand-ins */
  programs: Record<string, string>
  pace?: PlaygroundPace
}

export const orderFile = 'supervisor.json'

/** What the supervisor tells its starter, one JSON document a line, on file descriptor 3. */
export type SupervisorEvent =
  | { type: 'progress'; text: string }
  | { type: 'ready' }
  | { type: 'failed'; message: string }

const eventDescriptor = 3

/**
 * Runs the playground of a directory that holds its state and its order, until it is told to end or a server fails.
 * @param standinFor the program that stands for an image
 */
export async function supervise(directory: string, standinFor: (image: string) => string | undefined): Promise<void> {
  const supervisor = new Supervisor(directory, standinFor)
  supervisor.listen()
  await supervisor.run()
}

class Supervisor {
  readonly #directory: string
  readonly #order: SupervisorOrder
  readonly #standinFor: (image: string) => string | undefined
  readonly #processes: ChildProcesses
  readonly #ended = new AbortController()
  #state: PlaygroundState

  constructor(directory: string, standinFor: (image: string) => string | undefined) {
    const state = readState(directory)
    if (!state) throw new Error(`${directory} is not a playground`)
    this.#directory = directory
    this.#order = JSON.parse(readFileSync(join(directory, orderFile), 'utf8')) as SupervisorOrder
    this.#standinFor = standinFor
    this.#processes = new ChildProcesses(() => this.#save({ processes: this.#processes.running }))
    this.#state = state
    this.#save({ supervisor: process.pid })
  }

  /** Ends with its starter unless told to be kept; ends on signals. */
  listen(): void {
    let kept = false
    const lines = createInterface({ input: process.stdin })
    lines.on('line', (line) => {
      if (line === 'keep') kept = true
    })
    lines.on('close', () => {
      if (!kept) void this.#remove()
    })
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void this.#remove())
  }

  async run(): Promise<void> {
    try {
      const addresses = new PodAddresses(new Ports())
      await startEgressProxy(this.#order.socket, (address, port) => addresses.route(address, port))
      const controlPlane = await startControlPlane({
        directory: this.#directory,
        dataDirectory: this.#state.dataDirectory,
        socket: this.#order.socket,
        servers: this.#state.servers.folder,
        processes: this.#processes,
        ports: new Ports(),
        progress: (text) => this.#tell({ type: 'progress', text }),
        signal: this.#ended.signal,
      })
      void controlPlane.failed.then((message) => this.#fail(message))
      this.#save({ server: controlPlane.server, etcdUrl: controlPlane.etcdUrl })
      this.#tell({ type: 'progress', text: 'registering nodes' })
      await this.#startKubelet(controlPlane.server, addresses)
      this.#save({ phase: 'ready' })
      this.#tell({ type: 'ready' })
    } catch (error) {
      await this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  async #startKubelet(server: string, addresses: PodAddresses): Promise<void> {
    const paths = controlPlanePaths(this.#directory)
    const client = await connect(
      { kubeconfig: paths.kubeletKubeconfig },
      { env: {}, fieldManager: 'playground-kubelet' },
    )
    const kubelet = new ProcessKubelet({
      client,
      processes: this.#processes,
      addresses,
      podsDirectory: paths.pods,
      server,
      authority: readFileSync(paths.servingCertificate, 'utf8'),
      entryFor: (image) => this.#order.programs[image] ?? this.#standinFor(image),
      nodes: this.#order.nodes,
      pace: this.#order.pace,
      log: (text) => this.#log(text),
      signal: this.#ended.signal,
    })
    await kubelet.start()
    // Pods need the service account that the controller manager makes; workloads of a user must not race with it.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'default', name: 'default' }
    await waitFor('the default service account', () => client.find(account), {
      timeoutMs: 60_000,
      signal: this.#ended.signal,
    })
  }

  #save(change: Partial<PlaygroundState>): void {
    // Once it is removed, nothing may make the directory's file again.
    if (this.#ended.signal.aborted) return
    this.#state = { ...this.#state, ...change }
    writeState(this.#state)
  }

  #tell(event: SupervisorEvent): void {
    try {
      writeSync(eventDescriptor, `${JSON.stringify(event)}\n`)
    } catch {
      // Nobody listens any more: the starter has gone, and stdin decides what that means.
    }
  }

  #log(text: string): void {
    if (this.#ended.signal.aborted) return
    appendFileSync(
      join(controlPlanePaths(this.#directory).logs, 'kubelet.log'),
      `${new Date().toISOString()} ${text}\n`,
    )
  }

  /** Something that the playground cannot live without is gone: all is killed, logs and the reason stay until `up` or `down`. */
  async #fail(message: string): Promise<void> {
    if (this.#ended.signal.aborted) return
    this.#save({ phase: 'failed', failure: message })
    this.#ended.abort()
    await this.#processes.close()
    this.#tell({ type: 'failed', message })
    process.exit(1)
  }

  async #remove(): Promise<void> {
    if (this.#ended.signal.aborted) return
    this.#ended.abort()
    await this.#processes.close()
    for (const path of [this.#order.socket, this.#state.dataDirectory, this.#directory]) {
      rmSync(path, { recursive: true, force: true, maxRetries: 10 })
    }
    process.exit(0)
  }
}
