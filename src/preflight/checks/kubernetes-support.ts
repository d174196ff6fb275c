/** Whether the project Kubernetes still maintains the API server's minor. */
import type { ServerVersion } from '../../kubernetes/client.types.ts'
import type { ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'

export const check: ClusterCheck = {
  ids: ['kubernetes-end-of-life', 'kubernetes-support-unknown'],
  group: 'kubernetes',
  title: 'Kubernetes is still maintained',
  reads: [],
  needs: 'cluster',
  run({ inventory, kubernetesSupport, today }) {
    const minor = `${inventory.server.major}.${inventory.server.minor}`
    const { asOf, minors } = kubernetesSupport
    const row = minors.find((candidate) => candidate.minor === minor)
    const date = today.toISOString().slice(0, 10)
    // the end-of-life day itself is still covered
    const over = row ? date > row.endOfLife : minors.every((known) => isOlder(inventory.server, known.minor))
    if (over) {
      return [
        finding({
          id: 'kubernetes-end-of-life',
          severity: 'warning',
          title: `Kubernetes ${minor} is no longer maintained`,
          evidence: { kubernetes: minor, endOfLife: row?.endOfLife ?? 'before the table begins' },
          cause: `The Kubernetes project ended maintenance of ${minor}${row ? ` on ${row.endOfLife}` : ''} (table as of ${asOf}): no security fixes since. A vendor may support it longer.`,
          fix: {
            text: "Plan the upgrade of the cluster; accept the finding where the vendor's extended support covers it.",
          },
        }),
      ]
    }
    if (row) return []
    return [
      finding({
        id: 'kubernetes-support-unknown',
        severity: 'info',
        title: `whether Kubernetes ${minor} is maintained is not known here`,
        evidence: { kubernetes: minor, asOf },
        cause: `The table of Kubernetes releases in this tool ends before ${minor} (as of ${asOf}).`,
        fix: { text: 'Look it up at kubernetes.io/releases, or use a newer version of this plugin.' },
      }),
    ]
  },
}

function isOlder(server: ServerVersion, minor: string): boolean {
  const [major = 0, number = 0] = minor.split('.').map(Number)
  return server.major === major ? server.minor < number : server.major < major
}
