/** Upgrades of installations that people have touched, and what becomes of what they set. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, Deployment, Secret } from '../../src/kubernetes/objects.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult, RunReport } from '../../src/services/run-report.types.ts'
import { type UpgradeOptions, upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { interfering, killApiServer, reapplying, revocableLogin } from '../support/interfering.ts'
import { PACE } from '../support/pace.ts'
import { writtenObjects } from '../support/written-objects.ts'

const SYSTEM = 'kubeairunway-system'
const CONTROLLER = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: SYSTEM, name: 'kubeairunway-controller' }
const CERTIFICATE = { apiVersion: 'v1', kind: 'Secret', namespace: SYSTEM, name: 'kubeairunway-webhook-server-cert' }

const upgradeTo = async (
  cluster: ControlPlane,
  to: string,
  options: Partial<UpgradeOptions> = {},
): Promise<RunReport> => {
  const result = await upgrade(changeRequest(cluster), {
    to,
    releases: cluster.releases,
    conflicts: 'keep',
    holdStorage: true,
    dryRun: false,
    ...options,
  })
  return reportOf(result)
}

const reportOf = (result: ChangeResult): RunReport => {
  if (result.outcome !== 'ran') throw new Error(result.outcome)
  return result.report
}

const goBack = async (request: ChangeRequest): Promise<RunReport> =>
  reportOf(await rollback(request, { dryRun: false }))

const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Refusal)) throw new Error('it was not refused', { cause: error })
  return error
}

const possible = clusterTestsPossible().possible

describe.skipIf(!possible)('an installation that people have touched', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  })
  afterAll(async () => cluster?.stop())

  const container = async (): Promise<Deployment['spec']['template']['spec']['containers'][number]> => {
    const found = (await cluster.client.get<Deployment>(CONTROLLER)).spec.template.spec.containers[0]
    if (found === undefined) throw new Error('no container')
    return found
  }

  /** As `kubectl edit`, `kubectl set` and the like do: a patch under a manager of its own. */
  const touch = async (manager: string, patch: object): Promise<AnyObject> =>
    cluster.client.patch(CONTROLLER, patch, { type: 'strategic', fieldManager: manager })

  const createModel = async (name: string): Promise<void> => {
    const reference = { apiVersion: 'kubeairunway.ai/v1alpha1', kind: 'ModelDeployment', namespace: 'team-a', name }
    const model = await cluster.client.get({ ...reference, name: 'gemma-cpu' })
    await cluster.client.create({
      apiVersion: model.apiVersion,
      kind: model.kind,
      metadata: { name, namespace: 'team-a' },
      spec: model['spec'],
    })
    await eventually(async () => {
      const live = await cluster.client.get(reference)
      return (live['status'] as { phase?: string } | undefined)?.phase === 'Running'
    })
  }

  const owners = async (name: string): Promise<string[]> => {
    const workspace = await cluster.client.get({
      apiVersion: 'kaito.sh/v1beta1',
      kind: 'Workspace',
      namespace: 'team-a',
      name,
    })
    return (workspace.metadata.ownerReferences ?? []).map(({ apiVersion }) => apiVersion)
  }

  const podTemplate = (spec: object): object => ({ spec: { template: { spec } } })

  test('what they set is kept or asked about, never lost; the certificate stays; all of it comes back', async () => {
    const { args = [], image } = await container()
    // Away and back again: the values are the release's, their owner is not.
    for (const tag of ['0.1.0-x', '0.1.0'])
      await touch(
        'kubectl-set',
        podTemplate({ containers: [{ name: 'manager', image: image?.replace(/[^:]*$/, tag) }] }),
      )
    await touch(
      'kubectl-edit',
      podTemplate({ containers: [{ name: 'manager', args: [...args, '--zap-log-level=debug'] }] }),
    )
    await touch('kubectl-patch', podTemplate({ nodeSelector: { 'kubernetes.io/os': 'linux' } }))
    await cluster.client.patch(
      { apiVersion: 'v1', kind: 'Node', name: 'playground-node' },
      { metadata: { labels: { 'kubernetes.io/os': 'linux' } } },
      { type: 'merge' },
    )
    // Restored from a file by `kubectl create`: now an installer's manager owns the data.
    const { metadata: _metadata, ...certificate } = await cluster.client.get<Secret>(CERTIFICATE)
    await cluster.client.delete(CERTIFICATE)
    await cluster.client.create<Secret>(
      { ...certificate, metadata: { name: CERTIFICATE.name, namespace: SYSTEM } },
      { fieldManager: 'kubectl-create' },
    )
    const before = await writtenObjects(cluster.client)
    const data = (await cluster.client.get<Secret>(CERTIFICATE)).data

    const refused = await refusal(upgradeTo(cluster, 'v0.2.0'))
    expect(refused).toMatchObject({ kind: 'blocked', next: expect.stringContaining('--conflicts overwrite') })
    expect(refused.why).toMatch(/containers\[name="manager"\]\.args \(kubectl-edit\)/)
    expect(await cluster.client.find({ apiVersion: 'v1', kind: 'Namespace', name: 'airunway-runs' })).toBeUndefined()

    const report = await upgradeTo(cluster, 'v0.2.0', { conflicts: 'overwrite' })
    expect(report.workloads).toMatchObject({ compared: true, disturbed: 0 })
    expect(JSON.stringify(report.steps)).toContain('kubectl-edit')
    expect((await container()).image).toMatch(/:0\.2\.0$/)
    expect((await cluster.client.get<Secret>(CERTIFICATE)).data).toEqual(data)
    const template = (await cluster.client.get<Deployment>(CONTROLLER)).spec.template.spec
    expect(template['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' })

    await createModel('born-late')
    expect(await owners('born-late')).toEqual(['kubeairunway.ai/v1beta1'])

    const back = await goBack(changeRequest(cluster))
    expect(back.workloads).toMatchObject({ compared: true, disturbed: 0 })
    // The garbage collector would take v1beta1, which is gone, for an owner that is gone, and delete the model.
    expect(await owners('born-late')).toEqual(['kubeairunway.ai/v1alpha1'])
    expect((await container()).args).toEqual([...args, '--zap-log-level=debug'])
    expect(await writtenObjects(cluster.client)).toEqual(before)
  })

  test('an evicted pod does not hold up a roll-out, nor a release whose stored version is not served', async () => {
    const { metadata, spec } = await cluster.client.get<Deployment>(CONTROLLER)
    await cluster.client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'evicted', namespace: SYSTEM, labels: spec.template.metadata?.labels ?? {} },
      spec: { ...spec.template.spec, nodeName: 'gone-node' },
    })
    const evicted = { apiVersion: 'v1', kind: 'Pod', namespace: SYSTEM, name: 'evicted' }
    await cluster.client.patch(
      evicted,
      { status: { phase: 'Failed', reason: 'Evicted' } },
      { type: 'merge', subresource: 'status' },
    )
    expect(metadata.name).toBe(CONTROLLER.name)

    const second = await upgradeTo(cluster, 'v0.2.0', { conflicts: 'overwrite' })
    expect(second.wayBack).toEqual({ possible: true })
    const third = await upgradeTo(cluster, 'v0.3.0')
    expect(third.workloads.changes.slice(0, 3)).toEqual([])
    expect(third.workloads).toMatchObject({ compared: true, disturbed: 0 })
    // v0.3.0 no longer serves v1alpha1, which v0.2.0 offers: said before and after, and true.
    expect(third.wayBack).toMatchObject({ possible: false, why: expect.stringContaining('v1alpha1') })
    expect(await refusal(goBack(changeRequest(cluster)))).toMatchObject({ kind: 'cannot-go-back' })
  })
})

describe.skipIf(!possible)('somebody who interferes while a run goes on', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  })
  afterAll(async () => cluster?.stop())

  const LEASED = { lockSeconds: 9, requestLimitMs: 2000 }
  const request = (changes: Partial<ChangeRequest> = {}): ChangeRequest => ({ ...changeRequest(cluster), ...changes })
  const begin = async (changes: Partial<ChangeRequest> = {}): Promise<RunReport> =>
    reportOf(
      await upgrade(request(changes), {
        to: 'v0.2.0',
        tier: 'in-place',
        releases: cluster.releases,
        conflicts: 'keep',
        holdStorage: true,
        dryRun: false,
      }),
    )
  const goOn = async (changes: Partial<ChangeRequest> = {}): Promise<RunReport> =>
    reportOf(await resume(request(changes), { dryRun: false }))
  /** Without pods a roll-out waits for as long as it takes. */
  const allowPods = async (allowed: boolean): Promise<unknown> => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-more-pods', namespace: SYSTEM } }
    return allowed
      ? cluster.client.delete({ ...quota, ...quota.metadata })
      : cluster.client.create({ ...quota, spec: { hard: { pods: '0' } } })
  }
  const models = (namespace: string, name: string) => ({
    apiVersion: 'kubeairunway.ai/v1alpha1',
    kind: 'ModelDeployment',
    namespace,
    name,
  })

  test('who changes or deletes the Deployment is named, and resuming applies it again; a server that restarts and a namespace that goes stop nothing', async () => {
    // Keeps its namespace, once that is deleted; set while the webhooks are there.
    await cluster.client.patch(
      models('team-a', 'gemma-cpu'),
      { metadata: { finalizers: ['test.example/hold'] } },
      { type: 'merge' },
    )
    const { metadata, spec, ...head } = await cluster.client.get<Deployment>(CONTROLLER)
    const old = { ...head, metadata: { name: metadata.name, namespace: SYSTEM }, spec } as unknown as AnyObject
    delete old['status']
    let tool: ReturnType<typeof reapplying> | undefined
    const syncing = interfering({
      'Update the controller': async () => {
        tool = reapplying(cluster.client, [old], 'argocd-controller')
      },
    })
    const synced = await refusal(begin({ progress: syncing.progress }))
    await tool?.stop()
    await syncing.happened()
    expect(synced).toMatchObject({ kind: 'failed', next: expect.stringContaining('resume') })
    expect(synced.why).toMatch(/told to run \S+:0\.1\.0 instead of \S+:0\.2\.0 by argocd-controller/)

    const deleting = interfering({ 'Roll out the controller': async () => cluster.client.delete(CONTROLLER) })
    const deleted = await refusal(goOn({ progress: deleting.progress }))
    await deleting.happened()
    expect(deleted.why).toContain('Somebody deleted the Deployment kubeairunway-controller')

    const last = interfering({
      'Roll out the controller': async () =>
        cluster.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'team-a' }),
      'Hand over the Lease of kaito': async () => killApiServer(cluster),
    })
    const report = await goOn({ progress: last.progress })
    await last.happened()
    expect(report.run.state).toBe('succeeded')
    // Who looks for what is left in it just when an API server begins sees no definitions yet, and lets it go altogether.
    const namespace = await cluster.client.find<AnyObject>({ apiVersion: 'v1', kind: 'Namespace', name: 'team-a' })
    expect(namespace?.metadata ?? { deletionTimestamp: 'gone' }).toHaveProperty('deletionTimestamp')
    await cluster.client.patch(models('team-a', 'gemma-cpu'), { metadata: { finalizers: null } }, { type: 'merge' })
  }, 240_000)

  test('a token that is renewed is read again; one that ends stops the run, and a runner whose clock is behind goes on', async () => {
    const login = await revocableLogin(cluster)
    // An API server knows a token for 10 s more: the roll-out waits at least that long.
    const ending = interfering({
      'Back up': async () => {
        await allowPods(false)
        await (await login.renew())()
      },
      'Roll out': async () => login.revoke(),
    })
    const stopped = await refusal(
      goBack(request({ ...LEASED, connection: { kubeconfig: login.kubeconfig }, progress: ending.progress })),
    )
    await ending.happened()
    await allowPods(true)
    expect(stopped).toMatchObject({ kind: 'failed', next: expect.stringMatching(/^log in again, then: .*resume/) })
    expect(stopped.why).toContain('does not accept the credentials of this process any more (401)')

    const behind = () => new Date(Date.now() - 120_000)
    const report = await goOn({ ...LEASED, now: behind })
    expect(report.run).toMatchObject({ kind: 'rollback', state: 'succeeded' })
  }, 240_000)

  test('a living holder of the lock is not overthrown by clocks; without records the run stops, and so it does without its CRD', async () => {
    const second: Refusal[] = []
    const racing = interfering({
      'Back up': async () => {
        await allowPods(false)
        for (const seconds of [120, -120])
          second.push(
            await refusal(goOn({ ...LEASED, requestLimitMs: 6000, now: () => new Date(Date.now() + seconds * 1000) })),
          )
        await cluster.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'airunway-runs' })
      },
    })
    const unrecorded = await refusal(begin({ ...LEASED, progress: racing.progress }))
    await racing.happened()
    await allowPods(true)
    expect(second.map(({ kind }) => kind)).toEqual(['locked', 'locked'])
    // Whichever it misses first: the lock, which is there too, or its journal.
    expect(`${unrecorded.message} ${unrecorded.why}`).toMatch(
      /The lock is gone|could not be written to the records of run \d+ in airunway-runs/,
    )
    // The controller of namespaces begins 5 s late, and looks again 8 s after each time that it found something left.
    await eventually(
      async () => {
        const left = await cluster.client.find<AnyObject>({
          apiVersion: 'v1',
          kind: 'Namespace',
          name: 'airunway-runs',
        })
        if (left !== undefined) throw new Error(JSON.stringify(left['status']))
        return true
      },
      { timeout: 90_000 },
    )

    const dropping = interfering({
      'Note the workloads': async () =>
        cluster.client.delete({
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          name: 'modeldeployments.kubeairunway.ai',
        }),
    })
    const dropped = await refusal(begin({ progress: dropping.progress }))
    await dropping.happened()
    expect(dropped.why).toMatch(/Somebody (deletes|has deleted) CustomResourceDefinition modeldeployments/)
  }, 240_000)
})
