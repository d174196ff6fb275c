import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runsFor, signalProcess } from '../../src/playground/process-table.ts'
import { type PlaygroundState, readState } from '../../src/playground/state.ts'
import { clearLeftovers, clusterTestsPossible, eventually } from '../support/control-plane.ts'

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url))
const possible = clusterTestsPossible()

describe.skipIf(!possible.possible)(`what a playground leaves behind ${possible.reason ?? ''}`, () => {
  /** A process that holds a control plane, as a test does; gives its state. */
  async function inAnotherProcess(): Promise<{ pid: number; state: PlaygroundState }> {
    const child = spawn(process.execPath, [support('control-plane-holder.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: child.stdout })) {
      return { pid: child.pid ?? 0, state: readState(line) ?? never(line) }
    }
    throw new Error('the holder ended')
  }
  const never = (directory: string): never => {
    throw new Error(`no state in ${directory}`)
  }
  const running = (state: PlaygroundState) =>
    [...state.processes.map(({ pid }) => pid), state.supervisor].filter((pid) => runsFor(pid, state.directory))

  test('nothing, when the process that holds it is killed', async () => {
    const { pid, state } = await inAnotherProcess()
    expect(running(state)).toHaveLength(4)
    signalProcess(pid, 'SIGKILL')
    await eventually(() => running(state).length === 0 && !existsSync(state.directory))
  })

  test('nothing after the next start, when its supervisor is killed', async () => {
    const { pid, state } = await inAnotherProcess()
    signalProcess(state.supervisor, 'SIGKILL')
    await eventually(() => !running(state).includes(state.supervisor))
    // Its servers are orphans now.
    expect(running(state)).toHaveLength(3)
    // What every start does first.
    clearLeftovers()
    await eventually(() => running(state).length === 0)
    expect(existsSync(state.directory)).toBe(false)
    signalProcess(pid, 'SIGKILL')
  })
})

describe.skipIf(!possible.possible)(`the commands ${possible.reason ?? ''}`, () => {
  test('bring a playground up with a scenario, tell about it, and take it down', async () => {
    const base = mkdtempSync(join(tmpdir(), 'airunway-commands-'))
    const directory = join(base, 'playground')
    const env = { ...process.env, AIRUNWAY_PLAYGROUND_DIR: directory, NO_COLOR: '1' }
    const run = (...args: string[]) => {
      const bin = fileURLToPath(new URL('../../bin/kubectl-airunway.ts', import.meta.url))
      const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'playground', ...args], {
        env,
        encoding: 'utf8',
      })
      return { status, stdout, stderr }
    }
    try {
      expect(run('env')).toMatchObject({ status: 1, stdout: '' })
      const up = run('up')
      expect(up).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('eval "$(kubectl airunway playground env)"') as string,
      })
      expect(up.stderr).toMatch(/Kubernetes 1\.36\.\d+ is up/)
      const status = JSON.parse(run('status', '-o', 'json').stdout) as Record<string, string>
      expect(status).toMatchObject({ kind: 'Playground', phase: 'Running', scenario: 'healthy', directory })
      expect(run('env').stdout).toContain(`export KUBECONFIG='${directory}/kubeconfig'\nexport AIRUNWAY_RELEASES=`)
      expect(run('up')).toMatchObject({ status: 0, stdout: expect.stringContaining('is up already') as string })
      expect(run('up', '--kubernetes', '1.30')).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('playground down') as string,
      })
      const state = readState(directory)
      const left = () => (state?.processes ?? []).filter(({ pid }) => runsFor(pid, directory))
      expect(left().length).toBeGreaterThan(3)
      expect(run('down')).toMatchObject({ status: 0, stdout: 'The playground and its files are gone.\n' })
      expect(left()).toEqual([])
      expect([existsSync(directory), existsSync(state?.dataDirectory ?? '')]).toEqual([false, false])
      expect(run('status').stdout).toBe('playground:  down\n')
    } finally {
      run('down')
      rmSync(base, { recursive: true, force: true })
    }
  })

  test('up that is interrupted leaves nothing', async () => {
    const base = mkdtempSync(join(tmpdir(), 'airunway-commands-'))
    const directory = join(base, 'playground')
    const bin = fileURLToPath(new URL('../../bin/kubectl-airunway.ts', import.meta.url))
    const up = spawn(process.execPath, [bin, 'playground', 'up'], {
      env: { ...process.env, AIRUNWAY_PLAYGROUND_DIR: directory },
      stdio: 'ignore',
    })
    const ended = once(up, 'exit')
    const state = await eventually(() => {
      const now = readState(directory)
      return now && now.processes.length > 1 && now
    })
    up.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect(state.processes.filter(({ pid }) => runsFor(pid, directory))).toEqual([])
    expect(existsSync(directory)).toBe(false)
    rmSync(base, { recursive: true, force: true })
  })
})
