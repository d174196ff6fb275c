/** Reports about definitions with everything that they may hold. */
import type {
  CrdAdviceReport,
  CrdComparisonReport,
  CrdDifferenceReport,
  CrdFinding,
} from '../../../src/services/crd-report.types.ts'

const metadata = { before: 'old.yaml', after: 'config/crd' }

export const finding: CrdFinding = {
  id: 'crd.enum.value-removed',
  scope: 'same-version',
  version: 'v1alpha1',
  path: '^.spec.engine',
  before: ['a', 'b'],
  after: ['a'],
  audiences: ['writer', 'stored'],
  level: 'error',
  title: 'a value is not allowed any more',
  why: 'Requests with it are refused.',
  fix: 'Keep the value.',
}

const ignored: CrdFinding = {
  ...finding,
  id: 'crd.default.changed',
  path: '^.spec.replicas',
  before: 1,
  after: { b: 2 },
  level: 'info',
  ignored: { until: '2026-12-31', reason: 'agreed with all users' },
}

const counted: CrdFinding = {
  ...finding,
  id: 'crd.required.added',
  title: 'the field is required now',
  path: '^.spec.port',
  level: 'warning',
  live: {
    checked: 4213,
    affected: 1,
    offenders: [{ namespace: 'models', name: 'llama', field: 'spec.port', message: 'Required value' }],
    ratchets: true,
    levelBefore: 'error',
  },
}

export const comparison: CrdComparisonReport = {
  metadata,
  verdict: 'blocked',
  decidedBy: 'upgrade',
  counts: {
    upgrade: { error: 1, warning: 1, info: 0, ignored: 1 },
    rollback: { error: 0, warning: 0, info: 1, ignored: 0 },
  },
  definitions: [
    {
      name: 'models.example.io',
      presence: 'both',
      before: 'old.yaml',
      after: 'config/crd/models.yaml',
      profile: 'kubernetes',
      upgrade: [finding, counted, ignored],
      rollback: [{ ...finding, id: 'crd.enum.value-added', level: 'info', title: 'a value is new' }],
      live: {
        kubernetes: '1.36',
        objects: 4213,
        direction: 'upgrade',
        dryRun: { outcome: 'refused', message: 'no', causes: [{ field: 'spec', message: 'm' }] },
        users: [
          {
            version: 'v1alpha1',
            users: [{ manager: 'kubectl', via: 'managedFields', objects: 2, example: 'models/llama' }],
            requests: 3,
          },
        ],
        unread: [{ what: 'metrics', why: 'forbidden' }],
      },
    },
  ],
  crdValidation: [{ name: 'crd.scope.changed', errors: ['e'] }],
  sameVersionValidation: {
    v1alpha1: { '^.spec.engine': [{ name: 'crd.enum.value-removed', errors: ['e'], warnings: ['w'] }] },
  },
  servedVersionValidation: { 'v1alpha1 -> v1': { '^.spec': [{ name: 'crd.type.changed', warnings: ['w'] }] } },
}

export const difference: CrdDifferenceReport = {
  metadata,
  changes: 2,
  definitions: [
    { name: 'gone.example.io', presence: 'removed', before: 'old.yaml', changes: [] },
    {
      name: 'models.example.io',
      presence: 'both',
      before: 'old.yaml',
      after: 'config/crd/models.yaml',
      changes: [{ id: 'crd.property.added', scope: 'same-version', version: 'v1', path: '^.spec.x', after: 'string' }],
    },
  ],
}

export const advice: CrdAdviceReport = {
  metadata,
  advice: [
    {
      name: 'models.example.io',
      profile: 'ngf',
      version: 'v1alpha1',
      bump: 'bump-without-webhook',
      newVersion: 'v1alpha2',
      verdict: 'Add v1alpha2.',
      because: [
        { id: 'crd.required.added', path: '^.spec.port', title: 'required now', asksFor: 'bump-without-webhook' },
      ],
      parts: [
        { releasesLater: 0, release: 'v1.4.0', actions: ['Add v1alpha2, served, not stored'], why: 'w' },
        { releasesLater: 3, actions: ['Remove v1alpha1'], why: 'w' },
      ],
      byHand: ['Write the field.'],
      impossible: [{ id: 'crd.scope.changed', path: '', title: 'another scope', asksFor: 'none' }],
    },
  ],
  unpaired: [{ name: 'new.example.io', presence: 'added' }],
}
