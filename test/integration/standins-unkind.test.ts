/** What stand-ins do to each other and to an upgrade that is not careful, as the releases do. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnyObject, Lease, Pod, Secret, WebhookConfiguration } from '../../src/kubernetes/objects.ts'
import { controlPlanePaths } from '../../src/playground/control-plane-files.ts'
import { readManifest } from '../../src/playground/scenarios/kubectl-apply.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { type Any, alpha, deploymentRef, group, leaseRef, secretRef, system } from '../support/sample-objects.ts'

const possible = clusterTestsPossible()
const controller = 'kubeairunway-controller'
const second = 'second-install'
const hooks = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'kubeairunway-mutating-webhook-configuration',
}

interface LogLine {
  ts: string
  msg: string
  object?: string
}

/** A release's controller under the same names in another namespace, with rights of its own. */
async function secondInstall(cluster: ControlPlane, version: string): Promise<AnyObject[]> {
  const pin = (text: string) => text.replaceAll(':latest', `:${version.slice(1)}`).replaceAll(system, second)
  const objects = await readManifest(join(cluster.releases, version, 'manifests/install.yaml'), pin)
  const kinds = new Set([
    'Namespace',
    'ServiceAccount',
    'Role',
    'RoleBinding',
    'ClusterRoleBinding',
    'Secret',
    'Deployment',
  ])
  return objects
    .filter(({ kind }) => kinds.has(kind))
    .map((object) =>
      object.kind === 'ClusterRoleBinding'
        ? { ...object, metadata: { ...object.metadata, name: `${second}-${object.metadata.name}` } }
        : object,
    )
}

describe.skipIf(!possible.possible)(`unkind stand-ins ${possible.reason ?? ''}`, () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy' })
  })
  afterAll(() => cluster?.stop())

  const podNames = async (): Promise<string[]> => {
    const pods = await cluster.client.list<Any<Pod>>({ apiVersion: 'v1', kind: 'Pod', namespace: system })
    return pods.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`${controller}-`))
  }
  const logOf = (pod: string): LogLine[] => {
    const { pods } = controlPlanePaths(cluster.dir)
    const file = readdirSync(pods).find((name) => name === `${system}_${pod}.log`)
    if (!file) return []
    return readFileSync(join(pods, file), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine)
  }
  const moments = (pod: string, message: string): number[] =>
    logOf(pod)
      .filter(({ msg }) => msg === message)
      .map(({ ts }) => Date.parse(ts))

  it('finish what they reconcile when they are told to end, hold their Lease until then, and do not release it', async () => {
    const { client } = cluster
    const [old] = await podNames()
    if (!old) throw new Error('no controller')
    const ref = deploymentRef('team-b', 'mixtral')
    await client.patch(ref, { metadata: { annotations: { [`${group}/reconcile-seconds`]: '6' } } }, { type: 'merge' })
    await eventually(() => moments(old, 'reconcile begins').length > 0)
    await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: system, name: old })
    const told = Date.now()
    await eventually(async () => !(await podNames()).includes(old), { timeout: 20_000 })
    const [ended = 0] = moments(old, 'reconcile ends')
    expect(ended).toBeGreaterThan(told)
    const lease = await client.get<Any<Lease>>(leaseRef(controller))
    expect(lease.spec?.holderIdentity).toMatch(new RegExp(`^${old}_`))
    // renewed while it waited for its worker: every 2 s, of the 5 s or so that it had left
    expect(Date.parse(lease.spec?.renewTime ?? '')).toBeGreaterThan(told + 1000)
    const next = await eventually(
      async () => {
        const [name] = await podNames()
        return name !== undefined && moments(name, 'reconcile begins').length > 0 && name
      },
      { timeout: 40_000 },
    )
    // not before the old one was done, nor before its Lease had run out
    expect(Math.min(...moments(next, 'reconcile begins'))).toBeGreaterThan(
      Date.parse(lease.spec?.renewTime ?? '') + 14_000,
    )
    const annotations = { [`${group}/reconcile-seconds`]: null }
    await client.patch(ref, { metadata: { annotations } }, { type: 'merge' })
  })

  it('overwrite each other’s CA for ever where two of them rotate, until one is gone', async () => {
    const { client } = cluster
    const own = (await client.get<Any<Secret>>(secretRef)).data?.['ca.crt'] ?? ''
    const writes = (namespace: string): number =>
      cluster.auditEvents(
        ({ user, objectRef, responseStatus }) =>
          user.username === `system:serviceaccount:${namespace}:${controller}` &&
          objectRef?.name === hooks.name &&
          responseStatus?.code === 200,
      ).length
    const objects = await secondInstall(cluster, 'v0.1.0')
    for (const object of objects) await client.create(object)
    const before = writes(system)
    await eventually(() => writes(second) >= 20 && writes(system) >= before + 20, { timeout: 60_000 })
    // while it goes on, admission fails as often as not: a create, and with it every update
    const object = { apiVersion: alpha, kind: 'ModelDeployment', metadata: { name: 'try', namespace: 'team-a' } }
    await eventually(async () => {
      const failed = client.create<AnyObject>({ ...object, spec: { model: { id: 'm' } } }, { dryRun: true }).then(
        () => '',
        (error: unknown) => String(error),
      )
      return (await failed).includes('x509: certificate signed by unknown authority')
    })
    await client.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: second, name: controller })
    await eventually(
      async () => (await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: second })).length === 0,
      { timeout: 30_000 },
    )
    await eventually(async () => {
      const { webhooks = [] } = await client.get<Any<WebhookConfiguration>>(hooks)
      return webhooks.every(({ clientConfig }) => clientConfig.caBundle === own)
    })
    const settled = writes(system)
    await eventually(async () => {
      await client.create<AnyObject>({ ...object, spec: { model: { id: 'm' } } }, { dryRun: true })
      return true
    })
    expect(writes(system)).toBe(settled)
  })
})
