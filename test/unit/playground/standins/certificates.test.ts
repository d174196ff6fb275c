import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { describe, expect, it } from 'vitest'
import {
  bootstrapCertificate,
  certificateProblem,
  issueServingCertificates,
  type ServingCertificates,
} from '../../../../src/playground/standins/certificates.ts'
import { jsonLog } from '../../../../src/playground/standins/log.ts'
import { serveWebhooks } from '../../../../src/playground/standins/webhook-server.ts'

const name = 'hook.system.svc'
const now = new Date('2026-11-22T03:00:00Z')
const day = 86_400_000

describe('serving certificates', () => {
  const issued = issueServingCertificates(name, now)
  const ca = new X509Certificate(issued['ca.crt'])
  const leaf = new X509Certificate(issued['tls.crt'])

  it('are a CA and a leaf of it', () => {
    expect(ca.ca).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(ca.verify(ca.publicKey)).toBe(true)
    expect(leaf.verify(ca.publicKey)).toBe(true)
    expect(leaf.checkIssued(ca)).toBe(true)
    expect(leaf.subjectAltName).toBe(`DNS:${name}`)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(Date.parse(leaf.validTo) - now.getTime()).toBe(365 * day)
    expect(Date.parse(ca.validTo) - now.getTime()).toBe(3650 * day)
  })

  const other = issueServingCertificates(name, now)
  const table: [
    what: string,
    data: Partial<ServingCertificates>,
    host: string,
    at: Date,
    problem: string | undefined,
  ][] = [
    ['its own', issued, name, now, undefined],
    ['nothing', {}, name, now, 'the Secret holds no certificates'],
    ['a part', { ...issued, 'ca.key': '' }, name, now, 'the Secret holds no certificates'],
    ["another service's", issued, 'other.system.svc', now, 'the certificate is not for other.system.svc'],
    [
      'a leaf of another CA',
      { ...issued, 'ca.crt': other['ca.crt'], 'ca.key': other['ca.key'] },
      name,
      now,
      'the certificate is of another CA',
    ],
    [
      'a key of another leaf',
      { ...issued, 'tls.key': other['tls.key'] },
      name,
      now,
      'the key belongs to another certificate',
    ],
    [
      'a CA key of another CA',
      { ...issued, 'ca.key': other['ca.key'] },
      name,
      now,
      'the CA key belongs to another certificate',
    ],
    ['one that is good for 91 days', issued, name, new Date(now.getTime() + 274 * day), undefined],
    [
      'one that is good for 89 days',
      issued,
      name,
      new Date(now.getTime() + 276 * day),
      'the certificate is about to run out',
    ],
  ]
  it.each(table)('of a Secret with %s', (_, data, host, at, problem) => {
    expect(certificateProblem(data, host, at)).toBe(problem)
  })

  it('are refused where they cannot be read', () => {
    expect(certificateProblem({ ...issued, 'tls.crt': 'x' }, name, now)).toMatch(/^the certificates cannot be read/)
  })
})

describe('webhook server', () => {
  const call = (port: number, ca: string, path: string, body: unknown): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method: 'POST', ca, servername: name, agent: false }
      const sent = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      })
      sent.on('error', reject)
      sent.end(JSON.stringify(body))
    })

  it('is trusted only once it uses the certificate of the Secret', async () => {
    const today = new Date()
    const issued = issueServingCertificates(name, today)
    const server = await serveWebhooks({
      port: 0,
      certificate: bootstrapCertificate(name, today),
      routes: new Map([['/echo', (review: unknown) => ({ review })]]),
      log: jsonLog(() => undefined, 'test'),
    })
    try {
      const review = { apiVersion: 'a/v1', kind: 'K', request: { uid: 'u1' } }
      await expect(call(server.port, issued['ca.crt'], '/echo', review)).rejects.toMatchObject({
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      })
      server.use({ certificate: issued['tls.crt'], key: issued['tls.key'] })
      const answer = await call(server.port, issued['ca.crt'], '/echo?timeout=10s', review)
      expect(JSON.parse(answer.text)).toEqual({
        apiVersion: 'a/v1',
        kind: 'K',
        response: { uid: 'u1', review: { uid: 'u1' } },
      })
      expect((await call(server.port, issued['ca.crt'], '/other', review)).status).toBe(404)
    } finally {
      await server.close()
    }
  })
})
