/** How a wanted change of a schema gets into releases, under the rules of a profile. Pure data. */
import type { ProfileName } from './comparison.types.ts'

/** `bump-with-webhook`: a new version, converted from and to the old one; `bump-without-webhook`: users change resources by hand. */
export type Bump = 'none' | 'bump-with-webhook' | 'bump-without-webhook'

/** A change that asks for the bump. */
export interface AdviceReason {
  id: string
  path: string
  title: string
  asksFor: Bump
}

/** What one release does. */
export interface ReleasePart {
  /** 0: the next release; 3: three releases after it */
  releasesLater: number
  /** its number, where that of the next one is known: `v1.4.0` */
  release?: string
  /** imperative, one thing each: `Add v1alpha2, served, not stored` */
  actions: string[]
  why: string
}

/** The advice for one version of a definition. */
export interface Advice {
  /** of the definition */
  name: string
  profile: ProfileName
  /** the version that the change starts from: the storage version */
  version: string
  bump: Bump
  /** the name that Kubernetes' order of versions and the profile propose */
  newVersion?: string
  /** one line: what the profile says, and by which of its rules */
  verdict: string
  because: AdviceReason[]
  /** in the order of releases; the first is the next one */
  parts: ReleasePart[]
  /** what users have to do themselves, in words of release notes; empty for none */
  byHand: string[]
  /** changes that no profile lets into any release, such as another scope */
  impossible: AdviceReason[]
}
