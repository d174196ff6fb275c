/** What a check is, and all that it may look at. */
import type { Inventory } from '../installation/inventory.types.ts'
import type { KubernetesSupport } from '../releases/data.types.ts'
import type { Compatibility, Release } from '../releases/release.types.ts'
import type { Finding } from './finding.types.ts'
import type { Reading } from './unread.ts'

/** What was typed, quoted for a shell, for the commands of ours that a finding or a result names. Never a token. */
export interface TypedWords {
  /** connection flags, which every command takes */
  connection: string
  /** `--source`: the files of this one version */
  source: string
  /** `--releases`, `--compatibility` and `--accept`: whatever the version */
  options: string
}

/** Everything a check decides on. Plain data; the clock is given. */
export interface CheckContext {
  inventory: Inventory
  /** the release named by `--to`; undefined where only what runs now is looked at */
  release?: Release
  /** preferred first; may be empty */
  compatibility: Compatibility[]
  kubernetesSupport: KubernetesSupport
  /** the clock: for Leases and heartbeats */
  now: Date
  /** the date that support tables are read by */
  today: Date
  /** what the commands named in findings carry on; nothing unless told */
  typed?: TypedWords
}

export type ReleaseContext = CheckContext & { release: Release }

/** The heading that a check is shown under. */
export type CheckGroup = 'installation' | 'kubernetes' | 'operators' | 'crds' | 'release'

interface CheckBase {
  /** IDs that its findings may bear; each has a page in docs/checks/ */
  ids: readonly string[]
  group: CheckGroup
  /** what is right when it finds nothing, for example `kubelets are within the version skew` */
  title: string
  /** what it has to do without where that could not be read: then its finding nothing proves nothing */
  reads: readonly Reading[]
}

/** Looks at what runs now, and at the release too where there is one. */
export interface ClusterCheck extends CheckBase {
  needs: 'cluster'
  run(context: CheckContext): Finding[]
}

/** Makes sense only with a release to go to. */
export interface ReleaseCheck extends CheckBase {
  needs: 'release'
  run(context: ReleaseContext): Finding[]
}

export type Check = ClusterCheck | ReleaseCheck
