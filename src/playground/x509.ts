/** Certificates as RFC 5280 writes them: X.509 v3, signed with ECDSA P-256 (RFC 5480). Node reads them but issues none. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import * as der from './der.ts'

export interface CertificateAndKey {
  /** PEM */
  certificate: string
  /** PEM, PKCS #8 */
  key: string
}

export interface CertificateRequest {
  /** as distinguishedName gives it */
  subject: Uint8Array
  issuer: Uint8Array
  publicKey: KeyObject
  /** the issuer's private key, an object or PEM */
  signer: KeyObject | string
  notBefore: Date
  notAfter: Date
  /** as extension gives them */
  extensions: Uint8Array[]
}

export const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const attributeTypes = { commonName: '2.5.4.3', organization: '2.5.4.10' }
const extensionTypes = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
}
const purposes = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' }

/** Kubernetes reads the user from the common name and the groups from the organizations (client certificate authentication). */
export function distinguishedName(commonName: string, organizations: readonly string[] = []): Buffer {
  const attribute = (type: string, value: string): Buffer =>
    der.set(der.sequence(der.objectIdentifier(type), der.utf8String(value)))
  return der.sequence(
    ...organizations.map((name) => attribute(attributeTypes.organization, name)),
    attribute(attributeTypes.commonName, commonName),
  )
}

export function extension(type: keyof typeof extensionTypes, value: Uint8Array, critical = false): Buffer {
  const flag = critical ? [der.boolean(true)] : []
  return der.sequence(der.objectIdentifier(extensionTypes[type]), ...flag, der.octetString(value))
}

/** Whether it is an authority; critical. */
export const basicConstraints = (authority: boolean): Buffer =>
  extension('basicConstraints', authority ? der.sequence(der.boolean(true)) : der.sequence(), true)

/** What a certificate's key is for beyond signatures. */
export const extendedKeyUsage = (purpose: keyof typeof purposes): Buffer =>
  extension('extendedKeyUsage', der.sequence(der.objectIdentifier(purposes[purpose])))

/** Issues a certificate with a random serial number; PEM. */
export function issue(request: CertificateRequest): string {
  const algorithm = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))
  const body = der.sequence(
    der.tagged(0, der.integer(2)),
    // Its first byte keeps it positive and of full length.
    der.integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    request.issuer,
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...request.extensions)),
  )
  return pem(der.sequence(body, algorithm, der.bitString(sign('sha256', body, request.signer))))
}

/** A private key as PEM, PKCS #8. */
export const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' })

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
