import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import type { StandinEnvironment } from './environment.ts'
import type { Log } from './log.ts'

/** What every stand-in is given. */
export interface StandinContext {
  environment: StandinEnvironment
  client: KubernetesClient
  log: Log
  /** aborted by SIGTERM */
  signal: AbortSignal
}
