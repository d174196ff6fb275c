/** All profiles. A new profile is one entry here. */
import type { ProfileName } from './comparison.types.ts'
import type { Profile } from './profile.types.ts'
import { kubeairunway } from './profiles/kubeairunway.ts'
import { kubernetes } from './profiles/kubernetes.ts'
import { ngf } from './profiles/ngf.ts'
import { olm, strict } from './profiles/strict.ts'

export const profiles: Readonly<Record<ProfileName, Profile>> = { kubeairunway, kubernetes, ngf, olm, strict }

/** The names of all profiles, in the order in which they are shown. */
export const profileNames: readonly ProfileName[] = ['kubernetes', 'kubeairunway', 'ngf', 'olm', 'strict']
