/** The API server's minor against the row of the compatibility matrix. */
import { fitMinor } from '../../releases/compatibility.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { acceptCommand } from '../own-command.ts'
import { compatibilityOf, versionInQuestion } from '../subject.ts'

export const check: ClusterCheck = {
  ids: ['kubernetes-older-than-supported', 'kubernetes-newer-than-tested', 'kubernetes-no-matrix-row'],
  group: 'kubernetes',
  title: 'Kubernetes is a version that the controller was tested with',
  reads: ['deployments'],
  needs: 'cluster',
  run(context) {
    const version = versionInQuestion(context)
    // an unknown controller version has a finding of its own: no row can be looked up for it
    if (version === undefined) return []
    const match = compatibilityOf(context).row
    if (!match?.row.kubernetes) return [noRow(version, context)]
    return outOfRange(context, version, match.row.kubernetes, match.source)
  },
}

/** Only the minor counts: matrices are written in minors, and a patch never changes an API. */
function outOfRange(context: CheckContext, version: string, range: string, source: string): Finding[] {
  const { server } = context.inventory
  const minor = `${server.major}.${server.minor}`
  const fit = fitMinor(server.major, server.minor, range)
  const evidence = { kubernetes: minor, supported: range, controller: version, source }
  if (fit === 'below' || fit === 'outside') {
    return [
      finding({
        id: 'kubernetes-older-than-supported',
        severity: 'error',
        title: `Kubernetes ${minor} is ${fit === 'below' ? 'older than' : 'not among what'} ${version} supports (${range})`,
        evidence,
        cause: `${source} lists Kubernetes ${range} for ${version}; the API server is ${server.gitVersion}. APIs that the release uses may be missing.`,
        fix: {
          text: `Upgrade the cluster to a Kubernetes version within ${range} first, or choose a release for ${minor}.`,
        },
      }),
    ]
  }
  if (fit === 'above') {
    return [
      finding({
        id: 'kubernetes-newer-than-tested',
        severity: 'warning',
        title: `Kubernetes ${minor} is newer than ${version} was tested with (${range})`,
        evidence,
        cause: `${source} lists Kubernetes ${range} for ${version}; the API server is ${server.gitVersion}. Nothing is known to break, and nothing was tested.`,
        fix: {
          text: 'Try the upgrade on a test cluster of this Kubernetes version, then accept the finding with the reason.',
          command: acceptCommand(context, 'kubernetes-newer-than-tested', 'tried on a test cluster'),
        },
      }),
    ]
  }
  return []
}

function noRow(version: string, context: CheckContext): Finding {
  const { server } = context.inventory
  const sources = context.compatibility.map(({ source }) => source)
  return finding({
    id: 'kubernetes-no-matrix-row',
    severity: 'warning',
    title: `no compatibility row says which Kubernetes versions ${version} supports`,
    evidence: { kubernetes: `${server.major}.${server.minor}`, controller: version, sources },
    cause: `None of the known matrices (${sources.join('; ') || 'none'}) has a row with Kubernetes versions for ${version}.`,
    fix: { text: 'Take the row from the release notes, write it to a file and pass it with --compatibility FILE.' },
  })
}
