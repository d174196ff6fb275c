/** `fetch` that obeys HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Loaded only when something is fetched: undici is heavy. */
import { EnvHttpProxyAgent, fetch } from 'undici'
import type { FetchLike } from './download.ts'

/** A fetch with connections of its own. */
export function proxiedFetch(): FetchLike {
  const dispatcher = new EnvHttpProxyAgent()
  return (url, options) => fetch(url, { ...options, dispatcher })
}
