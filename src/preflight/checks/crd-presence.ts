/** The product's own CRDs are there and not about to go. */
import type { ClusterCheck } from '../check.types.ts'
import { crdReference } from '../crd-subject.ts'
import { finding } from '../finding.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['crd-missing', 'crd-terminating'],
  group: 'crds',
  title: 'the CRDs are there and none is being deleted',
  reads: ['deployments', 'crds'],
  needs: 'cluster',
  run({ inventory }) {
    const wanted = inventory.installs.flatMap(({ product }) => Object.values(product.crds))
    const missing = couldRead(inventory, 'crds')
      ? [...new Set(wanted)].filter((name) => !inventory.crds.some((crd) => crd.name === name)).toSorted()
      : []
    return [
      ...missing.map((name) =>
        finding({
          id: 'crd-missing',
          severity: 'error',
          title: `the CRD ${name} is missing`,
          object: crdReference(name),
          evidence: { crd: name },
          cause: 'A controller is installed and the CRD that it works on is not: all its objects are gone with it.',
          fix: { text: 'Apply the CRDs of the installed release, then restore the objects from a backup.' },
        }),
      ),
      ...inventory.crds
        .filter(({ terminating }) => terminating)
        .map(({ name }) =>
          finding({
            id: 'crd-terminating',
            severity: 'error',
            title: `the CRD ${name} is being deleted`,
            object: crdReference(name),
            evidence: { crd: name, terminating: true },
            cause:
              'The CRD carries a deletion timestamp: the API server takes no more writes of its objects and deletes all of them.',
            fix: {
              text: 'Back up what is left of the objects now. A deletion cannot be called back; afterwards apply the CRD again and restore.',
              command: `kubectl get ${name} -A -o yaml > ${name}.yaml`,
            },
            acceptable: false,
          }),
        ),
    ]
  },
}
