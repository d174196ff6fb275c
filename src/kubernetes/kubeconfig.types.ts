/** The parts of a kubeconfig that say how to reach a server and as whom. Paths are absolute, except those of flags. */

export interface KubeconfigCluster {
  name: string
  server?: string
  tlsServerName?: string
  insecureSkipTlsVerify?: boolean
  certificateAuthority?: string
  certificateAuthorityData?: string
  proxyUrl?: string
  disableCompression?: boolean
  /** configuration for exec plugins, passed on as it is */
  execConfig?: unknown
}

export interface ExecConfig {
  apiVersion: string
  command: string
  args: string[]
  env: { name: string; value: string }[]
  interactiveMode?: string
  installHint?: string
  provideClusterInfo: boolean
}

export interface AuthProviderConfig {
  name: string
  config: Record<string, string>
}

export interface KubeconfigUser {
  name: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  clientCertificate?: string
  clientCertificateData?: string
  clientKey?: string
  clientKeyData?: string
  as?: string
  asUid?: string
  asGroups?: string[]
  asUserExtra?: Record<string, string[]>
  exec?: ExecConfig
  authProvider?: AuthProviderConfig
}

export interface KubeconfigContext {
  name: string
  cluster?: string
  user?: string
  namespace?: string
}

export interface Kubeconfig {
  currentContext?: string
  clusters: KubeconfigCluster[]
  users: KubeconfigUser[]
  contexts: KubeconfigContext[]
}

/** What a kubeconfig and the flags come to: one cluster, one user, one namespace. */
export interface Selection {
  context?: string
  namespace: string
  cluster: KubeconfigCluster
  user: KubeconfigUser
}
