import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { RunSummary } from '../../../src/journal/journal.types.ts'
import { optionalAnnotation, rightsAsObjects } from '../../../src/plan/rights.ts'
import { documentOf } from '../../../src/report/documents.ts'
import { renderHuman } from '../../../src/report/human.ts'
import { sizeOf } from '../../../src/report/human-export.ts'
import { plainStyle } from '../../../src/report/style.ts'
import type { RightsReport } from '../../../src/services/print-rights.ts'
import type { StatusReport } from '../../../src/status/status.types.ts'

const time = '2026-11-22T12:00:00.000Z'
const cluster = { context: 'prod', server: 'https://127.0.0.1:6443' }
const quiet: StatusReport = {
  metadata: { time, cluster, recordNamespace: 'airunway-runs' },
  components: [
    {
      component: 'controller',
      deployment: { namespace: 's', name: 'controller' },
      version: 'v0.2.0',
      image: 'i',
      replicas: 1,
      readyReplicas: 1,
      lease: { name: 'l', holder: 'controller-abc_uuid', fresh: true },
      tier: 'standby',
    },
    {
      component: 'kaito',
      deployment: { namespace: 's', name: 'kaito-provider' },
      image: 'i',
      replicas: 1,
      readyReplicas: 0,
      ready: false,
    },
  ],
  unfinished: false,
  waysOn: [],
  rollback: { possible: true, to: 'v0.1.0' },
  leftovers: [],
  unreadable: [],
}
const stopped: RunSummary = {
  number: 3,
  kind: 'upgrade',
  product: 'p',
  from: 'v0.1.0',
  to: 'v0.2.0',
  state: 'failed',
  startedAt: time,
  by: 'me@here',
  planHash: 'abc',
}
const show = (report: StatusReport): string => renderHuman(documentOf('Status', report), plainStyle)

describe('status as a screen', () => {
  test('where all is well', () => {
    expect(show(quiet)).toBe(`COMPONENT   VERSION  READY  DEPLOYMENT        STATE
controller  v0.2.0   1/1    s/controller      Lease held by controller-abc, last moved by standby
kaito       unknown  0/1    s/kaito-provider  provider config not ready

run      none is recorded
lock     free
back     rollback to v0.1.0 is possible
`)
  })

  test('where a run stopped', () => {
    const text = show({
      ...quiet,
      lastRun: { ...stopped, reason: 'no room' },
      unfinished: true,
      waysOn: ['kubectl airunway resume (go on)', 'kubectl airunway abort (undo)'],
      rollback: { possible: false, why: 'because' },
      leftovers: [{ object: 'Deployment s/controller-standby', what: 'created by run 3' }],
      unreadable: [{ what: 'Nodes', why: 'forbidden' }],
    })
    expect(text.split('\n').slice(4)).toEqual([
      'run      3 (upgrade v0.1.0 -> v0.2.0, by me@here) failed: no room; it is unfinished',
      'lock     free',
      'back     because',
      '!  Deployment s/controller-standby created by run 3',
      '?  not known: Nodes (forbidden)',
      'Next: kubectl airunway resume (go on)',
      '      kubectl airunway abort (undo)',
      '',
    ])
  })

  test('where neither the records nor the lock may be read', () => {
    expect(
      show({ ...quiet, unknown: ['lastRun', 'lock'] })
        .split('\n')
        .slice(4, 6),
    ).toEqual(['run      not known', 'lock     not known'])
  })

  test('where the lock may not be read', () => {
    const text = show({ ...quiet, unknown: ['lock'], lastRun: { ...stopped, state: 'running' }, unfinished: true })
    expect(text.split('\n').slice(4, 6)).toEqual([
      'run      3 (upgrade v0.1.0 -> v0.2.0, by me@here) is being carried out, or stopped without a word',
      'lock     not known',
    ])
  })

  test('where nothing was found', () => {
    expect(show({ ...quiet, components: [] })).toContain('No AI Runway was found here.')
  })
})

describe('rights as YAML', () => {
  const report: RightsReport = {
    metadata: { time, cluster },
    plan: { kind: 'upgrade', product: 'p', from: 'v0.1.0', to: 'v0.2.0', tier: 'standby', hash: 'abc' },
    subject: { kind: 'User', name: 'REPLACE-ME' },
    placeholder: true,
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'b', namespace: 'a' }, rules: [] },
    ],
  }

  test('is just the objects to whoever parses it, and tells people that the subject is missing', () => {
    const text = renderHuman(documentOf('AccessRights', report), plainStyle)
    expect(parseAllDocuments(text).flatMap((each) => (each.toJS() ?? []) as object[])).toEqual(report.objects)
    expect(text).toContain('--for USER')
    const named = renderHuman(
      documentOf('AccessRights', { ...report, placeholder: false, subject: { kind: 'User', name: 'jane' } }),
      plainStyle,
    )
    expect(named).toContain('# What jane needs')
    expect(named).not.toContain('--for')
    expect(text).not.toContain('May be left out')
    const [role] = rightsAsObjects([], 'r-optional', report.subject, { [optionalAnnotation]: 'only used at times' })
    expect(role).toBeUndefined()
    const right = { verb: 'patch', group: 'g', resource: 'widgets', subresource: 'status' }
    const objects = rightsAsObjects([right], 'r-optional', report.subject, {
      [optionalAnnotation]: 'only used at times',
    })
    const optional = renderHuman(documentOf('AccessRights', { ...report, objects }), plainStyle)
    expect(optional.match(/^---\n# May be left out: only used at times\.$/gm)).toHaveLength(2)
    expect(parseAllDocuments(optional).map((each) => each.toJS() as unknown)).toEqual(objects)
  })
})

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [999_999, '1000 kB'],
  [1_000_000, '1 MB'],
  [52_340_000, '52.4 MB'],
])('%d bytes are %s', (bytes, text) => expect(sizeOf(bytes)).toBe(text))
