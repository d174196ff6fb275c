/** Migrations through a proxy that tests make misbehave, and which of its requests they ask about. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import type { MigrateOptions } from '../../src/migration/migrate.types.ts'
import type { MigrationResult } from '../../src/migration/migration.types.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { type FaultProxy, type Proxied, startFaultProxy } from './fault-proxy.ts'
import { group, LeapingClock, MovingKind } from './migrating.ts'

/** The write of an object. */
export const isWrite = ({ method, path }: Proxied): boolean => method === 'PATCH' && path.startsWith(`/apis/${group}/`)

/** The write of `status.storedVersions`. */
export const isTrim = ({ method, path }: Proxied): boolean =>
  method === 'PATCH' && path.includes('/customresourcedefinitions/')

/** A page of the list of objects. */
export const isPage = ({ method, path, query }: Proxied): boolean =>
  method === 'GET' && path.startsWith(`/apis/${group}/`) && query.has('limit')

export interface ProxiedCluster {
  readonly cluster: ControlPlane
  readonly proxy: FaultProxy
  /** through the proxy */
  readonly client: KubernetesClient
  /** A kind with so many objects in v1alpha1, and v1beta1 for its storage version. */
  old(plural: string, objects: number): Promise<MovingKind>
  /** Moves its objects. The flip was long ago, unless told otherwise, and nothing is waited for. */
  migrate(kind: MovingKind, options?: Partial<MigrateOptions>, told?: Told): Promise<MigrationResult>
}

interface Told {
  /** undefined where nobody knows */
  flippedAt?: string | undefined
  /** instead of the client that goes through the proxy */
  by?: KubernetesClient
}

interface Running {
  proxy: FaultProxy
  client: KubernetesClient
}

/** Within `describe`: a control plane for its tests, and for each of them a proxy and a client. */
export function proxiedCluster(): ProxiedCluster {
  let cluster: ControlPlane | undefined
  let running: Running | undefined
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    const proxy = await startFaultProxy(there(cluster).kubeconfig)
    running = { proxy, client: await connect({ kubeconfig: proxy.kubeconfig }, { env: {} }) }
  })
  afterEach(async () => {
    await running?.client.close()
    await running?.proxy.close()
  })
  return {
    get cluster() {
      return there(cluster)
    },
    get proxy() {
      return there(running).proxy
    },
    get client() {
      return there(running).client
    },
    old: async (plural, objects) =>
      (await (await new MovingKind(there(cluster), plural).define()).write('w', objects)).flip(),
    migrate: async (kind, options = {}, told = {}) => {
      const { now, wait } = new LeapingClock()
      const longAgo = new Date(Date.now() - 3_600_000).toISOString()
      const target = await kind.target('flippedAt' in told ? told.flippedAt : longAgo)
      const limits = { maxInFlight: 8 }
      return migrateDefinition(told.by ?? there(running).client, target, { limits, now, wait, ...options })
    },
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there only while a test runs')
  return value
}
