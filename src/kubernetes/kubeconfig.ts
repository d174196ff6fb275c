/** The kubeconfig as kubectl reads it: which files, how they are merged, and what the connection flags change. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { ConnectionFlags } from './client.types.ts'
import { ConfigurationError } from './errors.ts'
import type { Kubeconfig, KubeconfigCluster, KubeconfigContext, KubeconfigUser, Selection } from './kubeconfig.types.ts'
import { parseKubeconfig } from './kubeconfig-parse.ts'

export type Environment = Record<string, string | undefined>

/**
 * The files to read, in order: `--kubeconfig` alone; else those of KUBECONFIG; else `~/.kube/config`. Files that do
 * not exist are left out, but `--kubeconfig` must exist (ConfigurationError).
 */
export function kubeconfigFiles(explicit: string | undefined, env: Environment): string[] {
  if (explicit) {
    if (!existsSync(explicit)) throw new ConfigurationError(`the kubeconfig ${explicit} does not exist`)
    return [explicit]
  }
  const listed = env.KUBECONFIG
    ? env.KUBECONFIG.split(delimiter).filter((file) => file !== '')
    : [join(env.HOME || homedir(), '.kube', 'config')]
  return [...new Set(listed)].filter((file) => existsSync(file))
}

/** Reads and merges the files. Throws ConfigurationError where one cannot be read. */
export function loadKubeconfig(files: string[]): Kubeconfig {
  return mergeKubeconfigs(
    files.map((file) => {
      try {
        return parseKubeconfig(readFileSync(file, 'utf8'), file)
      } catch (error) {
        if (error instanceof ConfigurationError) throw error
        throw new ConfigurationError(`cannot read the kubeconfig ${file}: ${codeOf(error)}`)
      }
    }),
  )
}

/** The first file that sets a value, or defines a name, wins whole: entries of the same name are never mixed. */
export function mergeKubeconfigs(configs: Kubeconfig[]): Kubeconfig {
  const currentContext = configs.find((config) => config.currentContext !== undefined)?.currentContext
  return {
    ...(currentContext !== undefined && { currentContext }),
    clusters: firstByName(configs.flatMap((config) => config.clusters)),
    users: firstByName(configs.flatMap((config) => config.users)),
    contexts: firstByName(configs.flatMap((config) => config.contexts)),
  }
}

/**
 * The cluster, user and namespace to talk to. Flags win over the context, the context over nothing at all. Throws
 * ConfigurationError where a name leads nowhere, or no server is named; kubectl would go to localhost:8080 then.
 */
export function select(config: Kubeconfig, flags: ConnectionFlags): Selection {
  const contextName = flags.context ?? config.currentContext
  const context = findContext(config, contextName)
  const cluster = overrideCluster(findCluster(config, flags, context), flags)
  const user = overrideUser(findUser(config, flags, context), flags)
  if (!cluster.server) {
    throw new ConfigurationError('no cluster is configured: the kubeconfig names no server', {
      fix: 'set KUBECONFIG, or pass --kubeconfig, --context or --server',
    })
  }
  checkCluster(cluster)
  checkUser(user)
  return {
    ...(contextName !== undefined && context && { context: contextName }),
    namespace: flags.namespace || context?.namespace || 'default',
    cluster,
    user,
  }
}

function findContext(config: Kubeconfig, name: string | undefined): KubeconfigContext | undefined {
  if (!name) return undefined
  const context = config.contexts.find((candidate) => candidate.name === name)
  if (context) return context
  const known = config.contexts.map((candidate) => candidate.name).join(', ') || 'none'
  throw new ConfigurationError(`the context "${name}" does not exist`, { fix: `contexts in the kubeconfig: ${known}` })
}

function findCluster(config: Kubeconfig, flags: ConnectionFlags, context?: KubeconfigContext): KubeconfigCluster {
  const name = flags.cluster || context?.cluster
  if (!name) return { name: '' }
  const cluster = config.clusters.find((candidate) => candidate.name === name)
  if (cluster) return cluster
  if (flags.cluster) throw new ConfigurationError(`the cluster "${name}" does not exist in the kubeconfig`)
  // What a flag says is enough, whatever the context says.
  if (flags.server) return { name: '' }
  throw new ConfigurationError(`the cluster "${name}" of the context "${context?.name}" does not exist`)
}

function findUser(config: Kubeconfig, flags: ConnectionFlags, context?: KubeconfigContext): KubeconfigUser {
  const name = flags.user || context?.user
  if (!name) return { name: '' }
  const user = config.users.find((candidate) => candidate.name === name)
  if (user) return user
  if (flags.user) throw new ConfigurationError(`the user "${name}" does not exist in the kubeconfig`)
  if (flags.token || flags.clientCertificate) return { name: '' }
  // kubectl would go on as nobody, and be told "Unauthorized".
  throw new ConfigurationError(`the user "${name}" of the context "${context?.name}" does not exist`)
}

// client-go: a flag about trust clears the file's trust settings, and a new server clears the file's server name.
function overrideCluster(cluster: KubeconfigCluster, flags: ConnectionFlags): KubeconfigCluster {
  const result = { ...cluster }
  if (flags.server) result.server = flags.server
  if (flags.insecureSkipTlsVerify || flags.certificateAuthority) {
    delete result.certificateAuthority
    delete result.certificateAuthorityData
    result.insecureSkipTlsVerify = flags.insecureSkipTlsVerify ?? false
    if (flags.certificateAuthority) result.certificateAuthority = flags.certificateAuthority
  } else if (flags.insecureSkipTlsVerify === false) {
    result.insecureSkipTlsVerify = false
  }
  if (flags.server || flags.tlsServerName) delete result.tlsServerName
  if (flags.tlsServerName) result.tlsServerName = flags.tlsServerName
  return result
}

function overrideUser(user: KubeconfigUser, flags: ConnectionFlags): KubeconfigUser {
  const result = { ...user }
  if (flags.token) {
    result.token = flags.token
    delete result.tokenFile
  }
  if (flags.clientCertificate) {
    result.clientCertificate = flags.clientCertificate
    delete result.clientCertificateData
  }
  if (flags.clientKey) {
    result.clientKey = flags.clientKey
    delete result.clientKeyData
  }
  if (flags.as) result.as = flags.as
  if (flags.asUid) result.asUid = flags.asUid
  if (flags.asGroup && flags.asGroup.length > 0) result.asGroups = flags.asGroup
  return result
}

function checkCluster(cluster: KubeconfigCluster): void {
  if (cluster.insecureSkipTlsVerify && (cluster.certificateAuthority || cluster.certificateAuthorityData)) {
    throw new ConfigurationError(`the cluster "${cluster.name}" names a certificate authority and skips its check`, {
      fix: 'remove one of certificate-authority and insecure-skip-tls-verify',
    })
  }
}

function checkUser(user: KubeconfigUser): void {
  const others = Boolean(user.asUid || user.asGroups?.length || Object.keys(user.asUserExtra ?? {}).length > 0)
  if (others && !user.as) {
    throw new ConfigurationError('a uid, groups or extra values are impersonated without a user', {
      fix: 'pass --as as well',
    })
  }
}

function firstByName<T extends { name: string }>(entries: T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()].toReversed()
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}
