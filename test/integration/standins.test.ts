import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/kubernetes/connect.ts'
import { ApiError } from '../../src/kubernetes/errors.ts'
import type { AnyObject, Lease, Pod, Secret, WebhookConfiguration } from '../../src/kubernetes/objects.ts'
import type { InferenceProviderConfig, ModelDeployment } from '../../src/playground/standins/model-deployment.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import {
  type Any,
  alpha,
  asStatus,
  configRef,
  deploymentRef,
  group,
  leaseRef,
  nudge,
  secretRef,
  system,
} from '../support/sample-objects.ts'

const possible = clusterTestsPossible()
const webhooks = ['Mutating', 'Validating'].map((word) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: `${word}WebhookConfiguration`,
  name: `kubeairunway-${word.toLowerCase()}-webhook-configuration`,
}))

/** Pods of a Deployment that are not on their way out. */
async function podsOf(cluster: ControlPlane, deployment: string): Promise<Pod[]> {
  const pods = await cluster.client.list<Any<Pod>>({ apiVersion: 'v1', kind: 'Pod', namespace: system })
  return pods.filter(({ metadata }) => metadata.name.startsWith(`${deployment}-`) && !metadata.deletionTimestamp)
}

async function replacePod(cluster: ControlPlane, deployment: string): Promise<string> {
  const [pod] = await podsOf(cluster, deployment)
  if (!pod) throw new Error(`${deployment} has no pod`)
  await cluster.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: system, name: pod.metadata.name })
  return pod.metadata.name
}

describe.skipIf(!possible.possible)(`stand-ins of v0.1.0 ${possible.reason ?? ''}`, () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy' })
  })
  afterAll(() => cluster?.stop())

  it('run ModelDeployments: provider objects owned by them, and pods', async () => {
    const { client } = cluster
    const found = await client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
    expect(found).toHaveLength(7)
    for (const { metadata, status } of found) {
      expect([metadata.name, status?.phase]).toEqual([metadata.name, 'Running'])
      const kind = status?.provider?.resourceKind ?? ''
      const apiVersion = kind === 'Workspace' ? 'kaito.sh/v1beta1' : 'ray.io/v1'
      const namespace = metadata.namespace ?? ''
      const child = await client.get({ apiVersion, kind, namespace, name: metadata.name })
      expect(child.metadata.ownerReferences).toMatchObject([{ apiVersion: alpha, uid: metadata.uid, controller: true }])
      const pods = await client.list<Any<Pod>>({ apiVersion: 'v1', kind: 'Pod', namespace })
      const own = pods.filter((pod) => pod.metadata.name.startsWith(`${metadata.name}-`))
      expect([metadata.name, own.length]).toEqual([metadata.name, status?.replicas?.ready])
    }
  })

  it('default and refuse through the webhooks', async () => {
    const { client } = cluster
    const object = { apiVersion: alpha, kind: 'ModelDeployment', metadata: { name: 'try', namespace: 'team-a' } }
    const spec = { model: { id: 'm' }, resources: { gpu: { count: 1 } } }
    const created = await client.create<AnyObject>({ ...object, spec }, { dryRun: true })
    expect(created['spec']).toMatchObject({ serving: { mode: 'aggregated' }, engine: { type: 'vllm' } })
    const dotted = { ...object, metadata: { ...object.metadata, name: 'a.b' }, spec }
    await expect(client.create<AnyObject>(dotted, { dryRun: true })).rejects.toThrow(
      /denied the request: metadata\.name: must not contain dots/,
    )
    const change = client.patch(
      deploymentRef('team-a', 'llama-8b'),
      { spec: { model: { id: 'y' } } },
      { type: 'merge' },
    )
    await expect(change).rejects.toThrow(/spec\.model\.id: is immutable/)
  })

  it('undo a status nudge, without any other write; a paused one stays as it is', async () => {
    const { client } = cluster
    const before = await client.get<Any<ModelDeployment>>(deploymentRef('team-b', 'mixtral'))
    await client.patch(deploymentRef('team-c', 'frozen'), nudge, asStatus)
    await client.patch(deploymentRef('team-b', 'mixtral'), nudge, asStatus)
    const after = await eventually(async () => {
      const now = await client.get<Any<ModelDeployment>>(deploymentRef('team-b', 'mixtral'))
      return now.status?.observedGeneration === 1 && now.status.provider?.resourceKind === 'RayService' && now
    })
    expect(after.status).toEqual(before.status)
    const frozen = await client.get<Any<ModelDeployment>>(deploymentRef('team-c', 'frozen'))
    expect(frozen.status?.observedGeneration).toBe(0)
    expect(frozen.status?.provider?.resourceKind).toBeUndefined()
    const shim = 'system:serviceaccount:kubeairunway-system:kubeairunway-kuberay-provider'
    expect(
      cluster
        .auditEvents(
          ({ user, objectRef }) =>
            user.username === shim && objectRef?.resource === 'rayservices' && objectRef.name === 'mixtral',
        )
        .map(({ verb }) => verb),
    ).toEqual(['create'])
  })

  it('hang in the deletion of a paused one until it goes on', async () => {
    const { client } = cluster
    const ref = deploymentRef('team-c', 'frozen')
    await client.delete(ref)
    // the other team's deletion goes through meanwhile, so the shim had its chance
    await client.delete(deploymentRef('team-c', 'embed-cpu'))
    await eventually(async () => (await client.find(deploymentRef('team-c', 'embed-cpu'))) === undefined)
    expect((await client.get(ref)).metadata).toMatchObject({ finalizers: [`${group}/kaito-provider`] })
    await client.patch(ref, { metadata: { annotations: { [`${group}/reconcile-paused`]: null } } }, { type: 'merge' })
    await eventually(async () => (await client.find(ref)) === undefined)
    const left = await eventually(async () => {
      const workspaces = await client.list({ apiVersion: 'kaito.sh/v1beta1', kind: 'Workspace', namespace: 'team-c' })
      return workspaces.length === 0 && workspaces
    })
    expect(left).toEqual([])
  })

  it('write the CA wherever it belongs, again after it was taken away', async () => {
    const { client } = cluster
    const secret = await client.get<Any<Secret>>(secretRef)
    const ca = secret.data?.['ca.crt'] ?? ''
    const leaf = new X509Certificate(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64'))
    expect(leaf.subjectAltName).toBe('DNS:kubeairunway-webhook-service.kubeairunway-system.svc')
    const bundles = async (): Promise<(string | undefined)[]> => {
      const found = await Promise.all(webhooks.map((ref) => client.get<Any<WebhookConfiguration>>(ref)))
      return found.flatMap((one) => (one.webhooks ?? []).map(({ clientConfig }) => clientConfig.caBundle))
    }
    expect(await bundles()).toEqual([ca, ca])
    for (const ref of webhooks) {
      await client.patch(ref, [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }], { type: 'json' })
    }
    await eventually(async () => (await bundles()).every((bundle) => bundle === ca))
  })

  it('lose their work with their lease, and wait out that of a dead predecessor', async () => {
    const { client } = cluster
    const stolen = leaseRef('kubeairunway-kuberay-provider')
    const controller = leaseRef('kubeairunway-controller')
    const holder = (await client.get<Any<Lease>>(controller)).spec?.holderIdentity ?? ''
    const gone = await replacePod(cluster, 'kubeairunway-controller')
    expect(holder).toMatch(new RegExp(`^${gone}_[0-9a-f-]{36}$`))
    // not released: the successor finds the name of the dead one in it
    await eventually(async () => {
      const pods = await podsOf(cluster, 'kubeairunway-controller')
      return pods.some(({ metadata, status }) => metadata.name !== gone && status?.containerStatuses?.[0]?.ready)
    })
    const last = await client.get<Any<Lease>>(controller)
    expect(last.spec?.holderIdentity).toBe(holder)
    const time = new Date().toISOString().replace('Z', '000Z')
    await client.patch(stolen, { spec: { holderIdentity: 'thief', renewTime: time } }, { type: 'merge' })
    await eventually(
      async () => {
        const [pod] = await podsOf(cluster, 'kubeairunway-kuberay-provider')
        return pod?.status?.containerStatuses?.[0]?.restartCount === 1
      },
      { timeout: 40_000 },
    )
    const [pod] = await podsOf(cluster, 'kubeairunway-kuberay-provider')
    expect(pod?.status?.containerStatuses?.[0]).toMatchObject({ lastState: { terminated: { exitCode: 1 } } })
    const next = await eventually(
      async () => {
        const lease = await client.get<Any<Lease>>(controller)
        return lease.spec?.holderIdentity !== holder && lease
      },
      { timeout: 40_000 },
    )
    const gap = Date.parse(next.spec?.acquireTime ?? '') - Date.parse(last.spec?.renewTime ?? '')
    expect(gap).toBeGreaterThanOrEqual(14_000)
    expect(next.spec?.leaseTransitions).toBe((last.spec?.leaseTransitions ?? 0) + 1)
  })

  it('say that a provider is gone when its shim ends, overwrite its spec when it starts, and write without a change', async () => {
    const { client } = cluster
    const ref = configRef('kaito')
    await client.patch(ref, { spec: { selectionRules: [{ condition: 'edited' }] } }, { type: 'merge' })
    const deployments = async () => {
      const found = await client.list<Any<ModelDeployment>>({ apiVersion: alpha, kind: 'ModelDeployment' })
      return found.filter(({ status }) => status?.provider?.name === 'kaito')
    }
    const before = (await deployments()).map(({ metadata }) => metadata.resourceVersion)
    const writesOf = (account: string) =>
      cluster.auditEvents(
        ({ user, objectRef }) =>
          user.username === `system:serviceaccount:${system}:${account}` && objectRef?.resource === 'modeldeployments',
      ).length
    const [ofShim, ofController] = [writesOf('kubeairunway-kaito-provider'), writesOf('kubeairunway-controller')]
    await replacePod(cluster, 'kubeairunway-kaito-provider')
    await eventually(async () => (await client.get<Any<InferenceProviderConfig>>(ref)).status?.ready === false)
    const back = await eventually(
      async () => {
        const config = await client.get<Any<InferenceProviderConfig>>(ref)
        return config.status?.ready === true && config
      },
      { timeout: 40_000 },
    )
    expect(back.spec?.['selectionRules']).toEqual([{ condition: 'true', priority: 10 }])
    expect(Date.now() - Date.parse(back.status?.lastHeartbeat ?? '')).toBeLessThan(30_000)
    // its ModelDeployments are as they should be; it patches them all the same, and nothing changes
    expect(before.length).toBeGreaterThan(0)
    await eventually(() => writesOf('kubeairunway-kaito-provider') >= ofShim + before.length)
    // the controller looks at every ModelDeployment again when a provider is not ready any more, and when it is again
    await eventually(() => writesOf('kubeairunway-controller') >= ofController + 2 * before.length)
    expect((await deployments()).map(({ metadata }) => metadata.resourceVersion)).toEqual(before)
  })

  it('crash when their registration is refused, and back off where their writes are', async () => {
    const { client } = cluster
    const user = 'system:serviceaccount:kubeairunway-system:kubeairunway-kuberay-provider'
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'fence' },
    }
    const rule = {
      apiGroups: [group],
      apiVersions: ['*'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['modeldeployments/status', 'inferenceproviderconfigs'],
    }
    await client.create<AnyObject>({
      ...policy,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: `request.userInfo.username != '${user}'`, reason: 'Forbidden' }],
      },
    })
    const binding = {
      apiVersion: policy.apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'fence' },
    }
    await client.create<AnyObject>({ ...binding, spec: { policyName: 'fence', validationActions: ['Deny'] } })
    const impersonated = await cluster.kubeconfigFor({ name: 'fence-probe', groups: ['system:masters'] })
    const probe = await connect({ kubeconfig: impersonated, as: user }, { env: {} })
    const ref = deploymentRef('team-b', 'mixtral')
    // the policy acts a moment after it was created: a dry run as the shim tells when
    await eventually(async () => {
      const refused = await probe.patch(ref, {}, { ...asStatus, dryRun: true }).then(
        () => undefined,
        (error: unknown) => error,
      )
      return refused instanceof ApiError && refused.code === 403
    })
    await probe.close()
    await client.patch(ref, nudge, asStatus)
    const denied = () =>
      cluster.auditEvents(
        ({ user: { username }, impersonatedUser, objectRef, responseStatus }) =>
          username === user &&
          !impersonatedUser &&
          objectRef?.resource === 'modeldeployments' &&
          responseStatus?.code === 403,
      )
    await eventually(() => denied().length >= 9)
    const times = denied().map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
    // 5 ms doubled with each denial: the eighth sleep is at least 640 ms, however slow the machine is
    expect((times[8] ?? 0) - (times[7] ?? 0)).toBeGreaterThanOrEqual(640)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeLessThan(640)
    const restarts = async (): Promise<number> => {
      const [pod] = await podsOf(cluster, 'kubeairunway-kuberay-provider')
      return pod?.status?.containerStatuses?.[0]?.restartCount ?? 0
    }
    await replacePod(cluster, 'kubeairunway-kuberay-provider')
    await eventually(async () => (await restarts()) > 0, { timeout: 60_000 })
    await client.delete({ apiVersion: policy.apiVersion, kind: binding.kind, name: 'fence' })
    await eventually(
      async () => (await client.get<Any<ModelDeployment>>(ref)).status?.provider?.resourceKind === 'RayService',
      { timeout: 60_000 },
    )
  })
})
