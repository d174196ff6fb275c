import { describe, expect, test } from 'vitest'
import { type Child, compareBaseline, descendants } from '../../../src/gates/undisturbed.ts'

const owned = (kind: string, uid: string, ...owners: string[]) => ({
  kind,
  object: {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: uid,
      uid,
      ownerReferences: owners.map((owner) => ({ apiVersion: 'v1', kind: 'X', name: owner, uid: owner })),
    },
  },
})

test('children are found through any number of owners, whatever their order', () => {
  const all = [
    owned('Pod', 'pod', 'set'),
    owned('ReplicaSet', 'set', 'deployment'),
    owned('Deployment', 'deployment', 'workspace'),
    owned('Workspace', 'workspace', 'model'),
    owned('Pod', 'stranger', 'other'),
    owned('Pod', 'loose'),
  ]
  expect(descendants(new Set(['model']), all).map(({ object }) => object.metadata.uid)).toEqual([
    'workspace',
    'deployment',
    'set',
    'pod',
  ])
})

const pod = (restarts: number, uid = 'u1'): Child => ({ kind: 'Pod', namespace: 'a', name: 'p', uid, restarts })
const workspace = (generation: number, uid = 'u2'): Child => ({
  kind: 'Workspace',
  namespace: 'a',
  name: 'w',
  uid,
  generation,
})

describe('compareBaseline', () => {
  test.each<[string, Child[], Child[], string[]]>([
    ['the same', [pod(0), workspace(1)], [pod(0), workspace(1)], []],
    ['a new child is no change', [pod(0)], [pod(0), workspace(1)], []],
    ['restart', [pod(1)], [pod(3)], ['Pod a/p restarted 2 times']],
    ['another uid', [pod(0)], [pod(0, 'u9')], ['Pod a/p was made anew (another uid)']],
    ['gone', [pod(0)], [], ['Pod a/p is gone']],
    ['spec changed', [workspace(1)], [workspace(2)], ['Workspace a/w was changed (generation 1 to 2)']],
  ])('%s', (_title, before, after, expected) => {
    expect(
      compareBaseline({ children: before }, { children: after }).map(({ child, what }) => `${child} ${what}`),
    ).toEqual(expected)
  })
})
