/** Runs a credential plugin of a kubeconfig (`exec`), by the client.authentication.k8s.io protocol. */
import { spawn } from 'node:child_process'
import type { ClientCertificate } from './credentials.types.ts'
import { ConfigurationError, CredentialError } from './errors.ts'
import type { Environment } from './kubeconfig.ts'
import type { ExecConfig, KubeconfigCluster } from './kubeconfig.types.ts'

export interface ExecResult {
  token?: string
  clientCertificate?: ClientCertificate
  /** milliseconds since 1970 */
  expiresAt: number | undefined
}

export type ExecRunner = () => Promise<ExecResult>

interface ExecCredential {
  apiVersion?: string
  kind?: string
  status?: {
    token?: string
    clientCertificateData?: string
    clientKeyData?: string
    expirationTimestamp?: string
  }
}

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/**
 * A runner of one user's plugin. What the plugin writes to stderr goes to the terminal, so that logins can be seen;
 * its output, which holds the credential, is never part of an error. `certificateAuthority` is base64, for plugins
 * that ask for the cluster. Each run throws ConfigurationError where the plugin is missing or answers wrongly, and
 * CredentialError where it fails: a login that has ended, mostly.
 */
export function execRunner(
  exec: ExecConfig,
  cluster: KubeconfigCluster,
  options: { env: Environment; terminal: boolean; certificateAuthority?: string | undefined },
): ExecRunner {
  return async () => {
    const interactive = isInteractive(exec, options.terminal)
    const info = JSON.stringify(execInfo(exec, cluster, interactive, options.certificateAuthority))
    const variables = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]))
    const env = { ...options.env, ...variables, KUBERNETES_EXEC_INFO: info }
    return parseExecCredential(await run(exec, env, interactive), exec)
  }
}

/** Whether the plugin gets the terminal: v1 must say when, v1beta1 gets it where there is one. */
export function isInteractive(exec: ExecConfig, terminal: boolean): boolean {
  if (!versions.includes(exec.apiVersion)) {
    throw new ConfigurationError(`the credential plugin ${exec.command} speaks ${exec.apiVersion || 'no version'}`, {
      fix: `update the plugin, or the kubeconfig, to ${versions[0]}`,
    })
  }
  const mode = exec.interactiveMode ?? (exec.apiVersion.endsWith('/v1beta1') ? 'IfAvailable' : undefined)
  if (mode === 'Never') return false
  if (mode === 'IfAvailable') return terminal
  if (mode === 'Always') {
    if (terminal) return true
    throw new ConfigurationError(`the credential plugin ${exec.command} needs a terminal, and there is none`)
  }
  throw new ConfigurationError(`the credential plugin ${exec.command} has no valid interactiveMode`, {
    fix: 'set interactiveMode to Never, IfAvailable or Always',
  })
}

function execInfo(
  exec: ExecConfig,
  cluster: KubeconfigCluster,
  interactive: boolean,
  certificateAuthority: string | undefined,
): Record<string, unknown> {
  const clusterInfo = {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify || undefined,
    'certificate-authority-data': certificateAuthority,
    'proxy-url': cluster.proxyUrl,
    'disable-compression': cluster.disableCompression || undefined,
    config: cluster.execConfig,
  }
  return {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(exec.provideClusterInfo && { cluster: clusterInfo }) },
  }
}

async function run(exec: ExecConfig, env: Environment, interactive: boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(exec.command, exec.args, { env, stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'] })
  const parts: Buffer[] = []
  child.stdout?.on('data', (part: Buffer) => parts.push(part))
  child.on('error', (error) => reject(startFailure(exec, error)))
  child.on('close', (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(parts).toString('utf8'))
    const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`
    reject(new CredentialError(`the credential plugin ${exec.command} ${how}`))
  })
  return promise
}

function startFailure(exec: ExecConfig, error: Error): ConfigurationError {
  const code = 'code' in error ? String(error.code) : 'unknown error'
  const hint = exec.installHint?.trim()
  if (code === 'ENOENT') {
    return new ConfigurationError(`the credential plugin ${exec.command} was not found`, hint ? { fix: hint } : {})
  }
  return new ConfigurationError(`the credential plugin ${exec.command} cannot be started: ${code}`)
}

/** The credential in a plugin's output. Throws ConfigurationError where it is none. */
export function parseExecCredential(output: string, exec: Pick<ExecConfig, 'apiVersion' | 'command'>): ExecResult {
  const fail = (why: string) => new ConfigurationError(`the credential plugin ${exec.command} ${why}`)
  let credential: ExecCredential
  try {
    credential = JSON.parse(output) as ExecCredential
  } catch {
    throw fail('did not print JSON')
  }
  if (credential?.kind !== 'ExecCredential') throw fail('did not print an ExecCredential')
  if (credential.apiVersion !== exec.apiVersion) {
    throw fail(`answered in ${credential.apiVersion ?? 'no version'}, the kubeconfig asks for ${exec.apiVersion}`)
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = credential.status ?? {}
  const fields = { token, clientCertificateData, clientKeyData, expirationTimestamp }
  // null is how JSON can write that there is none
  const odd = Object.entries(fields).find(([, value]) => typeof (value ?? '') !== 'string')
  if (odd) throw fail(`gave a ${odd[0]} that is no string`)
  if (!token && !clientCertificateData) throw fail('gave neither a token nor a client certificate')
  if (Boolean(clientCertificateData) !== Boolean(clientKeyData)) throw fail('gave half of a certificate and key pair')
  const expiresAt = expirationTimestamp ? Date.parse(expirationTimestamp) : undefined
  if (expiresAt !== undefined && Number.isNaN(expiresAt)) throw fail('gave an expirationTimestamp that is no time')
  return {
    expiresAt,
    ...(token && { token }),
    ...(clientCertificateData &&
      clientKeyData && { clientCertificate: { certificate: clientCertificateData, key: clientKeyData } }),
  }
}
