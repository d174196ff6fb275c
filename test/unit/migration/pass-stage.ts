/** What every story of a pass needs: a server, a client of it, and time that does not take long. */
import { afterEach, beforeEach } from 'vitest'
import type { KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import { connect } from '../../../src/kubernetes/connect.ts'
import type { PassResult } from '../../../src/migration/migration.types.ts'
import { runPass } from '../../../src/migration/pass.ts'
import type { PassOptions } from '../../../src/migration/pass.types.ts'
import { PassStopped } from '../../../src/migration/pass-stopped.ts'
import { type Asked, type Fault, PassServer, target } from './pass-server.ts'

/** Time passes when it is waited for, and does not take long. */
class Clock {
  waited = 0
  waits: number[] = []
  readonly now = (): number => 1_000_000 + this.waited + performance.now()
  readonly after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = setTimeout(() => {
      this.waited += milliseconds
      this.waits.push(milliseconds)
      act()
    }, 1)
    return () => clearTimeout(timer)
  }
}

export interface PassStage {
  readonly server: PassServer
  readonly clock: Clock
  run(options?: Partial<PassOptions>, changes?: Partial<typeof target>): Promise<PassResult>
  /** how a pass stopped that was expected to */
  stopped(pass: Promise<PassResult>): Promise<PassStopped>
}

export function passStage(): PassStage {
  let made: { server: PassServer; client: KubernetesClient; clock: Clock } | undefined
  beforeEach(async () => {
    const server = await new PassServer().start()
    const client = await connect({ server: server.url }, { env: { KUBECONFIG: '/dev/null' } })
    made = { server, client, clock: new Clock() }
  })
  afterEach(async () => {
    await made?.client.close()
    await made?.server.stop()
  })
  const now = (): { server: PassServer; client: KubernetesClient; clock: Clock } => {
    if (!made) throw new Error('it is made before each test')
    return made
  }
  return {
    get server() {
      return now().server
    },
    get clock() {
      return now().clock
    },
    run: (options = {}, changes = {}) => {
      const { client, clock } = now()
      const fixed = { limits: { maxInFlight: 32 }, now: clock.now, after: clock.after, random: () => 0.5 }
      return runPass(client, { ...target, ...changes }, { ...fixed, ...options })
    },
    stopped: async (pass) => {
      const error: unknown = await pass.then(
        () => new Error('it did not stop'),
        (reason: unknown) => reason,
      )
      if (error instanceof PassStopped) return error
      throw error
    },
  }
}

export const patches = (asked: Asked): boolean => asked.method === 'PATCH'

export const isPatchOf = (asked: Asked, name: string): boolean => patches(asked) && asked.name === name

/** the fault for the first so many requests that it is for */
export const times = (most: number, fault: Fault): Fault => {
  let left = most
  return (asked, by) => {
    if (left === 0) return undefined
    const answer = fault(asked, by)
    if (answer !== undefined) left -= 1
    return answer
  }
}
