/** One run in a process of its own, behind a proxy that counts its writes and may kill it at one of them. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Tier } from '../../src/plan/plan.types.ts'
import type { MigrateOptions } from '../../src/services/migrate-definitions.ts'
import type { ChangeInput } from '../support/change-program.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { startWriteProxy, type Write } from '../support/write-proxy.ts'
import type { Trip } from './cases.ts'
import { releasesFolder } from './small-cluster.ts'

const PROGRAM = join(import.meta.dirname, '..', 'support', 'change-program.ts')

/** What was sent by a process that is dead now has long been answered, for the proxy is on this machine. */
export const REQUEST_LIMIT_MS = 100

export const TARGET = 'v0.2.0'

/** An upgrade that is to be gone back from holds its storage; else late writes are waited for, though not for so long. */
const STORAGE = { held: { holdStorage: true }, moves: { lateWriteSeconds: 1 } }

export interface Ended {
  /** the write that it was killed at; undefined where it ended by itself */
  killedAt: Write | undefined
  writes: readonly Write[]
  /** what it printed on stdout */
  output: string
}

/** Where to kill: at the `write`-th write, or the first such one, before or after the API server has done it. */
export interface Kill {
  write: number | ((write: Write) => boolean)
  when: 'before' | 'after'
}

type Run =
  | { kind: 'upgrade'; tier: Tier; storage?: keyof typeof STORAGE }
  | { kind: 'rollback' | 'resume' }
  | { kind: 'migrate'; migrate: MigrateOptions }
  | Trip

/**
 * Runs an upgrade, a rollback or a migration, or goes on with a run, until it ends or is killed. Throws Error where it fails by
 * itself.
 */
export async function runUntilKilled(cluster: ControlPlane, run: Run, kill?: Kill): Promise<Ended> {
  const input: ChangeInput = {
    service: run.kind,
    options: optionsOf(run),
    ...('migrate' in run && { migrate: run.migrate }),
    releases: releasesFolder(),
    requestLimitMs: REQUEST_LIMIT_MS,
  }
  let killedAt: Write | undefined
  const proxy = await startWriteProxy({
    kubeconfig: cluster.kubeconfig,
    counts: (write) => !isRenewal(write),
    kill: (write) => {
      killedAt = write
      child.kill('SIGKILL')
    },
  })
  let found = false
  const isTheOne = (write: Write): boolean => {
    if (kill === undefined || found) return false
    found = typeof kill.write === 'number' ? write.number === kill.write : kill.write(write)
    return found
  }
  proxy.onWrite((write) => (kill !== undefined && isTheOne(write) ? `kill-${kill.when}` : 'forward'))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, JSON.stringify(input)], {
    env: {
      ...process.env,
      KUBECONFIG: proxy.kubeconfig,
      NODE_COMPILE_CACHE: join(cluster.dir, 'pods', '.compile-cache'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const texts = { output: '', errors: '' }
    child.stdout.on('data', (text: Buffer) => (texts.output += text.toString()))
    child.stderr.on('data', (text: Buffer) => (texts.errors += text.toString()))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    if (killedAt === undefined && code !== 0)
      throw new Error(`the ${run.kind} failed by itself (${code}): ${texts.output}\n${texts.errors.slice(-2000)}`)
    return { killedAt, writes: [...proxy.writes()], output: texts.output }
  } finally {
    child.kill('SIGKILL')
    await proxy.close()
  }
}

const optionsOf = (run: Run): NonNullable<ChangeInput['options']> => {
  if (run.kind !== 'upgrade') return {}
  return { to: TARGET, tier: run.tier, ...STORAGE['storage' in run ? (run.storage ?? 'held') : 'held'] }
}

/** The lock is renewed by the clock: how often is no matter of the run. What takes it has two equal times. */
const isRenewal = ({ method, path, body }: Omit<Write, 'number'>): boolean => {
  if (method !== 'PUT' || !path.endsWith('/leases/run-lock')) return false
  const { spec } = JSON.parse(body) as { spec?: { holderIdentity?: string; acquireTime?: string; renewTime?: string } }
  return Boolean(spec?.holderIdentity) && spec?.acquireTime !== spec?.renewTime
}
