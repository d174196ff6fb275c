import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import * as der from '../der.ts'
import {
  basicConstraints,
  type CertificateAndKey,
  distinguishedName,
  extendedKeyUsage,
  extension,
  issue,
  keyPair,
  pemKey,
} from '../x509.ts'

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

interface ServingRequest {
  commonName: string
  publicKey: KeyObject
  /** DNS names; none makes a CA */
  dnsNames?: string[]
  issuer: { commonName: string; privateKey: KeyObject; publicKey: KeyObject }
  notBefore: Date
  notAfter: Date
}

function certify(request: ServingRequest): string {
  const isCa = !request.dnsNames
  const extensions = [
    basicConstraints(isCa),
    // CA: digitalSignature, keyCertSign, cRLSign; leaf: digitalSignature, keyEncipherment
    extension('keyUsage', isCa ? der.bitString(Buffer.from([0x86]), 1) : der.bitString(Buffer.from([0xa0]), 5), true),
    extension('subjectKeyIdentifier', der.octetString(keyIdentifier(request.publicKey))),
    extension('authorityKeyIdentifier', der.sequence(der.taggedPrimitive(0, keyIdentifier(request.issuer.publicKey)))),
  ]
  if (request.dnsNames) {
    const names = request.dnsNames.map((name) => der.taggedPrimitive(2, Buffer.from(name)))
    extensions.push(extendedKeyUsage('serverAuth'), extension('subjectAlternativeName', der.sequence(...names)))
  }
  return issue({
    subject: distinguishedName(request.commonName),
    issuer: distinguishedName(request.issuer.commonName),
    publicKey: request.publicKey,
    signer: request.issuer.privateKey,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    extensions,
  })
}

const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

/** A fresh CA and a serving certificate of it for one DNS name: the content of a webhook certificate Secret. */
export function issueServingCertificates(dnsName: string, now: Date): ServingCertificates {
  const ca = keyPair()
  const leaf = keyPair()
  const issuer = { commonName: 'airunway-webhook-ca', ...ca }
  const notBefore = new Date(now.getTime() - 3_600_000)
  const until = (days: number): Date => new Date(now.getTime() + days * dayMilliseconds)
  const common = { issuer, notBefore }
  return {
    'ca.crt': certify({ ...common, commonName: issuer.commonName, publicKey: ca.publicKey, notAfter: until(caDays) }),
    'ca.key': pemKey(ca.privateKey),
    'tls.crt': certify({
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
export function bootstrapCertificate(dnsName: string, now: Date): CertificateAndKey {
  const pair = keyPair()
  const certificate = certify({
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
