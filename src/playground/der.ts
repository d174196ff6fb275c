/** Just enough DER (X.690) to write X.509 certificates, which Node can read but not issue. */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
}

/** Tag, length and content; lengths from 128 on take the long form. */
export function element(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const hex = body.length.toString(16)
  const size = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, body])
}

export const sequence = (...content: Uint8Array[]): Buffer => element(tags.sequence, ...content)
export const set = (...content: Uint8Array[]): Buffer => element(tags.set, ...content)
export const octetString = (content: Uint8Array): Buffer => element(tags.octetString, content)
export const utf8String = (text: string): Buffer => element(tags.utf8String, Buffer.from(text))
export const boolean = (value: boolean): Buffer => element(tags.boolean, Buffer.from([value ? 0xff : 0]))
/** A bit string of whole bytes, or with `unused` bits at its end. */
export const bitString = (content: Uint8Array, unused = 0): Buffer =>
  element(tags.bitString, Buffer.from([unused]), content)
/** `[number]` around the content: EXPLICIT tagging, or IMPLICIT for a constructed type. */
export const tagged = (number: number, ...content: Uint8Array[]): Buffer => element(0xa0 | number, ...content)
/** `[number]` in place of the tag of a primitive type. */
export const taggedPrimitive = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content)

/** A non-negative integer; a leading zero keeps it from reading as negative. */
export function integer(value: bigint | number | Uint8Array): Buffer {
  let bytes: Buffer
  if (value instanceof Uint8Array) bytes = Buffer.from(value)
  else {
    const hex = value.toString(16)
    bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  }
  while (bytes.length > 1 && bytes[0] === 0 && (bytes[1] ?? 0) < 0x80) bytes = bytes.subarray(1)
  return element(tags.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

/** A dotted object identifier such as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return element(tags.objectIdentifier, Buffer.from(bytes))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5280 demands of certificates. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050
    ? element(tags.utcTime, Buffer.from(digits.slice(2)))
    : element(tags.generalizedTime, Buffer.from(digits))
}
