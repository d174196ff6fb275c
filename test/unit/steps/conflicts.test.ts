import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { belongsToRelease, conflictsOf, withoutField } from '../../../src/steps/conflicts.ts'

const deployment: AnyObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', labels: { app: 'x', 'app.kubernetes.io/name': 'y' } },
  spec: {
    replicas: 1,
    template: {
      spec: {
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        containers: [
          { name: 'manager', image: 'a:1', ports: [{ containerPort: 8443, protocol: 'TCP' }], args: ['--x'] },
          { name: 'other', image: 'b:1' },
        ],
      },
    },
  },
}

const at = (object: AnyObject, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], object)

describe('withoutField removes just the field that the API server names', () => {
  test.each([
    ['.spec.replicas', ['spec', 'replicas']],
    ['.metadata.labels.app', ['metadata', 'labels', 'app']],
    ['.metadata.labels.app.kubernetes.io/name', ['metadata', 'labels', 'app.kubernetes.io/name']],
    [
      '.spec.template.spec.nodeSelector.kubernetes.io/os',
      ['spec', 'template', 'spec', 'nodeSelector', 'kubernetes.io/os'],
    ],
    ['.spec.template.spec.containers[name="manager"].image', ['spec', 'template', 'spec', 'containers', 0, 'image']],
    [
      '.spec.template.spec.containers[name="manager"].ports[containerPort=8443,protocol="TCP"].protocol',
      ['spec', 'template', 'spec', 'containers', 0, 'ports', 0, 'protocol'],
    ],
  ])('%s', (field, path) => {
    expect(at(deployment, ...path)).toBeDefined()
    const reduced = withoutField(deployment, field)
    expect(at(reduced, ...path)).toBeUndefined()
    const parent = path.slice(0, -1)
    expect(Object.keys(at(reduced, ...parent) as object)).toHaveLength(
      Object.keys(at(deployment, ...parent) as object).length - 1,
    )
  })

  test('a whole list item', () => {
    const reduced = withoutField(deployment, '.spec.template.spec.containers[name="other"]')
    expect(at(reduced, 'spec', 'template', 'spec', 'containers')).toHaveLength(1)
  })

  test.each(['.spec.absent', '.spec.template.spec.containers[name="gone"].image', 'nonsense', ''])(
    '%s changes nothing',
    (field) => {
      expect(withoutField(deployment, field)).toEqual(deployment)
    },
  )
})

describe('what makes the release this release is not left to another manager', () => {
  test.each([
    ['.spec.template.spec.containers[name="manager"].image', true],
    ['.spec.template.spec.containers[name="manager"].args', true],
    ['.rules', true],
    ['.webhooks[name="a"].rules', true],
    ['.spec.versions', true],
    ['.spec.conversion.webhook.clientConfig.caBundle', true],
    ['.spec.replicas', false],
    ['.spec.template.spec.nodeSelector', false],
    ['.spec.template.spec.containers[name="manager"].resources.limits.memory', false],
    ['.metadata.labels.team', false],
  ])('%s %s', (field, expected) => {
    expect(belongsToRelease(field)).toBe(expected)
  })
})

test('conflicts are read from the causes of an answer', () => {
  const causes = [
    { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using apps/v1', field: '.spec.replicas' },
    { reason: 'FieldValueInvalid', message: 'x', field: '.spec' },
  ]
  expect(conflictsOf(causes)).toEqual([{ field: '.spec.replicas', manager: 'kubectl-edit' }])
})
