/**
 * Certificates for users who log in with one: an authority and what it signs, X.509 v3 with ECDSA P-256 (RFC 5280, RFC 5480).
 * Node reads certificates but does not issue them, so the few DER structures needed are written here.
 */
import { createPublicKey, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

export interface CertificateAndKey {
  /** PEM */
  certificate: string
  /** PEM, PKCS #8 */
  key: string
}

function der(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content)
  const length: number[] = []
  for (let rest = body.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff)
  const head = body.length < 0x80 ? [tag, body.length] : [tag, 0x80 | length.length, ...length]
  return Buffer.concat([Uint8Array.from(head), body])
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content)
const setOf = (...content: Uint8Array[]) => der(0x31, ...content)
const utf8 = (text: string) => der(0x0c, Buffer.from(text))
const octets = (content: Uint8Array) => der(0x04, content)
const bits = (content: Uint8Array, unused = 0) => der(0x03, Uint8Array.of(unused), content)
const truth = der(0x01, Uint8Array.of(0xff))

/** An object identifier such as `2.5.4.3`. */
function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const groups = [part & 0x7f]
    for (let high = part >> 7; high > 0; high >>= 7) groups.unshift((high & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(0x06, Uint8Array.from(bytes))
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/** Kubernetes reads the user from the common name and the groups from the organizations (client certificate authentication). */
function distinguishedName(commonName: string, organizations: string[]): Uint8Array {
  const attribute = (type: string, value: string) => setOf(sequence(oid(type), utf8(value)))
  return sequence(...organizations.map((name) => attribute('2.5.4.10', name)), attribute('2.5.4.3', commonName))
}

/** GeneralizedTime, second precision, as RFC 5280 wants it. */
function time(date: Date): Uint8Array {
  return der(0x18, Buffer.from(date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '')))
}

const extension = (id: string, critical: boolean, value: Uint8Array) =>
  sequence(oid(id), ...(critical ? [truth] : []), octets(value))

// keyUsage: for the authority keyCertSign, for a client digitalSignature; the trailing number counts unused bits.
const authorityExtensions = [
  extension('2.5.29.19', true, sequence(truth)),
  extension('2.5.29.15', true, bits(Uint8Array.of(0x04), 2)),
]
const clientExtensions = [
  extension('2.5.29.15', true, bits(Uint8Array.of(0x80), 7)),
  extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.2'))),
]

interface Request {
  subject: Uint8Array
  issuer: Uint8Array
  publicKey: KeyObject
  signer: KeyObject | string
  notBefore: Date
  notAfter: Date
  extensions: Uint8Array[]
}

function issue(request: Request): string {
  // A serial number is positive: the leading byte stays below 0x80 and is not zero.
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, serial),
    ecdsaWithSha256,
    request.issuer,
    sequence(time(request.notBefore), time(request.notAfter)),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...request.extensions)),
  )
  const signature = createSign('SHA256').update(toBeSigned).sign(request.signer)
  const base64 = Buffer.from(sequence(toBeSigned, ecdsaWithSha256, bits(signature))).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

const day = 86_400_000
const authorityName = distinguishedName('playground-client-ca', [])

/** A new authority for client certificates, valid from an hour before `now` for a year. */
export function clientAuthority(now: Date): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issue({
    subject: authorityName,
    issuer: authorityName,
    publicKey,
    signer: privateKey,
    notBefore: new Date(now.getTime() - day),
    notAfter: new Date(now.getTime() + 365 * day),
    extensions: authorityExtensions,
  })
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }
}

/**
 * A certificate for a user of the playground.
 * @param notAfter in the past for one that has expired
 */
export function clientCertificate(
  authority: CertificateAndKey,
  user: { name: string; groups: string[] },
  notAfter: Date,
): CertificateAndKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issue({
    subject: distinguishedName(user.name, user.groups),
    issuer: authorityName,
    publicKey: createPublicKey(privateKey),
    signer: authority.key,
    notBefore: new Date(notAfter.getTime() - 2 * day),
    notAfter,
    extensions: clientExtensions,
  })
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }
}
