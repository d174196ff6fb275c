/** Credentials of a kubeconfig's user, in client-go's order: token, basic, exec plugin; certificates beside them. */
import { readFileSync } from 'node:fs'
import { idToken } from './auth-provider.ts'
import type { ClientCertificate, Credential, CredentialSource } from './credentials.types.ts'
import { ConfigurationError } from './errors.ts'
import type { ExecRunner } from './exec-plugin.ts'
import type { AuthProviderConfig, KubeconfigUser } from './kubeconfig.types.ts'
import type { Headers } from './transport.types.ts'

export interface CredentialPorts {
  /** runs the user's exec plugin */
  exec: ExecRunner
  now: () => number
}

/** The source of a user's credentials. Throws ConfigurationError where a file cannot be read or halves are missing. */
export function credentialSource(user: KubeconfigUser, ports: CredentialPorts): CredentialSource {
  const clientCertificate = readClientCertificate(user)
  const base = clientCertificate ? { clientCertificate } : {}
  if (user.tokenFile) return tokenFileSource(user.tokenFile, base, ports.now)
  if (user.token) return fixedSource({ ...base, headers: bearer(user.token.trim()) })
  if (user.username || user.password) {
    const pair = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64')
    return fixedSource({ ...base, headers: { authorization: `Basic ${pair}` } })
  }
  if (user.exec) return execSource(base, ports)
  if (user.authProvider) return authProviderSource(user.authProvider, base, ports.now)
  return fixedSource({ ...base, headers: {} })
}

/**
 * Impersonation as client-go sends it; groups are repeated headers, keys of extra values are percent-encoded. Throws
 * ConfigurationError for a value that no header can carry.
 */
export function impersonationHeaders(user: KubeconfigUser): Headers {
  if (!user.as) return {}
  const values = [user.as, user.asUid ?? '', ...(user.asGroups ?? []), ...Object.values(user.asUserExtra ?? {}).flat()]
  // Checked here because a client for HTTP would refuse it later, and not in these words.
  if (values.some((value) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))) {
    throw new ConfigurationError('a user, group or other value to impersonate holds characters that no header can')
  }
  const headers: Headers = { 'impersonate-user': user.as }
  if (user.asUid) headers['impersonate-uid'] = user.asUid
  if (user.asGroups?.length) headers['impersonate-group'] = user.asGroups
  for (const [key, extra] of Object.entries(user.asUserExtra ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] = extra
  }
  return headers
}

function fixedSource(credential: Credential): CredentialSource {
  return { current: () => credential, renew: async () => undefined }
}

const tokenFileAge = 60_000

/** A token in a file that others renew: read again when it is a minute old, and after 401, as client-go does. */
export function tokenFileSource(file: string, base: Partial<Credential>, now: () => number): CredentialSource {
  const read = (): Credential => {
    const token = readText(file, 'the token file').trim()
    if (token === '') throw new ConfigurationError(`the token file ${file} is empty`)
    return { ...base, headers: bearer(token) }
  }
  let held = { credential: read(), at: now() }
  const refresh = (): Credential => {
    try {
      held = { credential: keepIfEqual(held.credential, read()), at: now() }
    } catch {
      // The last token that could be read stays in use: the file may just be being replaced.
      held = { ...held, at: now() }
    }
    return held.credential
  }
  return {
    current: () => (now() - held.at >= tokenFileAge ? refresh() : held.credential),
    renew: async (refused) => {
      const latest = held.credential === refused ? refresh() : held.credential
      return latest === refused ? undefined : latest
    },
  }
}

function keepIfEqual(held: Credential, latest: Credential): Credential {
  return held.headers.authorization === latest.headers.authorization ? held : latest
}

/** The plugin runs once for all requests that wait for it; again shortly before its credential ends, and after 401. */
function execSource(base: Partial<Credential>, ports: CredentialPorts): CredentialSource {
  return renewableSource(async () => {
    const result = await ports.exec()
    const credential = {
      ...base,
      headers: result.token ? bearer(result.token) : {},
      ...(result.clientCertificate && { clientCertificate: result.clientCertificate }),
    }
    return { credential, expiresAt: result.expiresAt }
  }, ports.now)
}

function authProviderSource(
  provider: AuthProviderConfig,
  base: Partial<Credential>,
  now: () => number,
): CredentialSource {
  return renewableSource(async () => {
    const { token, expiresAt } = idToken(provider, now())
    return { credential: { ...base, headers: bearer(token) }, expiresAt }
  }, now)
}

interface Obtained {
  credential: Credential
  expiresAt: number | undefined
}

const earliestRenewal = 15_000

function renewableSource(obtain: () => Promise<Obtained>, now: () => number): CredentialSource {
  let held: (Obtained & { renewAt: number }) | undefined
  let pending: Promise<Credential> | undefined
  const run = (): Promise<Credential> => {
    pending ??= obtain()
      .then((obtained) => {
        held = { ...obtained, renewAt: renewalTime(obtained.expiresAt, now()) }
        return obtained.credential
      })
      .finally(() => {
        pending = undefined
      })
    return pending
  }
  return {
    current: () => (held && now() < held.renewAt ? held.credential : run()),
    renew: async (refused) => (held && held.credential !== refused ? held.credential : run()),
  }
}

// A tenth of a short life, so that a plugin that gives minutes is not run for every request.
function renewalTime(expiresAt: number | undefined, now: number): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY
  return expiresAt - Math.min(earliestRenewal, Math.max(0, (expiresAt - now) / 10))
}

function readClientCertificate(user: KubeconfigUser): ClientCertificate | undefined {
  const certificate = material(user.clientCertificateData, user.clientCertificate, 'the client certificate')
  const key = material(user.clientKeyData, user.clientKey, 'the client key')
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    const missing = certificate === undefined ? 'client certificate' : 'client key'
    throw new ConfigurationError(`the user "${user.name}" has no ${missing}, only the other half of the pair`)
  }
  return { certificate, key }
}

/** Data wins over a file, as in client-go. */
export function material(data: string | undefined, file: string | undefined, what: string): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString('utf8')
  return file ? readText(file, what) : undefined
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigurationError(`cannot read ${what} ${file}: ${code}`)
  }
}

function bearer(token: string): Headers {
  // Checked here because a client for HTTP would refuse it later, and not in these words.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ConfigurationError('the token holds characters that no header can')
  return { authorization: `Bearer ${token}` }
}
