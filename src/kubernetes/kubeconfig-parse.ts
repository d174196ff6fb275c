/** One kubeconfig file as a value. */
import { dirname, isAbsolute, resolve, sep } from 'node:path'
import { parseDocument } from 'yaml'
import { ConfigurationError } from './errors.ts'
import type {
  AuthProviderConfig,
  ExecConfig,
  Kubeconfig,
  KubeconfigCluster,
  KubeconfigContext,
  KubeconfigUser,
} from './kubeconfig.types.ts'

type Fields = Record<string, unknown>

/**
 * Reads the text of a kubeconfig. Relative paths in it are taken against its own directory, as kubectl does. Every
 * scalar is read as a string, so that `namespace: n` or a token of digits is what was written; kubectl, which reads
 * YAML 1.1, refuses those. Throws ConfigurationError, which never quotes the text: it holds credentials.
 */
export function parseKubeconfig(text: string, file: string): Kubeconfig {
  const document = parseDocument(text, { schema: 'failsafe', customTags: ['null'], merge: true })
  const problem = document.errors[0]
  if (problem) {
    const line = text.slice(0, problem.pos[0]).split('\n').length
    throw new ConfigurationError(`${file} is not valid YAML: ${problem.code} at line ${line}`)
  }
  const root: unknown = document.toJS()
  if (root === null || root === undefined) return { clusters: [], users: [], contexts: [] }
  if (!isFields(root)) throw new ConfigurationError(`${file} is not a kubeconfig: it holds no mapping`)
  const directory = dirname(resolve(file))
  return {
    ...definedFields({ currentContext: textOf(root['current-context']) }),
    clusters: named(root.clusters, 'cluster', file).map(([name, fields]) => cluster(name, fields, directory)),
    users: named(root.users, 'user', file).map(([name, fields]) => user(name, fields, directory)),
    contexts: named(root.contexts, 'context', file).map(([name, fields]) => context(name, fields)),
  }
}

function cluster(name: string, fields: Fields, directory: string): KubeconfigCluster {
  return {
    name,
    ...definedFields({
      server: textOf(fields.server),
      tlsServerName: textOf(fields['tls-server-name']),
      insecureSkipTlsVerify: flag(fields['insecure-skip-tls-verify']),
      certificateAuthority: path(fields['certificate-authority'], directory),
      certificateAuthorityData: textOf(fields['certificate-authority-data']),
      proxyUrl: textOf(fields['proxy-url']),
      disableCompression: flag(fields['disable-compression']),
      execConfig: execExtension(fields.extensions),
    }),
  }
}

function user(name: string, fields: Fields, directory: string): KubeconfigUser {
  return {
    name,
    ...definedFields({
      token: textOf(fields.token),
      tokenFile: path(fields.tokenFile, directory),
      username: textOf(fields.username),
      password: textOf(fields.password),
      clientCertificate: path(fields['client-certificate'], directory),
      clientCertificateData: textOf(fields['client-certificate-data']),
      clientKey: path(fields['client-key'], directory),
      clientKeyData: textOf(fields['client-key-data']),
      as: textOf(fields.as),
      asUid: textOf(fields['as-uid']),
      asGroups: texts(fields['as-groups']),
      asUserExtra: extra(fields['as-user-extra']),
      exec: exec(fields.exec, directory),
      authProvider: authProvider(fields['auth-provider']),
    }),
  }
}

function context(name: string, fields: Fields): KubeconfigContext {
  return {
    name,
    ...definedFields({
      cluster: textOf(fields.cluster),
      user: textOf(fields.user),
      namespace: textOf(fields.namespace),
    }),
  }
}

function exec(value: unknown, directory: string): ExecConfig | undefined {
  if (!isFields(value)) return undefined
  const command = textOf(value.command) ?? ''
  const variables = Array.isArray(value.env) ? value.env.filter(isFields) : []
  return {
    apiVersion: textOf(value.apiVersion) ?? '',
    // A bare name is searched on PATH; anything with a separator is a path and relative to the file.
    command: command.includes('/') || command.includes(sep) ? absolute(command, directory) : command,
    args: texts(value.args) ?? [],
    env: variables.map((variable) => ({ name: textOf(variable.name) ?? '', value: textOf(variable.value) ?? '' })),
    provideClusterInfo: flag(value.provideClusterInfo) ?? false,
    ...definedFields({ interactiveMode: textOf(value.interactiveMode), installHint: textOf(value.installHint) }),
  }
}

function authProvider(value: unknown): AuthProviderConfig | undefined {
  if (!isFields(value)) return undefined
  const config = isFields(value.config) ? value.config : {}
  const entries = Object.entries(config).map(([key, item]) => [key, textOf(item) ?? ''] as const)
  return { name: textOf(value.name) ?? '', config: Object.fromEntries(entries) }
}

function extra(value: unknown): Record<string, string[]> | undefined {
  if (!isFields(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, items]) => [key, texts(items) ?? []]))
}

// The one extension that exec plugins are given, by the name reserved for them.
function execExtension(value: unknown): unknown {
  if (!Array.isArray(value)) return undefined
  return value.filter(isFields).find((item) => item.name === 'client.authentication.k8s.io/exec')?.extension
}

function named(value: unknown, field: string, file: string): [string, Fields][] {
  if (!Array.isArray(value)) return []
  const entries = value.filter(isFields).map((item): [string, Fields] => {
    const fields = item[field]
    return [textOf(item.name) ?? '', isFields(fields) ? fields : {}]
  })
  const names = entries.map(([name]) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  // kubectl refuses this too; only across files the first definition wins.
  if (twice !== undefined) throw new ConfigurationError(`${file} defines the ${field} "${twice}" twice`)
  return entries
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'string' ? value.toLowerCase() === 'true' : undefined
}

function path(value: unknown, directory: string): string | undefined {
  const name = textOf(value)
  return name === undefined ? undefined : absolute(name, directory)
}

function absolute(name: string, directory: string): string {
  return isAbsolute(name) ? name : resolve(directory, name)
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the fields that have no value: an absent field and an undefined one differ in types and in messages. */
function definedFields<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
