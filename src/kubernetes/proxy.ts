/** Which proxy leads to a server, by Go's rules (net/http ProxyFromEnvironment), which kubectl follows. */
import { BlockList, isIP } from 'node:net'
import { ConfigurationError } from './errors.ts'
import type { Environment } from './kubeconfig.ts'

/**
 * The proxy for a server: the kubeconfig's `proxy-url` always; else HTTPS_PROXY or HTTP_PROXY by the server's scheme,
 * unless the server is on this machine or NO_PROXY names it. Throws ConfigurationError for a proxy that is no URL.
 */
export function proxyFor(server: URL, configured: string | undefined, env: Environment): URL | undefined {
  if (configured) return parseProxy(configured, 'proxy-url')
  const [value, name] =
    server.protocol === 'https:'
      ? [env.HTTPS_PROXY || env.https_proxy, 'HTTPS_PROXY']
      : [env.HTTP_PROXY || env.http_proxy, 'HTTP_PROXY']
  if (!value || isLocal(hostOf(server)) || isExcluded(server, env.NO_PROXY || env.no_proxy || '')) return undefined
  return parseProxy(value, name)
}

function parseProxy(value: string, source: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['http:', 'https:', 'socks5:'].includes(url.protocol)) return url
  // The value may hold a password.
  throw new ConfigurationError(`${source} is not the URL of an http, https or socks5 proxy`)
}

function isLocal(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  return family === 4 ? host.startsWith('127.') : family === 6 && host === '::1'
}

function isExcluded(server: URL, noProxy: string): boolean {
  const host = hostOf(server)
  const port = server.port || (server.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inNetwork(entry, host)
  if (isIP(entry) !== 0) return entry === host
  const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (wantedPort !== undefined && wantedPort !== port) return false
  const bare = name.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0) return bare === host
  const domain = bare.replace(/^\*/, '')
  // `.example.com` means what is below it, `example.com` itself as well.
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

function inNetwork(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/')
  const family = isIP(host)
  if (family === 0 || isIP(network) !== family || !/^\d+$/.test(prefix)) return false
  const list = new BlockList()
  const type = family === 4 ? 'ipv4' : 'ipv6'
  try {
    list.addSubnet(network, Number(prefix), type)
  } catch {
    return false
  }
  return list.check(host, type)
}

function hostOf(server: URL): string {
  return server.hostname.replace(/^\[|\]$/g, '').toLowerCase()
}
