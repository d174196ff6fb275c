import { describe, expect, test } from 'vitest'
import type { AccessRequest } from '../../../src/kubernetes/client.types.ts'
import { fewestRequests, rightsAsObjects, rulesFor, subjectOf } from '../../../src/plan/rights.ts'

const pods = (verb: string, rest: Partial<AccessRequest> = {}): AccessRequest => ({
  verb,
  group: '',
  resource: 'pods',
  ...rest,
})

test.each([
  ['jane', { kind: 'User', name: 'jane' }],
  ['system:serviceaccount:ci:deployer', { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }],
  // neither of these is a ServiceAccount to the API server
  ['system:serviceaccount:deployer', { kind: 'User', name: 'system:serviceaccount:deployer' }],
  ['oidc:system:serviceaccount:a:b', { kind: 'User', name: 'oidc:system:serviceaccount:a:b' }],
])('%s', (user, subject) => expect(subjectOf(user)).toEqual(subject))

describe('what another right covers is not asked for', () => {
  test.each<[string, AccessRequest[], number[]]>([
    ['a namespace, by all of them', [pods('list', { namespace: 'a' }), pods('list')], [1]],
    ['a name, by any', [pods('get', { name: 'a' }), pods('get')], [1]],
    ['a name in a namespace, by all', [pods('get'), pods('get', { namespace: 'a', name: 'b' })], [0]],
    ['the same twice', [pods('get', { name: 'a' }), pods('get', { name: 'a' })], [0]],
    ['another verb does not', [pods('get', { name: 'a' }), pods('list')], [0, 1]],
    ['a subresource is another resource', [pods('create'), pods('create', { subresource: 'proxy' })], [0, 1]],
    ['another group', [pods('get'), pods('get', { group: 'metrics.k8s.io' })], [0, 1]],
    ['another namespace', [pods('list', { namespace: 'a' }), pods('list', { namespace: 'b' })], [0, 1]],
    [
      'a name everywhere is not all names of a namespace',
      [pods('get', { name: 'a' }), pods('get', { namespace: 'b' })],
      [0, 1],
    ],
  ])('%s', (_, requests, kept) => expect(fewestRequests(requests)).toEqual(kept.map((index) => requests[index])))
})

test('verbs of the same names share a rule; others have their own', () => {
  const requests = [
    pods('patch', { name: 'b' }),
    pods('get', { name: 'b' }),
    pods('patch', { name: 'a' }),
    pods('get', { name: 'a' }),
    pods('list'),
    pods('delete', { name: 'a' }),
    { verb: 'create', group: 'apps', resource: 'deployments' },
    pods('create', { subresource: 'proxy' }),
  ]
  expect(rulesFor(requests)).toEqual([
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods'], resourceNames: ['a'], verbs: ['delete'] },
    { apiGroups: [''], resources: ['pods'], resourceNames: ['a', 'b'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods/proxy'], verbs: ['create'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['create'] },
  ])
})

test('one role and its binding for each place, the cluster first', () => {
  const objects = rightsAsObjects(
    [pods('list', { namespace: 'b' }), pods('get', { namespace: 'a', name: 'x' }), pods('watch')],
    'for-a-run',
    { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
  )
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`)).toEqual([
    'ClusterRole -/for-a-run',
    'ClusterRoleBinding -/for-a-run',
    'Role a/for-a-run',
    'RoleBinding a/for-a-run',
    'Role b/for-a-run',
    'RoleBinding b/for-a-run',
  ])
  expect(objects[3]).toMatchObject({
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'for-a-run' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }],
  })
})

test('a user needs its API group in a binding', () => {
  const [, binding] = rightsAsObjects([pods('watch')], 'n', { kind: 'User', name: 'jane' })
  expect(binding?.['subjects']).toEqual([{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }])
})
