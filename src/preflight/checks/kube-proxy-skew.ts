/** kube-proxy against the API server, where a node tells its version. */
import type { NodeState } from '../../installation/inventory.types.ts'
import type { ServerVersion } from '../../kubernetes/client.types.ts'
import type { ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { skewOf } from '../skew.ts'

export const check: ClusterCheck = {
  ids: ['kube-proxy-too-old', 'kube-proxy-newer-than-server'],
  group: 'kubernetes',
  title: 'kube-proxy is within the version skew of the API server',
  reads: ['nodes'],
  needs: 'cluster',
  run: ({ inventory }) => inventory.nodes.flatMap((node) => judge(node, inventory.server)),
}

/**
 * The kubelet fills in `kubeProxyVersion`, with its own version: the field is deprecated for that reason (KEP-4004).
 * So it tells something only where it differs from the kubelet's.
 */
function judge(node: NodeState, server: ServerVersion): Finding[] {
  const version = node.kubeProxyVersion
  if (!version || version === node.kubeletVersion) return []
  const skew = skewOf(version, server)
  if (!skew || skew.verdict === 'within') return []
  const minor = `${server.major}.${server.minor}`
  const newer = skew.verdict === 'newer'
  return [
    finding({
      id: newer ? 'kube-proxy-newer-than-server' : 'kube-proxy-too-old',
      severity: 'error',
      title: newer
        ? `kube-proxy ${version} is newer than the API server (${minor})`
        : `kube-proxy ${version} is ${skew.behind} minors behind the API server (${minor})`,
      object: { apiVersion: 'v1', kind: 'Node', name: node.name },
      evidence: { kubeProxy: skew.minor, server: minor, allowedMinorsBehind: skew.allowed },
      cause: `The version skew policy of Kubernetes allows kube-proxy to be at most ${skew.allowed} minors older than the API server and never newer. Services may not reach their pods.`,
      fix: { text: `Bring kube-proxy on this node to the version of its kubelet, ${node.kubeletVersion}.` },
    }),
  ]
}
