import { expect, test } from 'vitest'
import type { ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import { podFieldsOfOthers } from '../../../src/services/as-it-is.ts'
import { nameTaken, selectorOfOthers } from '../../../src/services/no-standby.ts'

const CONTAINER = 'k:{"name":"manager"}'
const podSpec = (fields: object): object => ({ 'f:spec': { 'f:template': { 'f:spec': fields } } })
const container = (fields: object): object => podSpec({ 'f:containers': { [CONTAINER]: fields } })

test.each<[string, ManagedFieldsEntry, string[]]>([
  [
    'a person',
    { manager: 'kubectl-edit', fieldsV1: podSpec({ 'f:nodeSelector': {} }) as Record<string, unknown> },
    ['.spec.template.spec.nodeSelector (kubectl-edit)'],
  ],
  [
    'a raised limit',
    {
      manager: 'kubectl-set',
      fieldsV1: container({ 'f:resources': { 'f:limits': { 'f:memory': {} } } }) as Record<string, unknown>,
    },
    ['.spec.template.spec.containers[name="manager"].resources.limits.memory (kubectl-set)'],
  ],
  [
    'what the release decides anyway',
    { manager: 'kubectl-set', fieldsV1: container({ 'f:image': {}, 'f:args': {} }) as Record<string, unknown> },
    [],
  ],
  [
    'a restart',
    {
      manager: 'kubectl-rollout',
      fieldsV1: { 'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': { 'f:restartedAt': {} } } } } },
    },
    [],
  ],
  ['the installer', { manager: 'helm', fieldsV1: podSpec({ 'f:nodeSelector': {} }) as Record<string, unknown> }, []],
  ['an autoscaler', { manager: 'hpa', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }, []],
])('%s', (_name, entry, expected) => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', managedFields: [entry] } }
  expect(podFieldsOfOthers(deployment)).toEqual(expected)
})

test("a Deployment called like a standby is somebody's unless a run made it", () => {
  const of = (labels: Record<string, string>) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd-standby', labels },
  })
  expect(nameTaken(of({}))).toContain('d-standby')
  expect(nameTaken(of({ 'cli.airunway.ai/run': '3' }))).toBeUndefined()
})

test.each([
  ['ops', true],
  ['helm', false],
  ['kubectl-airunway', false],
])('a selector owned by %s', (manager, isOthers) => {
  const managedFields = [{ manager, fieldsV1: { 'f:spec': { 'f:selector': {} } } }]
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', managedFields } }
  expect(selectorOfOthers(service) !== undefined).toBe(isOthers)
})
