/** Certificates for users who log in with one: an authority and what it signs. */
import { bitString } from './der.ts'
import {
  basicConstraints,
  type CertificateAndKey,
  distinguishedName,
  extendedKeyUsage,
  extension,
  issue,
  keyPair,
  pemKey,
} from './x509.ts'

const day = 86_400_000
const authorityName = distinguishedName('playground-client-ca')

/** A new authority for client certificates, valid from a day before `now` for a year. */
export function clientAuthority(now: Date): CertificateAndKey {
  const { publicKey, privateKey } = keyPair()
  const certificate = issue({
    subject: authorityName,
    issuer: authorityName,
    publicKey,
    signer: privateKey,
    notBefore: new Date(now.getTime() - day),
    notAfter: new Date(now.getTime() + 365 * day),
    // keyCertSign
    extensions: [basicConstraints(true), extension('keyUsage', bitString(Buffer.from([0x04]), 2), true)],
  })
  return { certificate, key: pemKey(privateKey) }
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
  const { publicKey, privateKey } = keyPair()
  const certificate = issue({
    subject: distinguishedName(user.name, user.groups),
    issuer: authorityName,
    publicKey,
    signer: authority.key,
    notBefore: new Date(notAfter.getTime() - 2 * day),
    notAfter,
    // digitalSignature
    extensions: [extension('keyUsage', bitString(Buffer.from([0x80]), 7), true), extendedKeyUsage('clientAuth')],
  })
  return { certificate, key: pemKey(privateKey) }
}
