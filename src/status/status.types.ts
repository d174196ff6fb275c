/** What runs, who works on it, and what is left behind. Plain data. */
import type { RunSummary } from '../journal/journal.types.ts'
import type { Tier } from '../plan/plan.types.ts'

/** The controller or a shim as it runs. */
export interface ComponentStatus {
  /** `controller`, or the name of a shim */
  component: string
  deployment: { namespace: string; name: string }
  /** undefined where the image does not tell */
  version?: string
  image: string
  replicas: number
  readyReplicas: number
  /** of the controller: who holds its Lease, and whether it is renewed */
  lease?: { name: string; holder?: string; fresh: boolean }
  /** of a shim: whether its InferenceProviderConfig is ready */
  ready?: boolean
  /** how the last run moved it */
  tier?: Tier
}

/** Something that no finished run leaves: an object, and what is odd about it. */
export interface Leftover {
  object: string
  what: string
}

export type WayBack = { possible: true; to: string } | { possible: false; why: string }

export interface StatusReport {
  metadata: {
    time: string
    cluster: { context?: string; server: string; user?: string }
    recordNamespace: string
  }
  components: ComponentStatus[]
  /** the unfinished run, else the newest one */
  lastRun?: RunSummary
  /** whether it has to be brought to an end first, and how */
  unfinished: boolean
  waysOn: string[]
  /** who holds the lock and renews it */
  lock?: { holder: string; since?: string }
  /** what the account may not read, so that its absence says nothing */
  unknown?: ('lastRun' | 'lock')[]
  rollback: WayBack
  leftovers: Leftover[]
  /** what could not be read, so that nothing is silently absent */
  unreadable: { what: string; why: string }[]
}
