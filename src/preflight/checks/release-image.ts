/** Tells that the controller's image is not run as the manifest has it. */
import type { ReleaseCheck } from '../check.types.ts'
import { finding } from '../finding.ts'

export const check: ReleaseCheck = {
  ids: ['controller-image-rewritten'],
  group: 'release',
  title: 'the manifest of the release names the image that will run',
  reads: [],
  needs: 'release',
  run({ release }) {
    const { image, pinnedImage, ref } = release.controller
    if (image === pinnedImage) return []
    return [
      finding({
        id: 'controller-image-rewritten',
        severity: 'info',
        title: `the controller will run ${pinnedImage}, not ${image}`,
        object: ref,
        evidence: { written: image, pinned: pinnedImage, release: release.version },
        cause:
          "Published manifests name a mutable tag, or another registry than the one in use. Applied as they are, they need not even change the running binary, and any restart of a pod may change it later. So the release's own tag is used, on the registry that runs now.",
        fix: { text: 'Nothing to do. --registry changes the registry.' },
      }),
    ]
  },
}
