/** Whom to trust, and as what a server must prove itself. */
import { X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { material } from './credentials.ts'
import { ConfigurationError } from './errors.ts'
import type { KubeconfigCluster } from './kubeconfig.types.ts'

export interface TlsSettings {
  ca?: string[]
  rejectUnauthorized: boolean
  servername?: string
}

/**
 * The TLS settings of a cluster. Without an authority in the kubeconfig the system's roots count, as with kubectl;
 * Node's own list comes beside them. Throws ConfigurationError where the
 * authority cannot be read.
 */
export function tlsSettings(cluster: KubeconfigCluster): TlsSettings {
  const servername = cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}
  if (cluster.insecureSkipTlsVerify) return { rejectUnauthorized: false, ...servername }
  const own = certificateAuthority(cluster)
  return { ca: own === undefined ? commonRoots() : [own], rejectUnauthorized: true, ...servername }
}

/** The cluster's certificate authority in PEM, from its data or its file. Throws ConfigurationError where it is none. */
export function certificateAuthority(cluster: KubeconfigCluster): string | undefined {
  const { certificateAuthorityData: data, certificateAuthority: file } = cluster
  const what = data ? `certificate-authority-data of the cluster "${cluster.name}"` : `certificate-authority ${file}`
  if (data && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)) throw new ConfigurationError(`${what} is not base64`)
  const pem = material(data, file, 'the certificate authority')
  // Node takes a text without any certificate in silence, and then trusts nobody.
  if (pem !== undefined && !beginsWithCertificate(pem)) {
    throw new ConfigurationError(`${what} holds no certificate in PEM`)
  }
  return pem
}

function beginsWithCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
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
