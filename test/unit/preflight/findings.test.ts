/** What makes a finding the same finding, and what may be accepted. */
import { describe, expect, test } from 'vitest'
import { applyAcceptances, parseAcceptances } from '../../../src/preflight/acceptances.ts'
import { evidenceHash, finding } from '../../../src/preflight/finding.ts'
import { makeReport } from '../../../src/preflight/make-report.ts'
import { sortFindings } from '../../../src/preflight/run-checks.ts'
import { countOf, verdictOf } from '../../../src/preflight/verdict.ts'
import { nearest } from '../../../src/report/nearest.ts'
import type { Refusal } from '../../../src/report/refusal.ts'
import { beat, kubelet, range, setOperator } from './changes.ts'
import { at, healthy, install, shim } from './samples.ts'

const node = { apiVersion: 'v1', kind: 'Node', name: 'a' }
const ids = ['kubelet-too-old', 'kubernetes-newer-than-tested', 'two-installs']
const cluster = { server: 'https://127.0.0.1:6443' }

describe('the hash of the evidence', () => {
  const base = evidenceHash('x', node, { a: 1, b: { c: [1, 2], d: 'e' } })

  test('is 12 hex digits', () => expect(base).toMatch(/^[0-9a-f]{12}$/))

  test.each([
    ['the order of keys', true, evidenceHash('x', node, { b: { d: 'e', c: [1, 2] }, a: 1 })],
    ['a field that is undefined', true, evidenceHash('x', node, { a: 1, b: { c: [1, 2], d: 'e' }, f: undefined })],
    ['the order of a list', false, evidenceHash('x', node, { a: 1, b: { c: [2, 1], d: 'e' } })],
    ['a value', false, evidenceHash('x', node, { a: 2, b: { c: [1, 2], d: 'e' } })],
    ['the ID', false, evidenceHash('y', node, { a: 1, b: { c: [1, 2], d: 'e' } })],
    ['the object', false, evidenceHash('x', { ...node, name: 'b' }, { a: 1, b: { c: [1, 2], d: 'e' } })],
  ])('%s: same %s', (_, same, hash) => expect(hash === base).toBe(same))

  test('of a stale heartbeat stays while time goes on', () => {
    const at1 = makeReport(
      healthy((c) => beat(c, '2026-11-22T11:50:00Z')),
      { cluster },
    )
    const at2 = makeReport(
      healthy((c) => beat(c, '2026-11-22T10:00:00Z')),
      { cluster },
    )
    expect(at1.findings.map(({ title }) => title)).not.toEqual(at2.findings.map(({ title }) => title))
    expect(at1.findings.map(({ evidenceHash: hash }) => hash)).toEqual(
      at2.findings.map(({ evidenceHash: hash }) => hash),
    )
  })

  test('dies when the operator changes its version', () => {
    const hashOf = (version: string) =>
      makeReport(
        healthy((c) => setOperator(c, 'kaito', version)),
        { cluster },
      ).findings.map(({ evidenceHash: hash }) => hash)
    expect(hashOf('0.4.3')).not.toEqual(hashOf('0.4.4'))
  })
})

describe('--accept', () => {
  test.each([
    ['kubelet-too-old=known', { id: 'kubelet-too-old', reason: 'known' }],
    ['kubelet-too-old=a=b, c', { id: 'kubelet-too-old', reason: 'a=b, c' }],
    [' kubelet-too-old = spaces ', { id: 'kubelet-too-old', reason: 'spaces' }],
  ])('%s', (text, expected) => expect(parseAcceptances([text], ids)).toEqual([expected]))

  test.each([
    ['no reason', ['kubelet-too-old'], /has no reason/],
    ['an empty reason', ['kubelet-too-old= '], /has no reason/],
    ['an unknown ID', ['kublet-too-old=x'], /no check has the ID "kublet-too-old"/],
    ['the same twice', ['kubelet-too-old=x', 'kubelet-too-old=y'], /given twice/],
    ['nothing', [''], /no check has the ID ""/],
  ])('%s is a usage error', (_, texts, message) => {
    expect(() => parseAcceptances(texts, ids)).toThrow(message)
    expect(() => parseAcceptances(texts, ids)).toThrow(expect.objectContaining({ kind: 'usage' }) as Refusal)
  })

  test('of an unknown ID names the nearest', () => {
    expect(() => parseAcceptances(['kublet-too-old=x'], ids)).toThrow(
      expect.objectContaining({ next: 'kubectl airunway explain kubelet-too-old' }) as Refusal,
    )
  })

  const old = finding({
    id: 'kubelet-too-old',
    severity: 'error',
    title: 't',
    object: node,
    evidence: {},
    cause: 'c',
    fix: { text: 'f' },
  })

  test('sets findings apart, and says what was not needed', () => {
    const acceptances = parseAcceptances(['kubelet-too-old=known', 'kubernetes-newer-than-tested=tried'], ids)
    expect(applyAcceptances([old], acceptances)).toEqual({
      open: [],
      accepted: [{ reason: 'known', finding: old }],
      unused: [{ id: 'kubernetes-newer-than-tested', reason: 'tried' }],
    })
  })

  test('of what cannot be accepted is a usage error', () => {
    expect(() =>
      applyAcceptances([{ ...old, acceptable: false }], [{ id: 'kubelet-too-old', reason: 'known' }]),
    ).toThrow(/kubelet-too-old cannot be accepted/)
  })
})

describe('the report', () => {
  test('of a healthy cluster passes, and every check is named once', () => {
    const report = makeReport(healthy(), { cluster })
    expect(report).toMatchObject({ verdict: 'passed', findings: [], from: 'v0.1.0', product: 'kubeairunway' })
    expect(report.checks.filter(({ status }) => status === 'skipped').map(({ group }) => group)).toEqual([
      'crds',
      'release',
      'release',
      'release',
    ])
  })

  test('accepted errors no longer block, and still stand in the report', () => {
    const context = healthy((c) => kubelet(c, 'v1.32.0'))
    expect(makeReport(context, { cluster }).verdict).toBe('blocked')
    const report = makeReport(context, {
      cluster,
      acceptances: [{ id: 'kubelet-too-old', reason: 'replaced tonight' }],
    })
    expect(report.verdict).toBe('passed')
    expect(report.counts).toEqual({ error: 0, warning: 0, info: 0, accepted: 1 })
    expect(report.accepted[0]).toMatchObject({ reason: 'replaced tonight', finding: { id: 'kubelet-too-old' } })
  })

  test('with two controllers no version is taken for granted', () => {
    const report = makeReport(
      healthy((c) => c.inventory.installs.push(install({ namespace: 'b' }))),
      { cluster },
    )
    expect(report.verdict).toBe('blocked')
    expect(report).not.toHaveProperty('from')
  })

  test('the order of what was read does not matter', () => {
    const forward = healthy((c) => {
      range(c, '1.26-1.30')
      c.inventory.shims = ['kaito', 'kuberay'].map((name) => shim(name, { readyReplicas: 0 }))
    })
    const backward = healthy((c) => {
      range(c, '1.26-1.30')
      c.inventory.shims = ['kuberay', 'kaito'].map((name) => shim(name, { readyReplicas: 0 }))
    })
    expect(JSON.stringify(makeReport(forward, { cluster }))).toBe(JSON.stringify(makeReport(backward, { cluster })))
  })
})

test('findings are sorted by severity, ID and object', () => {
  const make = (severity: 'error' | 'warning' | 'info', id: string, name: string) =>
    finding({ severity, id, title: '', object: { ...node, name }, evidence: {}, cause: '', fix: { text: '' } })
  const sorted = [
    make('error', 'a', '1'),
    make('error', 'b', '1'),
    make('error', 'b', '2'),
    make('warning', 'a', '1'),
    make('info', 'a', '1'),
  ]
  expect(sortFindings(sorted.toReversed())).toEqual(sorted)
  expect(verdictOf(sorted)).toBe('blocked')
  expect(verdictOf(sorted.slice(3))).toBe('warnings')
  expect(verdictOf(sorted.slice(4))).toBe('passed')
  expect(countOf(sorted)).toEqual({ error: 3, warning: 1, info: 1 })
  expect(at(sorted, 0).docs).toBe('docs/checks/a.md')
})

test.each([
  ['kublet-too-old', ['kubelet-too-old']],
  ['kubelet', ['kubelet-too-old']],
  ['kublet', ['kubelet-too-old']],
  ['kubernetes-newer', ['kubernetes-newer-than-tested']],
  ['two-instals', ['two-installs']],
  ['foo', []],
  ['KUBELET-TOO-OLD', ['kubelet-too-old']],
  ['zzz', []],
  ['', []],
])('nearest to %j', (typed, expected) => expect(nearest(typed, ids)).toEqual(expected))
