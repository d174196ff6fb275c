/** Shims that the upgrade leaves as they are. */
import type { InstalledShim } from '../../installation/inventory.types.ts'
import type { ReleaseCheck, ReleaseContext } from '../check.types.ts'
import { finding } from '../finding.ts'

export const check: ReleaseCheck = {
  ids: ['shim-stays'],
  group: 'release',
  title: 'the images of all installed shims are known for the release',
  reads: ['deployments'],
  needs: 'release',
  run: (context) =>
    context.inventory.shims.flatMap((shim) => {
      const reason = reasonToStay(shim, context)
      if (!reason) return []
      return [
        finding({
          id: 'shim-stays',
          severity: 'info',
          title: `the shim ${shim.name} stays at ${shim.image}`,
          object: shim.deployment,
          evidence: { shim: shim.name, image: shim.image, release: context.release.version, reason },
          cause: `${reason} A shim has a version of its own, independent of the controller's: it is not guessed.`,
          fix: { text: `Name its image where it should move too: --image ${shim.name}=REPOSITORY:TAG` },
        }),
      ]
    }),
}

function reasonToStay(shim: InstalledShim, { release }: ReleaseContext): string | undefined {
  const target = release.shims.find(({ name }) => name === shim.name)
  if (!target) return `${release.version} comes without a file for this shim.`
  if (target.pinnedImage === undefined)
    return `${release.version} does not say which image belongs to it (its file says ${target.image}).`
  return undefined
}
