/** The release's CRDs must keep every version that objects may be stored in. */
import type { CrdState } from '../../installation/inventory.types.ts'
import type { ServerVersion } from '../../kubernetes/client.types.ts'
import type { AnyObject } from '../../kubernetes/objects.ts'
import type { ReleaseCheck, ReleaseContext } from '../check.types.ts'
import { crdReference } from '../crd-subject.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { migrateCommand } from '../own-command.ts'

export const check: ReleaseCheck = {
  ids: ['stored-version-dropped'],
  group: 'crds',
  title: 'the release keeps every version that objects may be stored in',
  reads: ['crds'],
  needs: 'release',
  run: (context) =>
    context.release.objects
      .filter(({ role }) => role === 'crd')
      .flatMap(({ object }) => {
        const crd = context.inventory.crds.find(({ name }) => name === object.metadata.name)
        return crd ? judge(crd, object, context) : []
      }),
}

function judge(crd: CrdState, target: AnyObject, context: ReleaseContext): Finding[] {
  const { release, inventory } = context
  const kept = versionNames(target)
  const dropped = crd.storedVersions.filter((name) => !kept.includes(name)).toSorted()
  if (dropped.length === 0) return []
  const storage = crd.versions.find((version) => version.storage)?.name ?? kept[0] ?? ''
  const names = dropped.join(', ')
  // Where an upgrade has held the storage version, another one that is there already may become it.
  const common = kept.filter((name) => crd.versions.some((version) => version.name === name))
  const goal = [storage, storageOf(target) ?? '', ...common].find((name) => common.includes(name))
  return [
    finding({
      id: 'stored-version-dropped',
      severity: 'error',
      title: `${release.version} drops ${names}, in which objects of ${crd.name} may be stored`,
      object: crdReference(crd.name),
      evidence: { storedVersions: crd.storedVersions.toSorted(), releaseVersions: kept.toSorted(), dropped },
      cause: `status.storedVersions lists ${names}, and the CRD of ${release.version} does not. The API server refuses it: "${refusalText(inventory.server, crd.storedVersions, dropped)}".`,
      fix:
        goal === undefined
          ? {
              text: `Go through a release that has both ${storage} and a version of ${release.version}, and move the stored objects there.`,
            }
          : {
              text: `Move every object to ${goal} and trim status.storedVersions to [${goal}], which migrate does and proves; after that the CRD is accepted.`,
              command: migrateCommand(context, crd.name, goal === storage ? undefined : goal),
            },
      // the API server refuses the CRD, whatever was accepted
      acceptable: false,
    }),
  ]
}

const versionNames = (crd: AnyObject): string[] => versionsOf(crd).map(({ name }) => name)

const storageOf = (crd: AnyObject): string | undefined => versionsOf(crd).find(({ storage }) => storage)?.name

function versionsOf(crd: AnyObject): { name: string; storage: boolean }[] {
  const spec = crd['spec']
  if (typeof spec !== 'object' || spec === null || !('versions' in spec) || !Array.isArray(spec.versions)) return []
  return spec.versions.flatMap((version: unknown) =>
    typeof version === 'object' && version !== null && 'name' in version && typeof version.name === 'string'
      ? [{ name: version.name, storage: 'storage' in version && version.storage === true }]
      : [],
  )
}

/** The words changed with Kubernetes 1.33. */
function refusalText(server: ServerVersion, stored: readonly string[], dropped: readonly string[]): string {
  const name = dropped[0] ?? ''
  const path = `status.storedVersions[${stored.indexOf(name)}]: Invalid value: "${name}": `
  return server.major === 1 && server.minor < 33
    ? `${path}must appear in spec.versions`
    : `${path}missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
}
