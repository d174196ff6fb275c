/** Kubelets against the API server, by the version skew policy of Kubernetes. */
import type { NodeState } from '../../installation/inventory.types.ts'
import type { ServerVersion } from '../../kubernetes/client.types.ts'
import type { ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { skewOf } from '../skew.ts'

export const check: ClusterCheck = {
  ids: ['kubelet-too-old', 'kubelet-newer-than-server'],
  group: 'kubernetes',
  title: 'kubelets are within the version skew of the API server',
  reads: ['nodes'],
  needs: 'cluster',
  run: ({ inventory }) => inventory.nodes.flatMap((node) => judge(node, inventory.server)),
}

function judge(node: NodeState, server: ServerVersion): Finding[] {
  const skew = skewOf(node.kubeletVersion, server)
  if (!skew || skew.verdict === 'within') return []
  const minor = `${server.major}.${server.minor}`
  const object = { apiVersion: 'v1', kind: 'Node', name: node.name }
  if (skew.verdict === 'newer') {
    return [
      finding({
        id: 'kubelet-newer-than-server',
        severity: 'error',
        title: `kubelet ${node.kubeletVersion} is newer than the API server (${minor})`,
        object,
        evidence: { kubelet: skew.minor, server: minor },
        cause: 'A kubelet must never be newer than the API server: it may use APIs that the server does not have.',
        fix: { text: `Upgrade the control plane first, or bring the node back to ${minor}.` },
      }),
    ]
  }
  return [
    finding({
      id: 'kubelet-too-old',
      severity: 'error',
      title: `kubelet ${node.kubeletVersion} is ${skew.behind} minors behind the API server (${minor})`,
      object,
      evidence: { kubelet: skew.minor, server: minor, allowedMinorsBehind: skew.allowed },
      cause: `The version skew policy of Kubernetes allows a kubelet ${skew.minor} at most ${skew.allowed} minors behind the API server. Pods on this node may not start or may be reported wrongly.`,
      fix: {
        text: `Drain the node and upgrade its kubelet to at least ${server.major}.${oldestAllowed(server)}.`,
        command: `kubectl drain ${node.name} --ignore-daemonsets`,
      },
    }),
  ]
}

/** The oldest minor of a kubelet that this server allows: three behind it, but only two where that is below 1.25. */
function oldestAllowed({ minor }: ServerVersion): number {
  return minor - 3 >= 25 ? minor - 3 : Math.min(minor - 2, 25)
}
