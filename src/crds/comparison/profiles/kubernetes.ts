/** Kubernetes' own rules for changing an API, as they stand beside each rule: no version is excused by its name. */
import type { Profile } from '../profile.types.ts'

export const kubernetes: Profile = {
  name: 'kubernetes',
  title: 'what Kubernetes asks of a change within a version and of a conversion between versions',
  levels: [],
  policies: [],
  policiesForNew: [],
}
