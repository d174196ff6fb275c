/** How far a node component may lag behind the API server. */
import type { ServerVersion } from '../kubernetes/client.types.ts'

export interface Skew {
  verdict: 'within' | 'behind' | 'newer'
  /** of the component, `1.32` */
  minor: string
  behind: number
  allowed: number
}

/**
 * Judges the version of a kubelet or kube-proxy, vendors' suffixes left aside (`v1.31.0-eks-1234`, `v1.32.4+k3s1`); undefined where it is unreadable.
 * Since 1.28 the skew policy of Kubernetes allows three minors; components older than 1.25 are allowed two.
 */
export function skewOf(version: string, server: ServerVersion): Skew | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  if (minor === undefined || Number(major) !== server.major) return undefined
  const behind = server.minor - Number(minor)
  const allowed = Number(minor) < 25 ? 2 : 3
  const verdict = behind < 0 ? 'newer' : behind > allowed ? 'behind' : 'within'
  return { verdict, minor: `${major}.${minor}`, behind, allowed }
}
