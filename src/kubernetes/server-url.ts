/** The URL of an API server as written in a kubeconfig or after `--server`. */
import { ConfigurationError } from './errors.ts'

/**
 * A server without a scheme is https where TLS is configured, else http, as client-go has it. Throws
 * ConfigurationError for what is no http or https URL.
 */
export function serverUrl(server: string, tlsConfigured: boolean): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${tlsConfigured ? 'https' : 'http'}://${server}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== '') return url
  throw new ConfigurationError('the server is not an http or https URL', { fix: 'write it as https://HOST:PORT' })
}
