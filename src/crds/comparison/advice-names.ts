/** How the next version is called, by Kubernetes' order of versions and by what a profile says of the way to a stable one. */
import type { ProfileName } from './comparison.types.ts'
import { parseVersion, type VersionName } from './version-priority.ts'

interface NameRequest {
  profile: ProfileName
  /** the version that is followed */
  from: string
  /** the names that there are already */
  taken: readonly string[]
  /** the name that somebody has chosen */
  chosen?: string
}

/** The chosen name where the profile lets it pass, else the one that it proposes. Undefined after a name that is no version. */
export function nextVersionName({ profile, from, taken, chosen }: NameRequest): string | undefined {
  const old = parseVersion(from)
  const asked = chosen === undefined ? undefined : parseVersion(chosen)
  if (chosen !== undefined && (old === undefined || asked === undefined)) return chosen
  if (old === undefined) return undefined
  if (asked !== undefined && passes(profile, old, asked)) return chosen
  return firstFree(asked === undefined ? successors[profile](old) : instead(profile, old), taken)
}

/** NGINX Gateway Fabric goes straight to v1; AI Runway goes from alpha over beta. */
function passes(profile: ProfileName, old: VersionName, asked: VersionName): boolean {
  if (profile === 'ngf') return asked.stability !== 'beta'
  return !(profile === 'kubeairunway' && old.stability === 'alpha' && asked.stability === 'stable')
}

function instead(profile: ProfileName, { major }: VersionName): VersionName {
  return profile === 'ngf' ? { major, stability: 'stable', minor: 0 } : { major, stability: 'beta', minor: 1 }
}

/** v1alpha1 to v1alpha2; what is stable begins anew as alpha. */
const inSequence = ({ major, stability, minor }: VersionName): VersionName =>
  stability === 'stable' ? { major: major + 1, stability: 'alpha', minor: 1 } : { major, stability, minor: minor + 1 }

const successors: Readonly<Record<ProfileName, (old: VersionName) => VersionName>> = {
  kubernetes: inSequence,
  olm: inSequence,
  strict: inSequence,
  ngf: (old) => (old.stability === 'beta' ? { ...old, stability: 'stable', minor: 0 } : inSequence(old)),
  kubeairunway: (old) => {
    if (old.stability === 'stable') return inSequence(old)
    return old.stability === 'alpha'
      ? { ...old, stability: 'beta', minor: 1 }
      : { ...old, stability: 'stable', minor: 0 }
  },
}

function firstFree(name: VersionName, taken: readonly string[]): string {
  let candidate = name
  while (taken.includes(write(candidate))) candidate = following(candidate)
  return write(candidate)
}

const following = (name: VersionName): VersionName =>
  name.stability === 'stable' ? { ...name, major: name.major + 1 } : { ...name, minor: name.minor + 1 }

const write = ({ major, stability, minor }: VersionName) =>
  stability === 'stable' ? `v${major}` : `v${major}${stability}${minor}`
