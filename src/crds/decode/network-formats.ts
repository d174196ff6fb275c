/** Addresses as Go's own parsers accept them. */

/** An address with a dot: also an IPv6 one whose end is written so. Leading zeros do not matter. */
export function isIpv4(text: string): boolean {
  return text.includes('.') && isAddress(text, true)
}

/** An address with a colon. */
export function isIpv6(text: string): boolean {
  return text.includes(':') && isAddress(text, false)
}

/** An address and the length of its prefix. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return false
  const [address, prefix] = [text.slice(0, slash), text.slice(slash + 1)]
  if (!/^\d+$/.test(prefix) || !isAddress(address, true)) return false
  return Number(prefix) <= (address.includes(':') ? 128 : 32)
}

/** 6, 8 or 20 bytes with colons or dashes, or in groups of two bytes with dots. */
export function isMac(text: string): boolean {
  const bytes = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2})*)$/i
  if (bytes.test(text)) return [6, 8, 20].includes((text.length + 1) / 3)
  return /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text) && [3, 4, 10].includes((text.length + 1) / 5)
}

function isAddress(text: string, leadingZeros: boolean): boolean {
  return text.includes(':') ? isColonAddress(text, leadingZeros) : isDottedAddress(text, leadingZeros)
}

function isDottedAddress(text: string, leadingZeros: boolean): boolean {
  const parts = text.split('.')
  const form = leadingZeros ? /^\d+$/ : /^(?:0|[1-9]\d*)$/
  return parts.length === 4 && parts.every((part) => form.test(part) && Number(part) <= 255)
}

function isColonAddress(text: string, leadingZeros: boolean): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const all = groups.flat()
  const last = all.at(-1)
  const endsDotted = last?.includes('.') === true && (groups.at(-1)?.length ?? 0) > 0
  if (endsDotted && !isDottedAddress(last, leadingZeros)) return false
  const plain = endsDotted ? all.slice(0, -1) : all
  if (!plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false
  const length = plain.length + (endsDotted ? 2 : 0)
  return halves.length === 2 ? length < 8 : length === 8
}

const hostCharacters = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}%]*$/u

/** An absolute URI or an absolute path, as in the first line of an HTTP request. */
export function isRequestUri(text: string): boolean {
  if (text === '' || /\p{Cc}/u.test(text.replaceAll(/[\u0080-\u009f]/g, ''))) return false
  if (text === '*') return true
  if (text.startsWith(':')) return false
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)
  const rest = (scheme === null ? text : text.slice(scheme[0].length)).split('?')[0] ?? ''
  if (!rest.startsWith('/')) return scheme !== null
  if (scheme === null || !rest.startsWith('//')) return isEscapedWell(rest)
  const slash = rest.indexOf('/', 2)
  const [authority, path] = slash < 0 ? [rest.slice(2), ''] : [rest.slice(2, slash), rest.slice(slash)]
  return isAuthority(scheme[1] ?? '', authority) && isEscapedWell(path)
}

function isEscapedWell(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text)
}

function isAuthority(scheme: string, authority: string): boolean {
  const at = authority.lastIndexOf('@')
  const user = authority.slice(0, Math.max(at, 0))
  if (at >= 0 && (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || !isEscapedWell(user))) return false
  return isHost(scheme.toLowerCase(), authority.slice(at + 1))
}

function isHost(scheme: string, host: string): boolean {
  const bracket = host.lastIndexOf('[')
  if (bracket > 0) return false
  if (bracket === 0) {
    const match = /^\[([^\]]*)\](?::\d*)?$/.exec(host)
    const [address = '', ...zone] = (match?.[1] ?? '').split('%25')
    return (
      match !== null &&
      address.includes(':') &&
      isAddress(address, false) &&
      (zone.length === 0 || zone.join('') !== '')
    )
  }
  const isWeb = scheme === 'http' || scheme === 'https'
  const colon = isWeb ? host.indexOf(':') : host.lastIndexOf(':')
  if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) return false
  // Only bytes beyond ASCII may be escaped in a host.
  return hostCharacters.test(host) && isEscapedWell(host) && !/%(?!25)[0-7]/.test(host)
}
