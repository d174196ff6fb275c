import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { differences } from '../../support/cluster-dump.ts'
import { reduced } from '../../support/reduced-objects.ts'

const pod = (change: { name?: string; uid?: string; image?: string }): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: change.name ?? 'web-5f6d-abcde',
    namespace: 'team-a',
    uid: change.uid ?? 'one',
    labels: { app: 'web', 'pod-template-hash': '5f6d' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5f6d', uid: 'owner', controller: true }],
  },
  spec: { containers: [{ name: 'web', image: change.image ?? 'web:1' }] },
  status: { phase: 'Running', podIP: '10.0.0.1' },
})

const definition = (description: string, served = true): AnyObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'models.example.com' },
  spec: { versions: [{ name: 'v1', served, storage: true, schema: { openAPIV3Schema: { description } } }] },
})

const secret = (data: Record<string, string>): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'certificate', namespace: 'system' },
  data,
})

describe('what two clusters are compared by', () => {
  test('names that are generated, ids and addresses do not count; what runs does', () => {
    const one = reduced(pod({}), [])
    expect(one.key).toBe('Pod team-a/of web')
    expect(reduced(pod({ name: 'web-5f6d-xyz', uid: 'two' }), [])).toEqual(one)
    expect(reduced(pod({ image: 'web:2' }), []).value).not.toEqual(one.value)
  })

  test('a definition counts without its schemas, which are told apart', () => {
    const one = reduced(definition('old'), [])
    const other = reduced(definition('new'), [])
    expect(other.value).toEqual(one.value)
    expect(other.schemas).not.toEqual(one.schemas)
    expect(reduced(definition('old', false), []).value).not.toEqual(one.value)
  })

  test('certificates and times do not count, other data does', () => {
    const certificate = (text: string): string => Buffer.from(`-----BEGIN CERTIFICATE-----\n${text}`).toString('base64')
    const one = reduced(secret({ 'tls.crt': certificate('a'), at: '2026-01-01T00:00:00Z' }), [])
    expect(reduced(secret({ 'tls.crt': certificate('b'), at: '2027-02-02T10:20:30Z' }), [])).toEqual(one)
    expect(reduced(secret({ 'tls.crt': certificate('b'), at: 'never' }), [])).not.toEqual(one)
  })

  test('a difference names the path and both values', () => {
    expect(differences({ a: { b: [1, { c: 'x' }] } }, { a: { b: [1, { c: 'y' }, 3] } })).toEqual([
      'a › b › 1 › c: "x" -> "y"',
      'a › b › 2: nothing -> 3',
    ])
    expect(differences({ a: [1], b: {} }, { a: [1], b: {} })).toEqual([])
  })
})
