/** status.storedVersions of the CRDs: what etcd may still hold. */
import type { CrdState } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { crdReference, isOfProduct } from '../crd-subject.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { migrateCommand } from '../own-command.ts'

export const check: ClusterCheck = {
  ids: ['stored-version-unserved', 'stored-versions-not-trimmed'],
  group: 'crds',
  title: 'objects are stored in one version only',
  reads: ['crds'],
  needs: 'cluster',
  run: (context) => context.inventory.crds.flatMap((crd) => judge(crd, context)),
}

function judge(crd: CrdState, context: CheckContext): Finding[] {
  const storage = crd.versions.find((version) => version.storage)?.name
  const old = crd.storedVersions.filter((name) => name !== storage).toSorted()
  if (old.length === 0 || storage === undefined) return []
  const unserved = old.filter((name) => !crd.versions.some((version) => version.name === name && version.served))
  const ours = isOfProduct(crd, context)
  const severity = ours ? 'warning' : 'info'
  const evidence = { storedVersions: crd.storedVersions.toSorted(), storage }
  const cause = `status.storedVersions only grows by itself: ${old.join(', ')} was a storage version once, and nobody has rewritten the objects and taken it out since. Objects may still be stored in it.`
  const fix = {
    text: `Before a release drops ${old.join(', ')}, move every object to ${storage} and trim status.storedVersions to [${storage}]; migrate proves that nothing is left.`,
    command: migrateCommand(context, crd.name),
  }
  if (unserved.length > 0) {
    return [
      finding({
        id: 'stored-version-unserved',
        severity,
        title: `${crd.name} may hold objects in ${unserved.join(', ')}, which is no longer served`,
        object: crdReference(crd.name),
        evidence: { ...evidence, unserved },
        cause: `${cause} It is not served any more, so only its entry in spec.versions keeps them readable.`,
        fix,
      }),
    ]
  }
  return [
    finding({
      id: 'stored-versions-not-trimmed',
      severity,
      title: `${crd.name} may hold objects in ${old.join(', ')} besides ${storage}`,
      object: crdReference(crd.name),
      evidence,
      cause,
      fix,
    }),
  ]
}
