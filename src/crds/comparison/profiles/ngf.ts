/** The CRD versioning policy of NGINX Gateway Fabric. */
import type { Profile } from '../profile.types.ts'
import { newVersion, removedFields, withinVersion } from './ngf-schema-checks.ts'
import { deprecation, graduation, initialVersion, installed, storage, versionCount } from './ngf-version-checks.ts'

export const ngf: Profile = {
  name: 'ngf',
  title: 'the CRD versioning policy of NGINX Gateway Fabric',
  levels: [
    // What asks for a new version with a webhook is no breaking change, for which alone alpha is allowed more.
    {
      ids: [
        'crd.property.renamed',
        'crd.type.*',
        'crd.int-or-string.removed',
        'crd.additional-properties.structure-changed',
      ],
      scopes: ['same-version'],
      to: 'as it is',
    },
    { scopes: ['same-version'], stabilities: ['alpha'], from: 'error', to: 'warning' },
    { ids: ['crd.property.added-with-default'], to: 'warning' },
    // A breaking change is a new version without a webhook: that versions differ unconverted is what the policy asks for then.
    { ids: ['crd.conversion.none-between-different-schemas'], to: 'warning' },
    // When it comes to be stored, users have had three releases to change their resources: that a version may do so is checked.
    { scopes: ['served-pair', 'storage-pair'], from: 'error', to: 'warning' },
    // Old versions go; whether it is time says a check of the policy.
    { ids: ['crd.version.removed', 'crd.version.unserved'], from: 'error', to: 'warning' },
  ],
  policies: [withinVersion, newVersion, removedFields, versionCount, deprecation, storage, graduation, installed],
  policiesForNew: [initialVersion],
}
