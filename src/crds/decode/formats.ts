/** The formats that the API server enforces, with what Go's own parsers accept. It ignores every other one. */
import type { JSONSchema } from '../comparison/comparison.types.ts'
import { byteLength } from './go-values.ts'
import { isCidr, isIpv4, isIpv6, isMac, isRequestUri } from './network-formats.ts'
import { isDate, isDateTime, isDuration } from './time-formats.ts'

type Check = (text: string) => boolean

const matching =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text)

const hex = '[0-9a-f]'
const uuid = (third: string, fourth: string): Check =>
  matching(new RegExp(`^${hex}{8}-?${hex}{4}-?${third}-?${fourth}-?${hex}{12}$`, 'i'))
const anyFour = `${hex}{4}`

const stringFormats: Readonly<Record<string, Check>> = {
  bsonobjectid: matching(/^[0-9a-fA-F]{24}$/),
  uri: isRequestUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  mac: isMac,
  uuid: uuid(anyFour, anyFour),
  uuid3: uuid(`3${hex}{3}`, anyFour),
  uuid4: uuid(`4${hex}{3}`, `[89ab]${hex}{3}`),
  uuid5: uuid(`5${hex}{3}`, `[89ab]${hex}{3}`),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: isRgbColor,
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
}

/** A server of this minor and later knows the formats of Kubernetes' own names: those of the one before it are in force. */
const kubernetesFormatsSince = 35

/** The format of a schema as far as the API server heeds it: without dashes in a string's, empty for none. */
export function formatOf(schema: JSONSchema, types: readonly string[], minor: number): string {
  const format = schema['format']
  if (typeof format !== 'string') return ''
  const type = types.length === 1 ? types[0] : ''
  if (type === 'integer') return ['int32', 'int64'].includes(format) ? format : ''
  if (type === 'number') return ['float', 'double'].includes(format) ? format : ''
  if (type !== '' && type !== 'string') return ''
  const name = format.replaceAll('-', '')
  if (!Object.hasOwn(stringFormats, name)) return ''
  return name.startsWith('k8s') && minor < kubernetesFormatsSince ? '' : name
}

/** Has the text the format? An unknown one is none. */
export function hasFormat(format: string, text: string): boolean {
  const check = Object.hasOwn(stringFormats, format) ? stringFormats[format] : undefined
  return check === undefined || check(text)
}

function isHostname(text: string): boolean {
  const letter = String.raw`[a-zA-Z0-9\p{S}\p{L}]`
  const inner = String.raw`[a-zA-Z0-9\-\p{S}\p{L}]`
  const single = `${letter}((-?${letter}{0,62})?)`
  const dotted = String.raw`(${letter}((${inner}{0,61}${letter})?)(\.))+([a-zA-Z\p{L}]){2,63}`
  if (byteLength(text) > 255 || !new RegExp(`^(${single}|${dotted})$`, 'u').test(text)) return false
  return text.split('.').every((label) => byteLength(label) <= 63)
}

/** An address as in a mail header, with or without a name before it. */
function isEmail(text: string): boolean {
  const atom = String.raw`[^\x00-\x20\x7f"(),.:;<>@[\\\]]+`
  const quoted = String.raw`"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e\t])*"`
  const dotAtom = String.raw`${atom}(?:\.${atom})*`
  const address = String.raw`(?:${dotAtom}|${quoted})@${dotAtom}`
  const word = String.raw`(?:${quoted}|${atom}(?:\.${atom})*\.?)`
  const pattern = String.raw`^[ \t]*(?:${address}|(?:${word}(?:[ \t]+${word})*)?[ \t]*<[ \t]*${address}[ \t]*>)[ \t]*$`
  return new RegExp(pattern, 'u').test(text)
}

function isRgbColor(text: string): boolean {
  const part = String.raw`[\t\n\f\r ]*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])[\t\n\f\r ]*`
  return new RegExp(String.raw`^rgb\(${part},${part},${part}\)$`).test(text)
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\t\n\f\r -]+/g, '')
  if (!/^(?:\d{9}X|\d{10})$/.test(digits)) return false
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)),
    0,
  )
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\t\n\f\r -]+/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  const sum = Array.from(digits)
    .slice(0, 12)
    .reduce((total, digit, index) => total + (index % 2 === 0 ? 1 : 3) * Number(digit), 0)
  return Number(digits[12]) === (10 - (sum % 10)) % 10
}

const cardNumber =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]+/g, '')
  if (!cardNumber.test(digits)) return false
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1)
      return total + (doubled > 9 ? doubled - 9 : doubled)
    }, 0)
  return sum % 10 === 0
}
