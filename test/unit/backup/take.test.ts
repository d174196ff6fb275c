import { expect, test } from 'vitest'
import { appliedOf } from '../../../src/backup/take.ts'
import type { ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'

test('the selector of a Service goes back with it, whoever owned it', () => {
  const managedFields: ManagedFieldsEntry[] = [
    { manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:ports': {} } } },
    { manager: 'ops', operation: 'Update', fieldsV1: { 'f:spec': { 'f:selector': {} } } },
  ]
  const selector = { app: 'controller' }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'n', managedFields },
    spec: { ports: [{ port: 443 }], selector },
  }
  expect(appliedOf(service)).toMatchObject({ spec: { selector } })
})
