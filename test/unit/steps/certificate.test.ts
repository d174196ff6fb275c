import { expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { authorityOf, withCertificateAuthority } from '../../../src/steps/certificate.ts'

const service = { namespace: 'n', name: 's' }
const configuration = (clientConfig: object): AnyObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'w' },
  webhooks: [{ name: 'a', clientConfig }],
})

test('webhooks that name a Service get the authority, those with an address do not', () => {
  expect(withCertificateAuthority(configuration({ service }), 'Q0E=')).toEqual(
    configuration({ service, caBundle: 'Q0E=' }),
  )
  expect(withCertificateAuthority(configuration({ url: 'https://x' }), 'Q0E=')).toEqual(
    configuration({ url: 'https://x' }),
  )
})

test('the conversion webhook of a CRD gets it; a CRD without one stays as it is', () => {
  const crd = (conversion: object): AnyObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'c' },
    spec: { group: 'g', versions: [], conversion },
  })
  const webhook = (clientConfig: object) => ({
    strategy: 'Webhook',
    webhook: { clientConfig, conversionReviewVersions: ['v1'] },
  })
  expect(withCertificateAuthority(crd(webhook({ service })), 'Q0E=')).toEqual(
    crd(webhook({ service, caBundle: 'Q0E=' })),
  )
  expect(withCertificateAuthority(crd({ strategy: 'None' }), 'Q0E=')).toEqual(crd({ strategy: 'None' }))
})

test('other kinds stay as they are', () => {
  const object: AnyObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: {} }
  expect(withCertificateAuthority(object, 'Q0E=')).toBe(object)
})

test.each([
  [undefined, undefined],
  [{ data: {} }, undefined],
  [{ data: { 'ca.crt': '' } }, undefined],
  [{ data: { 'ca.crt': 'Q0E=' } }, 'Q0E='],
])('the authority of %j', (part, expected) => {
  const secret = part && { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...part }
  expect(authorityOf(secret)).toBe(expected)
})
