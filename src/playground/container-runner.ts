/** One container of a pod: a process where the image is known, and nothing that always runs where it is not. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Container } from '../kubernetes/objects.ts'
import type { Exit, RunningProcess } from './child-processes.ts'
import { backOffForgottenAfterMs, type Probe, portNumber, probesOf, restartDelayMs } from './pod-model.ts'
import type { ContainerState, Termination } from './pod-status.ts'
import { tryProbe } from './probes.ts'

/** Starts the container's process; undefined for an image that no program stands for. Called again for every restart. */
export type Launch = () => Promise<
  { process: RunningProcess; localPort: (port: number) => number | undefined } | undefined
>

export interface ContainerRunnerOptions {
  container: Container
  restartPolicy: 'Always' | 'OnFailure' | 'Never'
  launch: Launch
  /** told after every change of `state` */
  changed: () => void
  /** RFC 3339, whole seconds */
  now: () => string
  /** what delay and period of readiness probes are cut to: a playground does not wait where nothing would change by waiting */
  longestPauseSeconds?: number | undefined
}

const exitCode = ({ code, signal }: Exit): number => code ?? (signal === 'SIGTERM' ? 143 : 137)

export class ContainerRunner {
  readonly state: ContainerState
  readonly #options: ContainerRunnerOptions
  readonly #stopping = new AbortController()
  #process: RunningProcess | undefined
  #done: Promise<void> = Promise.resolve()

  constructor(options: ContainerRunnerOptions) {
    this.#options = options
    this.state = { name: options.container.name, image: options.container.image ?? '', ready: false, restarts: 0 }
  }

  start(): void {
    this.#done = this.#run()
  }

  /** SIGTERM, the grace period, SIGKILL; resolves once nothing runs any more. */
  async stop(graceSeconds: number): Promise<void> {
    this.#stopping.abort()
    this.state.ready = false
    this.#process?.kill(graceSeconds > 0 ? 'SIGTERM' : 'SIGKILL')
    const timer = setTimeout(() => this.#process?.kill('SIGKILL'), graceSeconds * 1000)
    await this.#done
    clearTimeout(timer)
  }

  async #run(): Promise<void> {
    for (let ended = 0; !this.#stopping.signal.aborted; ) {
      const started = performance.now()
      const launched = await this.#launch()
      if (launched === 'failed') continue
      this.#begin()
      if (!launched) {
        this.state.ready = true
        this.#options.changed()
        return
      }
      this.#process = launched.process
      // A stop that came while it was being launched.
      if (this.#stopping.signal.aborted) launched.process.kill('SIGTERM')
      const exit = await this.#watch(launched.process, launched.localPort)
      this.#end(exit)
      if (performance.now() - started > backOffForgottenAfterMs) ended = 0
      if (this.#stopping.signal.aborted || !this.#restarts(exit)) return
      ended++
      await this.#backOff(restartDelayMs(ended))
    }
  }

  /** What cannot be started is tried again, as the kubelet does with a CreateContainerError. */
  async #launch(): Promise<Awaited<ReturnType<Launch>> | 'failed'> {
    try {
      return await this.#options.launch()
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.state.waiting = { reason: 'CreateContainerError', message: text }
      this.#options.changed()
      await sleep(1000, undefined, { signal: this.#stopping.signal }).catch(() => {})
      return 'failed'
    }
  }

  #begin(): void {
    const { state } = this
    if (state.terminated) state.last = state.terminated
    delete state.terminated
    delete state.waiting
    state.runningSince = this.#options.now()
  }

  #end(exit: Exit): void {
    const { state } = this
    const finishedAt = this.#options.now()
    const code = exitCode(exit)
    const terminated: Termination = {
      exitCode: code,
      reason: code === 0 ? 'Completed' : 'Error',
      startedAt: state.runningSince ?? finishedAt,
      finishedAt,
    }
    this.#process = undefined
    state.ready = false
    state.terminated = terminated
    delete state.runningSince
    this.#options.changed()
  }

  #restarts(exit: Exit): boolean {
    const policy = this.#options.restartPolicy
    return policy === 'Always' || (policy === 'OnFailure' && exitCode(exit) !== 0)
  }

  async #backOff(delay: number): Promise<void> {
    const { state } = this
    state.restarts++
    if (state.terminated) state.last = state.terminated
    delete state.terminated
    if (delay > 0) {
      const text = `back-off ${delay / 1000}s restarting failed container=${state.name}`
      state.waiting = { reason: 'CrashLoopBackOff', message: text }
      this.#options.changed()
    }
    await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }

  /** Probes the process until it ends. */
  async #watch(process: RunningProcess, localPort: (port: number) => number | undefined): Promise<Exit> {
    const over = new AbortController()
    const { readiness, liveness } = probesOf(this.#options.container)
    if (!readiness) this.state.ready = true
    this.#options.changed()
    const ask = (probe: Probe) => {
      const port = probe.httpGet?.port ?? probe.tcpSocket?.port
      const number = port === undefined ? undefined : portNumber(port, this.#options.container)
      return tryProbe(probe, number === undefined ? undefined : localPort(number))
    }
    if (readiness) void this.#probeReadiness(readiness, ask, over.signal)
    if (liveness) void this.#probeLiveness(liveness, ask, process, over.signal)
    const exit = await process.ended
    over.abort()
    return exit
  }

  /** Delay and period are cut, to one second unless told otherwise. */
  async #probeReadiness(probe: Probe, ask: (probe: Probe) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const longest = this.#options.longestPauseSeconds ?? 1
    const second = (seconds: number) => sleep(Math.min(seconds, longest) * 1000, undefined, { signal }).catch(() => {})
    await second(probe.initialDelaySeconds ?? 0)
    for (let failures = 0; !signal.aborted; ) {
      const ok = await ask(probe)
      if (signal.aborted || this.#stopping.signal.aborted) return
      failures = ok ? 0 : failures + 1
      const ready = ok || (this.state.ready && failures < (probe.failureThreshold ?? 3))
      if (ready !== this.state.ready) {
        this.state.ready = ready
        this.#options.changed()
      }
      // Until it is ready for the first time it is asked more often, so that a start is not rounded up to a second.
      await (ready ? second(probe.periodSeconds ?? 10) : second(0.2))
    }
  }

  /** In its own time: restarting what a busy machine made slow would be the playground's fault, not the program's. */
  async #probeLiveness(
    probe: Probe,
    ask: (probe: Probe) => Promise<boolean>,
    process: RunningProcess,
    signal: AbortSignal,
  ): Promise<void> {
    const wait = (seconds: number) => sleep(seconds * 1000, undefined, { signal }).catch(() => {})
    await wait(probe.initialDelaySeconds ?? 0)
    for (let failures = 0; !signal.aborted; ) {
      failures = (await ask(probe)) ? 0 : failures + 1
      if (signal.aborted) return
      if (failures >= (probe.failureThreshold ?? 3)) {
        process.kill('SIGTERM')
        await wait(30)
        if (!signal.aborted) process.kill('SIGKILL')
        return
      }
      await wait(probe.periodSeconds ?? 10)
    }
  }
}
