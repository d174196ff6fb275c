/** From connection flags, or from inside a pod, to a client. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { Client } from './client.ts'
import type { ConnectionFlags, KubernetesClient } from './client.types.ts'
import { serverName } from './connection-failure.ts'
import { credentialSource, impersonationHeaders, tokenFileSource } from './credentials.ts'
import type { CredentialSource } from './credentials.types.ts'
import { ConfigurationError } from './errors.ts'
import type { RetryEvent } from './exchange.ts'
import { type ExecRunner, execRunner } from './exec-plugin.ts'
import { type Environment, kubeconfigFiles, loadKubeconfig, select } from './kubeconfig.ts'
import type { KubeconfigCluster, KubeconfigUser, Selection } from './kubeconfig.types.ts'
import { proxyFor } from './proxy.ts'
import { parseRequestTimeout } from './request-timeout.ts'
import { serverUrl } from './server-url.ts'
import { certificateAuthority, tlsSettings } from './tls-settings.ts'
import type { Headers, Recorder } from './transport.types.ts'

export interface ConnectOptions {
  /** instead of `process.env` */
  env?: Environment
  /** name under which fields are owned; `kubectl-airunway` unless told otherwise */
  fieldManager?: string
  /** told every read and its answer */
  recorder?: Recorder
  /** told every request that is sent again after a pause */
  onRetry?: (event: RetryEvent) => void
  /** instead of real pauses between attempts; for tests */
  wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** whether a credential plugin may ask its user; whether stdin is a terminal unless told otherwise */
  terminal?: boolean
  /** instead of the clock; for tests */
  now?: () => number
}

/**
 * A client for the server that kubectl would talk to with these flags. Nothing is sent yet. Throws ConfigurationError
 * where the kubeconfig, a flag or a file of credentials is wrong; where there is no kubeconfig at all, but a pod's
 * service account, that is used, as kubectl does.
 */
export async function connect(flags: ConnectionFlags, options: ConnectOptions = {}): Promise<KubernetesClient> {
  const env = options.env ?? process.env
  const files = kubeconfigFiles(flags.kubeconfig, env)
  if (files.length === 0 && !flags.server && isInPod(env)) return connectInCluster(options)
  const selection = select(loadKubeconfig(files), flags)
  const credentials = credentialSource(selection.user, {
    exec: execFor(selection, env, options.terminal ?? isatty(0)),
    now: options.now ?? Date.now,
  })
  return assemble(selection, credentials, flags.requestTimeout, options)
}

/** Where pods find their service account. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * A client for a process in a pod: the service account's token, authority and namespace from the directory that
 * AIRUNWAY_SERVICEACCOUNT_DIR names (usually the one that is mounted), the server from KUBERNETES_SERVICE_HOST and
 * _PORT. Throws ConfigurationError where one of them is missing.
 */
export async function connectInCluster(
  options: ConnectOptions & { directory?: string } = {},
): Promise<KubernetesClient> {
  const env = options.env ?? process.env
  const directory = options.directory ?? (env.AIRUNWAY_SERVICEACCOUNT_DIR || serviceAccountDirectory)
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  if (!host || !port) {
    throw new ConfigurationError('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod')
  }
  const cluster: KubeconfigCluster = {
    name: 'in-cluster',
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    certificateAuthority: join(directory, 'ca.crt'),
  }
  const now = options.now ?? Date.now
  const credentials = tokenFileSource(join(directory, 'token'), {}, now)
  const namespace = readOptional(join(directory, 'namespace'))?.trim() || 'default'
  return assemble({ namespace, cluster, user: { name: '' } }, credentials, undefined, options)
}

async function assemble(
  selection: Selection,
  credentials: CredentialSource,
  requestTimeout: string | undefined,
  options: ConnectOptions,
): Promise<KubernetesClient> {
  const { cluster, user, namespace, context } = selection
  const server = serverUrl(cluster.server ?? '', hasTlsConfiguration(cluster, user))
  const { PoolTransport } = await import('./pool-transport.ts')
  const headers: Headers = { 'user-agent': 'kubectl-airunway', ...impersonationHeaders(user) }
  const transport = new PoolTransport({
    server,
    tls: server.protocol === 'https:' ? tlsSettings(cluster) : { rejectUnauthorized: true },
    proxy: proxyFor(server, cluster.proxyUrl, options.env ?? process.env),
    credentials,
    headers,
    requestTimeout: requestTimeout === undefined ? undefined : parseRequestTimeout(requestTimeout),
    compression: !cluster.disableCompression,
  })
  return new Client({
    transport,
    connection: {
      server: serverName(server),
      namespace,
      ...(context !== undefined && { context }),
      ...(user.name !== '' && { user: user.name }),
    },
    fieldManager: options.fieldManager ?? 'kubectl-airunway',
    recorder: options.recorder,
    onRetry: options.onRetry,
    wait: options.wait,
  })
}

function execFor({ cluster, user }: Selection, env: Environment, terminal: boolean): ExecRunner {
  const { exec } = user
  if (!exec) return () => Promise.reject(new ConfigurationError('the user has no credential plugin'))
  const ca = exec.provideClusterInfo ? certificateAuthority(cluster) : undefined
  return execRunner(exec, cluster, {
    env,
    terminal,
    certificateAuthority: ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
  })
}

function hasTlsConfiguration(cluster: KubeconfigCluster, user: KubeconfigUser): boolean {
  return Boolean(
    cluster.certificateAuthority ||
      cluster.certificateAuthorityData ||
      cluster.insecureSkipTlsVerify ||
      user.clientCertificate ||
      user.clientCertificateData,
  )
}

function isInPod(env: Environment): boolean {
  const directory = env.AIRUNWAY_SERVICEACCOUNT_DIR || serviceAccountDirectory
  return Boolean(env.KUBERNETES_SERVICE_HOST && env.KUBERNETES_SERVICE_PORT && readOptional(join(directory, 'token')))
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
