import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChildProcesses } from '../../../src/playground/child-processes.ts'
import { ContainerRunner, type ContainerRunnerOptions } from '../../../src/playground/container-runner.ts'
import { waitFor } from '../../../src/playground/waiting.ts'

let folder: string
let processes: ChildProcesses
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airunway-processes-'))
  processes = new ChildProcesses(() => {})
})
afterEach(async () => {
  await processes.close()
  rmSync(folder, { recursive: true })
})
const options = () => ({ log: join(folder, 'log'), cwd: folder, env: { PATH: process.env['PATH'] } })
const until = (what: string, ask: () => boolean) => waitFor(what, ask, { timeoutMs: 10_000, intervalMs: 5 })

describe('child processes', () => {
  test('are recorded while they run, and write to their log', async () => {
    const child = await processes.start('sleeper', 'sh', ['-c', 'echo up; exec sleep 1000'], options())
    expect(processes.running).toEqual([{ name: 'sleeper', pid: child.pid }])
    await until('its log', () => readFileSync(join(folder, 'log'), 'utf8') === 'up\n')
    child.kill('SIGKILL')
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' })
    expect(processes.running).toEqual([])
  })

  test('that cannot be started are an error', async () => {
    await expect(processes.start('none', join(folder, 'none'), [], options())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('after close there are none, and none can be started', async () => {
    await processes.start('sleeper', 'sleep', ['1000'], options())
    await processes.close()
    expect(processes.running).toEqual([])
    await expect(processes.start('late', 'sleep', ['1000'], options())).rejects.toThrow(
      'no process is started any more',
    )
  })
})

describe('a container', () => {
  const runner = (command: string, change: Partial<ContainerRunnerOptions> = {}) => {
    const container = new ContainerRunner({
      container: { name: 'main', image: 'i' },
      restartPolicy: 'Always',
      launch: async () => ({
        process: await processes.start('main', 'sh', ['-c', command], options()),
        localPort: () => undefined,
      }),
      changed: () => {},
      now: () => '2026-11-22T00:00:00Z',
      ...change,
    })
    container.start()
    return container
  }

  test('without a program runs and is ready until it is stopped', async () => {
    const container = runner('', { launch: async () => undefined })
    await until('ready', () => container.state.ready)
    expect(container.state.runningSince).toBe('2026-11-22T00:00:00Z')
    await container.stop(30)
    expect(container.state.ready).toBe(false)
  })

  test('that ends is started again at once, and then waits; stopping does not wait for that', async () => {
    const container = runner('exit 3')
    await until('back-off', () => container.state.waiting !== undefined)
    expect(container.state).toMatchObject({
      restarts: 2,
      waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=main' },
      last: { exitCode: 3, reason: 'Error' },
    })
    await container.stop(30)
  })

  test.each([
    ['Never', 'exit 1', 1],
    ['Never', 'exit 0', 0],
    ['OnFailure', 'exit 0', 0],
  ] as const)('with restart policy %s and %s stays ended', async (restartPolicy, command, exitCode) => {
    const container = runner(command, { restartPolicy })
    await until('its end', () => container.state.terminated !== undefined)
    expect(container.state).toMatchObject({ restarts: 0, terminated: { exitCode } })
    await container.stop(30)
    expect(processes.running).toEqual([])
  })

  test('that cannot be launched says so and is tried again', async () => {
    let tries = 0
    const launch = async () => {
      tries++
      if (tries === 1) throw new Error('no token')
      return undefined
    }
    const container = runner('', { launch })
    await until('the reason', () => container.state.waiting?.message === 'no token')
    await until('the second try', () => container.state.ready)
    expect(tries).toBe(2)
    await container.stop(30)
  })

  test('that ignores SIGTERM is killed after its grace period', async () => {
    const container = runner('trap "" TERM; echo up; while :; do sleep 1; done')
    await until('its log', () => readFileSync(join(folder, 'log'), 'utf8') === 'up\n')
    const started = performance.now()
    await container.stop(0.3)
    expect(performance.now() - started).toBeGreaterThan(290)
    expect(container.state.terminated?.exitCode).toBe(137)
  })
})
