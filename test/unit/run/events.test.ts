import { describe, expect, test } from 'vitest'
import type { RunSummary } from '../../../src/journal/journal.types.ts'
import type { KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import { replayClient } from '../../../src/kubernetes/replay.ts'
import { sealed } from '../../../src/plan/hash.ts'
import type { Plan } from '../../../src/plan/plan.types.ts'
import { eventAccess, eventOf, runTeller } from '../../../src/run/events.ts'

const at = new Date('2026-11-22T12:00:00.123Z')
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'system', name: 'controller' }
const run: RunSummary = {
  number: 7,
  kind: 'upgrade',
  product: 'kubeairunway',
  from: 'v0.1.0',
  to: 'v0.2.0',
  state: 'running',
  startedAt: at.toISOString(),
  by: 'me@here',
  planHash: 'abc',
}
const plan = (steps: Plan['steps']): Plan =>
  sealed({
    kind: 'upgrade',
    product: 'kubeairunway',
    from: 'v0.1.0',
    to: 'v0.2.0',
    source: 's',
    tier: 'in-place',
    tierReason: 'r',
    components: [],
    notes: [],
    wayBack: { possible: true },
    steps,
  })
const workloads = { apiVersion: 'g/v1', kind: 'ModelDeployment', pausedAnnotation: 'p', providerKinds: [] }
const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'system', name: 'lease' }
const handOver = plan([
  {
    id: '01-await-lease',
    kind: 'await-lease',
    title: 't',
    leases: [{ lease, deployment: { ...deployment, name: 'controller-standby', namespace: 'elsewhere' }, image: 'i' }],
    timeoutSeconds: 1,
  },
  {
    id: '02-compare-baseline',
    kind: 'compare-baseline',
    title: 't',
    workloads,
    images: [{ deployment, container: 'c', image: 'i' }],
  },
])

describe('an Event', () => {
  const told = { at, suffix: 'ab', instance: 'host/1' }

  test('is one that the API server takes', () => {
    expect(eventOf(run, { ...deployment, uid: 'u' }, { ...told, phase: 'Started' })).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'controller.run-7.ab', namespace: 'system' },
      eventTime: '2026-11-22T12:00:00.123000Z',
      reportingController: 'kubectl-airunway',
      reportingInstance: 'host/1',
      action: 'Upgrade',
      reason: 'UpgradeStarted',
      type: 'Normal',
      regarding: { ...deployment, uid: 'u' },
      note: 'Run 7 (upgrade kubeairunway v0.1.0 to v0.2.0) has started',
    })
  })

  test.each([
    ['Failed', 'upgrade', 'Warning', 'UpgradeFailed'],
    ['Interrupted', 'rollback', 'Warning', 'RollbackInterrupted'],
    ['Finished', 'abort', 'Normal', 'AbortFinished'],
    ['HandedOver', 'upgrade', 'Normal', 'UpgradeHandedOver'],
  ] as const)('%s of %s is %s, %s', (phase, kind, type, reason) => {
    expect(eventOf({ ...run, kind }, deployment, { ...told, phase })).toMatchObject({ type, reason })
  })

  test('names the run that it undoes, and why it failed', () => {
    expect(eventOf({ ...run, undoes: 6 }, deployment, { ...told, phase: 'Failed', note: 'no room' })['note']).toBe(
      'Run 7 (upgrade kubeairunway v0.1.0 to v0.2.0, undoes run 6) has failed: no room',
    )
  })

  test('keeps the limits of the API server: 1 kB of note, 128 characters of instance, 253 of name', () => {
    const long = { ...deployment, name: 'd'.repeat(250) }
    const event = eventOf(run, long, { ...told, phase: 'Failed', note: 'ü'.repeat(2000), instance: 'h'.repeat(300) })
    expect(Buffer.byteLength(String(event['note']))).toBeLessThan(1024)
    expect(event['note']).not.toContain('\uFFFD')
    expect(String(event['reportingInstance'])).toHaveLength(128)
    expect(event.metadata.name.length).toBeLessThan(254)
  })
})

describe('telling', () => {
  const refusing = (): KubernetesClient => replayClient([])

  test('never throws, whatever the client does', async () => {
    const tell = runTeller(handOver, { client: refusing(), summary: () => run, now: () => at })
    await expect(tell('Started')).resolves.toBeUndefined()
  })

  test('a plan that hands nothing over tells nothing, and needs no right for it', () => {
    expect(eventAccess(plan([]))).toEqual([])
    expect(eventAccess(handOver)).toEqual([
      { apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: 'system', verbs: ['create'] },
    ])
  })
})
