import { describe, expect, test } from 'vitest'
import type { ChangedNode } from '../../../../src/crds/comparison/comparison.types.ts'
import { ratchets } from '../../../../src/installation/evidence/ratcheting.ts'
import { countOf } from '../../../../src/installation/evidence/request-counts.ts'
import { directionFrom, readableAs, versionsThatGo } from '../../../../src/installation/evidence/standing.ts'
import { tracesOf, UserCount } from '../../../../src/installation/evidence/version-users.ts'
import type { KubernetesObject, ObjectMeta } from '../../../../src/kubernetes/objects.ts'
import { definition, object, version, webhook } from '../../crds/comparison/definitions.ts'
import { text } from '../../crds/comparison/schemas.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const of = (metadata: Partial<ObjectMeta>): KubernetesObject => ({
  apiVersion: 'example.io/v1',
  kind: 'Model',
  metadata: { name: 'a', ...metadata },
})
const applied = (annotation: string) => of({ annotations: { [lastApplied]: annotation } })
const managed = (...entries: ObjectMeta['managedFields'] & object) => of({ managedFields: entries })
const helm = { manager: 'helm', via: 'managedFields' }

describe('traces of example.io/v1 in an object', () => {
  test.each<[string, KubernetesObject, object[]]>([
    ['none', of({}), []],
    ['a manager', managed({ manager: 'helm', apiVersion: 'example.io/v1' }), [helm]],
    ['a manager of another version', managed({ manager: 'helm', apiVersion: 'example.io/v2' }), []],
    ['a manager of another group', managed({ manager: 'helm', apiVersion: 'other.io/v1' }), []],
    [
      'one that wrote twice',
      managed(
        { manager: 'helm', apiVersion: 'example.io/v1' },
        { manager: 'helm', apiVersion: 'example.io/v1', subresource: 'status' },
      ),
      [helm],
    ],
    ['one without a name', managed({ apiVersion: 'example.io/v1' }), [{ manager: 'unknown', via: 'managedFields' }]],
    [
      'kubectl apply',
      applied('{"apiVersion":"example.io/v1"}'),
      [{ manager: 'kubectl-client-side-apply', via: 'last-applied' }],
    ],
    ['kubectl apply of another version', applied('{"apiVersion":"example.io/v2"}'), []],
    ['an annotation that is no JSON', applied('{"apiVersion":"example.io/v1"'), []],
    ['an annotation that is null', applied('null'), []],
    ['an annotation that is a list', applied('["example.io/v1"]'), []],
  ])('%s', (_, written, expected) => {
    expect(tracesOf(written, 'example.io/v1')).toEqual(expected)
  })

  test('those of most objects come first, with the first of these as example', () => {
    const count = new UserCount()
    const one = managed({ manager: 'argo', apiVersion: 'example.io/v1' })
    const both = managed(
      { manager: 'argo', apiVersion: 'example.io/v1' },
      { manager: 'zeta', apiVersion: 'example.io/v1' },
    )
    for (const seen of [both, one]) count.add(seen, tracesOf(seen, 'example.io/v1'))
    expect(count.users().map(({ manager, objects, example }) => [manager, objects, example])).toEqual([
      ['argo', 2, 'a'],
      ['zeta', 1, 'a'],
    ])
  })
})

describe('a line of the metrics', () => {
  const labels = 'code="200",group="example.io",resource="models",verb="GET",version="v1"'
  test.each<[string, string, object | undefined]>([
    ['a count', `apiserver_request_total{${labels}} 7`, { version: 'v1', requests: 7 }],
    ['a large count', `apiserver_request_total{${labels}} 1.5e+06`, { version: 'v1', requests: 1_500_000 }],
    ['a count with a time', `apiserver_request_total{${labels}} 7 1700000000`, { version: 'v1', requests: 7 }],
    ['a value with a brace', `apiserver_request_total{a="}{\\"",${labels}} 7`, { version: 'v1', requests: 7 }],
    ['another group', `apiserver_request_total{${labels.replace('example.io', 'other.io')}} 7`, undefined],
    ['another resource', `apiserver_request_total{${labels.replace('models', 'engines')}} 7`, undefined],
    ['no version', `apiserver_request_total{${labels.replace('v1', '')}} 7`, undefined],
    ['another metric', `apiserver_request_total_other{${labels}} 7`, undefined],
    ['a comment', '# TYPE apiserver_request_total counter', undefined],
    ['no number', `apiserver_request_total{${labels}} many`, undefined],
  ])('%s', (_, line, expected) => {
    expect(countOf(line, { group: 'example.io', plural: 'models' })).toEqual(expected)
  })
})

describe('what ratchets', () => {
  const x: ChangedNode = { path: [{ property: 'spec' }, { property: 'x' }] }
  const spec: ChangedNode = { path: [{ property: 'spec' }] }
  const root: ChangedNode = { path: [] }
  test.each<[id: string, node: ChangedNode | undefined, minor: number, expected: boolean]>([
    ['crd.enum.value-removed', x, 30, true],
    ['crd.enum.value-removed', x, 29, false],
    ['crd.max-properties.added', spec, 36, true],
    ['crd.max-properties.added', root, 36, false],
    ['crd.required.added', x, 36, true],
    ['crd.required.added', spec, 36, false],
    ['crd.list-type.to-unique', x, 28, true],
    ['crd.list-map-keys.changed', x, 28, true],
    ['crd.embedded-resource.added', x, 36, false],
    ['crd.property.removed', x, 36, false],
    ['crd.property.constrains-unknown', x, 36, true],
    ['crd.additional-properties.constrained', x, 36, true],
    ['crd.additional-properties.removed', x, 36, false],
    ['crd.default.added', x, 36, false],
    ['crd.version.removed', undefined, 36, false],
  ])('%s at %j in 1.%i: %s', (id, node, minor, expected) => {
    expect(ratchets(node === undefined ? { id } : { id, node }, minor)).toBe(expected)
  })
})

describe('where a cluster stands', () => {
  const fields = (...names: string[]) => object(Object.fromEntries(names.map((name) => [name, text])))
  const [old, now] = [['x'], ['x', 'y']].map((names) => definition([version('v1', { spec: fields(...names) })]))
  if (old === undefined || now === undefined) throw new Error('there are two')
  const reworded = definition([version('v1', { spec: { ...fields('x', 'y'), description: 'other words' } })])
  test.each([
    ['at the old one', old, 'upgrade'],
    ['at the new one', now, 'rollback'],
    ['at the new one, in other words', reworded, 'rollback'],
    ['at neither', definition([version('v1', { spec: fields('z') })]), 'upgrade'],
  ])('%s', (_, live, expected) => {
    expect(directionFrom(live, { before: old, after: now })).toBe(expected)
  })

  const hidden = version('v1', { spec: fields('x'), served: false })
  const [twin, other] = [version('v2', { spec: fields('x') }), version('v2', { spec: fields('y') })]
  test.each([
    ['a version that is served', definition([version('v1'), other]), 'v1'],
    ['one that is not, by one of the same schema', definition([hidden, twin]), 'v2'],
    ['one that is not, and another one differs', definition([hidden, other]), undefined],
    ['one that is not, and a webhook converts', definition([hidden, twin], { conversion: webhook }), undefined],
    ['one that is not there', definition([twin]), undefined],
  ])('objects of v1 can be read: %s', (_, live, expected) => {
    expect(readableAs(live, 'v1')).toBe(expected)
  })

  test.each([
    ['is gone', definition([version('v1'), version('v2')]), definition([version('v2')]), ['v1']],
    ['is served no more', definition([version('v1')]), definition([version('v1', { served: false })]), ['v1']],
    ['is deprecated', definition([version('v1')]), definition([version('v1', { deprecated: true })]), ['v1']],
    ['stays', definition([version('v1')]), definition([version('v1'), version('v2')]), []],
    ['was not served', definition([hidden]), definition([hidden]), []],
  ])('a version that %s', (_, before, after, expected) => {
    expect(versionsThatGo({ before, after })).toEqual(expected)
  })
})
