/** The legacy `auth-provider` of a kubeconfig's user. */
import { ConfigurationError } from './errors.ts'
import type { AuthProviderConfig } from './kubeconfig.types.ts'

/**
 * The ID token that kubectl has left in the kubeconfig of an `oidc` provider, and when it ends (milliseconds since
 * 1970). Renewing it is the plugins' job today: throws ConfigurationError where it has ended, and for other providers,
 * which kubectl has dropped too (1.26).
 */
export function idToken(provider: AuthProviderConfig, now: number): { token: string; expiresAt: number } {
  if (provider.name !== 'oidc') {
    throw new ConfigurationError(`the auth provider "${provider.name}" of the kubeconfig is not supported`, {
      fix: 'use the exec credential plugin of your cloud, or pass --token',
    })
  }
  const token = provider.config['id-token']
  const expiresAt = token ? expiry(token) : 0
  if (token && expiresAt > now) return { token, expiresAt }
  throw new ConfigurationError('the ID token of the oidc auth provider in the kubeconfig has ended', {
    fix: 'run any kubectl command to renew it, or use an exec credential plugin for OpenID Connect',
  })
}

function expiry(token: string): number {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
    const { exp } = JSON.parse(payload) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : 0
  } catch {
    return 0
  }
}
