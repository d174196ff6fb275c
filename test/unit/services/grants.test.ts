import { expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { isSameGrant } from '../../../src/services/grants.ts'

const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]
const role = (metadata: Partial<AnyObject['metadata']> = {}, rest: Record<string, unknown> = {}): AnyObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'r', labels: { app: 'a' }, ...metadata },
  rules,
  ...rest,
})

test.each<[string, AnyObject, boolean]>([
  ['what the server adds', role({ uid: 'u', resourceVersion: '1', managedFields: [], creationTimestamp: 't' }), true],
  [
    "kubectl's own annotation",
    role({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
    true,
  ],
  ['another annotation', role({ annotations: { a: 'b' } }), false],
  ['another label, which the API server counts as a change of the role', role({ labels: { app: 'b' } }), false],
  ['a label less', role({ labels: {} }), false],
  ['another rule', role({}, { rules: [...rules, ...rules] }), false],
])('%s', (_, live, same) => expect(isSameGrant(live, role())).toBe(same))
