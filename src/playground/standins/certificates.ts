import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import * as der from './der.ts'

/** A certificate and its key, PEM. */
export interface CertifiedKey {
  certificate: string
  key: string
}

/** The four entries of a webhook certificate Secret. */
export interface ServingCertificates {
  'ca.crt': string
  'ca.key': string
  'tls.crt': string
  'tls.key': string
}

const dayMilliseconds = 86_400_000
// cert-controller's times: CA ten years, leaf one year, both renewed 90 days before they run out
const caDays = 3650
const leafDays = 365
const lookAheadDays = 90

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}

interface CertificateRequest {
  commonName: string
  publicKey: KeyObject
  /** DNS names; none makes a CA */
  dnsNames?: string[]
  issuer: { commonName: string; privateKey: KeyObject; publicKey: KeyObject }
  notBefore: Date
  notAfter: Date
}

/** Issues an ECDSA P-256 certificate (RFC 5280), PEM. */
function issue(request: CertificateRequest): string {
  const algorithm = der.sequence(der.objectIdentifier(oids.ecdsaWithSha256))
  const isCa = !request.dnsNames
  const extensions = [
    extension(oids.basicConstraints, isCa ? der.sequence(der.boolean(true)) : der.sequence(), true),
    // CA: digitalSignature, keyCertSign, cRLSign; leaf: digitalSignature, keyEncipherment
    extension(
      oids.keyUsage,
      isCa ? der.bitString(Buffer.from([0x86]), 1) : der.bitString(Buffer.from([0xa0]), 5),
      true,
    ),
    extension(oids.subjectKeyIdentifier, der.octetString(keyIdentifier(request.publicKey))),
    extension(
      oids.authorityKeyIdentifier,
      der.sequence(der.taggedPrimitive(0, keyIdentifier(request.issuer.publicKey))),
    ),
  ]
  if (request.dnsNames) {
    const names = request.dnsNames.map((name) => der.taggedPrimitive(2, Buffer.from(name)))
    extensions.push(extension(oids.extendedKeyUsage, der.sequence(der.objectIdentifier(oids.serverAuth))))
    extensions.push(extension(oids.subjectAlternativeName, der.sequence(...names)))
  }
  const body = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    distinguishedName(request.issuer.commonName),
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    distinguishedName(request.commonName),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...extensions)),
  )
  return pem(der.sequence(body, algorithm, der.bitString(sign('sha256', body, request.issuer.privateKey))))
}

const distinguishedName = (commonName: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectIdentifier(oids.commonName), der.utf8String(commonName))))

const extension = (oid: string, value: Buffer, critical = false): Buffer =>
  der.sequence(der.objectIdentifier(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value))

const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' })

/** A fresh CA and a serving certificate of it for one DNS name: the content of a webhook certificate Secret. */
export function issueServingCertificates(dnsName: string, now: Date): ServingCertificates {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { commonName: 'airunway-webhook-ca', ...ca }
  const notBefore = new Date(now.getTime() - 3_600_000)
  const until = (days: number): Date => new Date(now.getTime() + days * dayMilliseconds)
  const common = { issuer, notBefore }
  return {
    'ca.crt': issue({ ...common, commonName: issuer.commonName, publicKey: ca.publicKey, notAfter: until(caDays) }),
    'ca.key': pemKey(ca.privateKey),
    'tls.crt': issue({
      ...common,
      commonName: dnsName,
      publicKey: leaf.publicKey,
      dnsNames: [dnsName],
      notAfter: until(leafDays),
    }),
    'tls.key': pemKey(leaf.privateKey),
  }
}

/** The self-signed certificate a webhook server starts with, good for a day; no webhook configuration trusts it. */
export function bootstrapCertificate(dnsName: string, now: Date): CertifiedKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issue({
    commonName: dnsName,
    publicKey: pair.publicKey,
    dnsNames: [dnsName],
    issuer: { commonName: dnsName, ...pair },
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(now.getTime() + dayMilliseconds),
  })
  return { certificate, key: pemKey(pair.privateKey) }
}

/**
 * Why a Secret's certificates cannot serve `dnsName`: absent, unreadable, of another CA or key, for another name, or
 * about to run out. Undefined where they can.
 */
export function certificateProblem(
  data: Partial<Record<string, string>>,
  dnsName: string,
  now: Date,
): string | undefined {
  const { 'ca.crt': caText, 'ca.key': caKey, 'tls.crt': leafText, 'tls.key': leafKey } = data
  if (!caText || !caKey || !leafText || !leafKey) return 'the Secret holds no certificates'
  try {
    const ca = new X509Certificate(caText)
    const leaf = new X509Certificate(leafText)
    if (!ca.checkPrivateKey(createPrivateKey(caKey))) return 'the CA key belongs to another certificate'
    if (!leaf.checkPrivateKey(createPrivateKey(leafKey))) return 'the key belongs to another certificate'
    if (!leaf.verify(ca.publicKey)) return 'the certificate is of another CA'
    if (!leaf.checkHost(dnsName)) return `the certificate is not for ${dnsName}`
    const horizon = now.getTime() + lookAheadDays * dayMilliseconds
    if (Math.min(Date.parse(ca.validTo), Date.parse(leaf.validTo)) < horizon)
      return 'the certificate is about to run out'
    return undefined
  } catch (error) {
    return `the certificates cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}
