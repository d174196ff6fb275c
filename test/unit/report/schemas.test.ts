/** Every kind of document has a published schema, and fullest samples of each, held to the types by the compiler, fit it. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/backup/backup.types.ts'
import { errorDocument } from '../../../src/cli/render-error.ts'
import { finding } from '../../../src/preflight/finding.ts'
import { makeReport } from '../../../src/preflight/make-report.ts'
import { type DocumentBodies, type DocumentKind, documentOf } from '../../../src/report/documents.ts'
import { schemaErrors, schemaFile } from '../../support/schemas.ts'
import { healthy } from '../preflight/samples.ts'
import { advice, comparison, difference } from './crd-samples.ts'

const time = '2026-11-22T12:00:00.000Z'
const cluster = { context: 'prod', server: 'https://127.0.0.1:6443', user: 'admin' }
const findings = [
  finding({
    id: 'kubelet-too-old',
    severity: 'error',
    title: 't',
    object: { apiVersion: 'v1', kind: 'Node', name: 'a' },
    evidence: { a: 1 },
    cause: 'c',
    fix: { text: 'f', command: 'kubectl get nodes' },
  }),
]
const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }
const run: DocumentBodies['Run']['run'] = {
  number: 2,
  kind: 'rollback',
  product: 'kubeairunway',
  from: 'v0.2.0',
  to: 'v0.1.0',
  state: 'succeeded',
  startedAt: time,
  finishedAt: time,
  by: 'me@here',
  planHash: 'abc',
  undoes: 1,
  storageMoved: true,
  reason: 'asked for',
}

const savedObjects: Backup = {
  takenAt: time,
  objects: [{ object: service, applied: service }],
  absent: [{ apiVersion: 'v1', kind: 'Service', name: 'b' }],
  collections: { 'kubeairunway.ai/v1alpha1 ModelDeployment': [service] },
}

const surveyed: DocumentBodies['NothingToMigrate']['definitions'][number] = {
  definition: 'widgets.example.com',
  storageVersion: 'v1',
  storedVersions: ['v1', 'v2'],
  flipTo: 'v2',
  needed: true,
  objects: 3,
  requests: 28,
  seconds: 35,
  blockers: [
    { kind: 'unreadable', definition: 'widgets.example.com', message: 'm', why: 'w', next: 'n', versions: ['v0'] },
  ],
  users: [{ version: 'v1', users: [{ manager: 'm', via: 'managedFields', objects: 1, example: 'a/b' }] }],
  lost: [{ path: 'spec.size', version: 'v1', objects: 1, defaults: 1, examples: [{ namespace: 'a', name: 'b' }] }],
  unchecked: [{ version: 'v0', fields: ['spec.size'], why: 'w', next: 'n' }],
  denied: [
    {
      cause: 'webhook',
      subject: 's',
      objects: 2,
      throughStatus: 1,
      examples: [{ namespace: 'a', name: 'b', message: 'm' }],
    },
  ],
  tried: 3,
  notes: ['n'],
}

const migrated: NonNullable<DocumentBodies['Run']['migrated']>[number] = {
  definition: 'widgets.example.com',
  storageVersion: 'v2',
  before: { storedVersions: ['v1', 'v2'] },
  after: { storedVersions: ['v2'] },
  outcome: 'migrated',
  reason: 'r',
  stopped: 'outage',
  notes: ['n'],
  passes: [
    {
      rewritten: 0,
      unchanged: 3,
      gone: 0,
      failed: 0,
      throughStatus: 1,
      managersMoved: 0,
      altered: 0,
      startedAt: time,
      seconds: 0.1,
      requests: 4,
      mostInFlight: 3,
    },
  ],
  proof: { pass: 1, objects: 3, startedAt: time, secondsAfterFlip: 35.5 },
  seconds: { settle: 0.1, rewrite: 1, prove: 1, trim: 0 },
  requests: 10,
  removable: ['v1'],
}

const bodies: { [K in DocumentKind]: DocumentBodies[K] } = {
  PreflightReport: makeReport(healthy(), { cluster }),
  Explanation: { metadata: {}, checks: [{ id: 'kubelet-too-old', check: 'c' }], page: '# page' },
  Plan: {
    metadata: { time, cluster },
    plan: {
      kind: 'upgrade',
      product: 'kubeairunway',
      from: 'v0.1.0',
      to: 'v0.2.0',
      source: 'examples/releases/v0.2.0',
      tier: 'in-place',
      tierReason: 'r',
      components: [],
      notes: ['n'],
      wayBack: { possible: true },
      accepted: [{ id: 'kubelet-too-old', evidenceHash: 'abc', reason: 'known' }],
      steps: [{ id: '01-back-up', kind: 'back-up', title: 't', description: 'd' }],
      hash: 'abc',
      heldStorage: { 'widgets.example.com': 'v2' },
      notMigrated: ['gadgets.example.com'],
    },
    findings,
    records: { objects: 3, bytes: 1200 },
    survey: [surveyed],
    blocked: { message: 'm', why: 'w', next: 'n' },
  },
  Run: {
    metadata: { time, cluster, recordNamespace: 'airunway-runs' },
    run,
    seconds: 1.5,
    steps: [{ id: '01-back-up', title: 't', outcome: 'done', evidence: { objects: 3 } }],
    workloads: { compared: true, children: 3, disturbed: 0, changes: [] },
    notes: ['n'],
    wayBack: { possible: false, why: 'w' },
    measured: [{ what: 'w', seconds: 1.5 }],
    findings,
    heldStorage: { 'widgets.example.com': 'v2' },
    notMigrated: ['gadgets.example.com'],
    migrated: [migrated],
  },
  NothingToDo: {
    metadata: { time, cluster },
    product: 'kubeairunway',
    version: 'v0.1.0',
    toMigrate: ['widgets.example.com'],
  },
  NothingToMigrate: { metadata: { time, cluster }, definitions: [surveyed], notes: ['n'] },
  ClosedRun: {
    metadata: { time, cluster, recordNamespace: 'airunway-runs' },
    run: { ...run, state: 'superseded', supersededBy: 3 },
    closed: true,
    stays: ['s'],
    next: 'kubectl airunway migrate widgets.example.com',
  },
  RunHistory: {
    metadata: { time, cluster, recordNamespace: 'airunway-runs' },
    runs: [run],
    entries: [{ at: time, step: '01-back-up', event: 'done', detail: { objects: 3 } }],
  },
  AccessRights: {
    metadata: { time, cluster },
    plan: { kind: 'upgrade', product: 'kubeairunway', from: 'v0.1.0', to: 'v0.2.0', tier: 'standby', hash: 'abc' },
    subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
    placeholder: false,
    objects: [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'a' }, rules: [] }],
  },
  RunRecord: {
    metadata: { time, cluster, recordNamespace: 'airunway-runs' },
    summary: run,
    plan: {
      kind: 'rollback',
      product: 'kubeairunway',
      from: 'v0.2.0',
      to: 'v0.1.0',
      source: 's',
      tier: 'in-place',
      tierReason: 'r',
      components: [],
      notes: [],
      wayBack: { possible: true },
      steps: [],
      hash: 'abc',
    },
    entries: [{ at: time, step: '01-back-up', event: 'done' }],
    backup: savedObjects,
    lost: [
      {
        definition: 'widgets.example.com',
        values: [
          { namespace: 'n', name: 'w', uid: 'u', version: 'v1', path: ['l', 0, 'a'], value: 1, isDefault: false },
        ],
      },
    ],
    first: [
      { definition: 'widgets.example.com', objects: [{ apiVersion: 'a/v1', kind: 'W', metadata: { name: 'w' } }] },
    ],
  },
  RunExport: { metadata: { time, cluster, recordNamespace: 'airunway-runs' }, run: 2, file: 'run-2.json', bytes: 1200 },
  Status: {
    metadata: { time, cluster, recordNamespace: 'airunway-runs' },
    components: [
      {
        component: 'controller',
        deployment: { namespace: 'kubeairunway-system', name: 'kubeairunway-controller' },
        version: 'v0.1.0',
        image: 'i',
        replicas: 1,
        readyReplicas: 1,
        lease: { name: 'l', holder: 'pod_1', fresh: true },
        tier: 'standby',
      },
      {
        component: 'kaito',
        deployment: { namespace: 'kubeairunway-system', name: 'k' },
        image: 'i',
        replicas: 1,
        readyReplicas: 0,
        ready: false,
      },
    ],
    lastRun: run,
    unfinished: true,
    waysOn: ['kubectl airunway resume'],
    lock: { holder: 'me@here/1/a', since: time },
    unknown: ['lock'],
    rollback: { possible: false, why: 'w' },
    leftovers: [{ object: 'Deployment a/b', what: 'w' }],
    unreadable: [{ what: 'Nodes', why: 'w' }],
  },
  CrdComparison: comparison,
  CrdDifference: difference,
  CrdAdvice: advice,
}

function textOf<K extends DocumentKind>(kind: K): string {
  return JSON.stringify(documentOf(kind, bodies[kind]))
}

describe.each(Object.keys(bodies) as DocumentKind[])('%s', (kind) => {
  test('fits its schema', () => expect(schemaErrors(textOf(kind))).toEqual([]))

  test('with a field more, or without its metadata, it does not', () => {
    const document = JSON.parse(textOf(kind)) as Record<string, unknown>
    expect(schemaErrors(JSON.stringify({ ...document, extra: 1 }))).not.toEqual([])
    expect(schemaErrors(JSON.stringify({ ...document, metadata: undefined }))).not.toEqual([])
  })
})

test.each([
  [{ exit: 'usage', kind: 'usage', message: 'm' }],
  [{ exit: 'failed', kind: 'unreachable', message: 'm', why: 'w', next: 'n', details: { code: 'ECONNREFUSED' } }],
] as const)('an error fits its schema: %o', (report) => {
  expect(schemaErrors(JSON.stringify(errorDocument(report)))).toEqual([])
})

test('a back-up file fits its schema', () => {
  const file = { apiVersion: 'cli.airunway.ai/v1alpha1', kind: 'Backup', metadata: { run: 2, time }, ...savedObjects }
  expect(schemaErrors(JSON.stringify(file))).toEqual([])
})

test('there is no schema without a kind', () => {
  const kinds = [...Object.keys(bodies), 'Error', 'Playground', 'Backup']
  const files = readdirSync(new URL('../../../docs/schemas/', import.meta.url))
  expect(files.toSorted()).toEqual(kinds.map(schemaFile).toSorted())
})
