/** Whom to trust, and as what a server must prove itself. */
import { getCACertificates } from 'node:tls'
import { material } from './credentials.ts'
import type { KubeconfigCluster } from './kubeconfig.types.ts'

export interface TlsSettings {
  ca?: string[]
  rejectUnauthorized: boolean
  servername?: string
}

/**
 * The TLS settings of a cluster. Without an authority in the kubeconfig the system's roots count, as with kubectl;
 * Node's own list comes beside them. Throws ConfigurationError where a file cannot be read.
 */
export function tlsSettings(cluster: KubeconfigCluster): TlsSettings {
  const servername = cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}
  if (cluster.insecureSkipTlsVerify) return { rejectUnauthorized: false, ...servername }
  const own = certificateAuthority(cluster)
  return { ca: own === undefined ? commonRoots() : [own], rejectUnauthorized: true, ...servername }
}

/** The cluster's certificate authority in PEM, from its data or its file. */
export function certificateAuthority(cluster: KubeconfigCluster): string | undefined {
  return material(cluster.certificateAuthorityData, cluster.certificateAuthority, 'the certificate authority')
}

function commonRoots(): string[] {
  const roots = new Set(getCACertificates('default'))
  try {
    for (const root of getCACertificates('system')) roots.add(root)
  } catch {
    // A machine without a readable store has Node's list.
  }
  return [...roots]
}
