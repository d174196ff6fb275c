import { createVerify, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { clientAuthority, clientCertificate } from '../../../src/playground/client-certificates.ts'
import { expiredToken, kubeconfig, tokenFile } from '../../../src/playground/control-plane-config.ts'

describe('client certificates', () => {
  const now = new Date('2026-11-22T00:00:00Z')
  const authority = clientAuthority(now)
  const end = new Date('2026-11-23T12:30:45Z')
  const issued = clientCertificate(authority, { name: 'vera', groups: ['team-a', 'team-b'] }, end)
  const certificate = new X509Certificate(issued.certificate)

  test('name the user and the groups, as Kubernetes reads them', () => {
    expect(certificate.subject.split('\n')).toEqual(['O=team-a', 'O=team-b', 'CN=vera'])
  })
  test('are signed by the authority, for clients, until the moment asked for', () => {
    const issuer = new X509Certificate(authority.certificate)
    expect(certificate.checkIssued(issuer)).toBe(true)
    expect(certificate.verify(issuer.publicKey)).toBe(true)
    expect(issuer.ca).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.validToDate).toEqual(end)
  })
  test('fit their keys', () => {
    expect(certificate.checkPrivateKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toBe(false)
    expect(issued.key).toContain('BEGIN PRIVATE KEY')
  })
})

test('a token that is over is signed well and over', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const now = new Date('2026-11-22T00:00:00Z')
  const [header = '', claims = '', signature = ''] = expiredToken(
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
    now,
  ).split('.')
  expect(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true)
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }
  expect(exp).toBeLessThan(now.getTime() / 1000)
})

test('the token file quotes groups', () => {
  expect(tokenFile([{ name: 'a', token: 't', groups: ['g1', 'g2'] }])).toBe('t,a,a,"g1,g2"\n')
})

test.each([
  [{ token: 't' }, { token: 't' }],
  [
    { certificate: 'c', key: 'k' },
    { 'client-certificate-data': 'Yw==', 'client-key-data': 'aw==' },
  ],
])('a kubeconfig with %j', (credential, user) => {
  expect(kubeconfig('https://127.0.0.1:1', 'ca', 'vera', credential)).toMatchObject({
    'current-context': 'vera',
    clusters: [{ cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'Y2E=' } }],
    users: [{ name: 'vera', user }],
  })
})
