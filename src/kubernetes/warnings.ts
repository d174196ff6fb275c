/** `Warning` headers, which API servers send for deprecated versions, unknown fields and the like. */

/**
 * The texts of a `Warning` header: `299 - "text"`, several separated by commas, quotes and backslashes escaped
 * (RFC 7234 section 5.5; API servers send code 299 only). Values that do not parse are left out.
 */
export function parseWarnings(header: string | string[] | undefined): string[] {
  if (header === undefined) return []
  const values = Array.isArray(header) ? header : [header]
  return values.flatMap(parseValue)
}

// code SP agent SP quoted-text [SP quoted-date]
const oneWarning = /\s*,?\s*(\d{3}) (\S+) "((?:[^"\\]|\\.)*)"(?: "[^"]*")?/y

function parseValue(value: string): string[] {
  const texts: string[] = []
  oneWarning.lastIndex = 0
  for (let match = oneWarning.exec(value); match; match = oneWarning.exec(value)) {
    const [, code, , quoted] = match
    if (code === '299' && quoted !== undefined) texts.push(quoted.replace(/\\(.)/g, '$1'))
  }
  return texts
}
