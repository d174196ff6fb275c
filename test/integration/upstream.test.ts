/**
 * The real release files of AI Runway v0.4.0 and v0.5.0 on a real API server, with stand-ins under the real images' names.
 * The files are another project's and not in this repository: they are used where they lie beside it, else this is skipped.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type {
  AnyObject,
  CustomResourceDefinition,
  Deployment,
  Secret,
  WebhookConfiguration,
} from '../../src/kubernetes/objects.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { RunReport } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'

const upstream = fileURLToPath(new URL('../../../shared/upstream/airunway/', import.meta.url))
const missing = !existsSync(upstream)
if (missing)
  process.stderr.write('skipped: the real release files are not beside the repository (../shared/upstream)\n')

const MODELS = 'airunway.ai/v1alpha1'
const SYSTEM = 'airunway-system'

const model = (namespace: string, name: string, provider: string): AnyObject => ({
  apiVersion: MODELS,
  kind: 'ModelDeployment',
  metadata: { name, namespace },
  spec: {
    model: { id: 'meta-llama/Llama-3.1-8B-Instruct', source: 'huggingface' },
    provider: { name: provider },
    engine: { type: 'vllm' },
    resources: { gpu: { count: 1 }, memory: '32Gi' },
  },
})

describe.skipIf(missing || !clusterTestsPossible().possible)('the real release files', () => {
  let cluster: ControlPlane
  const kubectl = (...args: string[]): string => execFileSync('kubectl', args, { env: cluster.env, encoding: 'utf8' })
  const file = (version: string, name: string): string => readFileSync(`${upstream}${version}/${name}.yaml`, 'utf8')

  const imageOf = async (name: string): Promise<string | undefined> => {
    const deployment = await cluster.client.get<Deployment>({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: SYSTEM,
      name,
    })
    return deployment.spec.template.spec.containers[0]?.image
  }

  const certificate = async (): Promise<Record<string, string> | undefined> =>
    (
      await cluster.client.get<Secret>({
        apiVersion: 'v1',
        kind: 'Secret',
        namespace: SYSTEM,
        name: 'airunway-webhook-server-cert',
      })
    ).data

  const authorities = async (): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = []
    for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
      const name = `airunway-${kind.replace('WebhookConfiguration', '').toLowerCase()}-webhook-configuration`
      const live = await cluster.client.get<WebhookConfiguration>({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind,
        name,
      })
      found.push(...(live.webhooks ?? []).map(({ clientConfig }) => clientConfig.caBundle))
    }
    return found
  }

  beforeAll(async () => {
    cluster = await startControlPlane({ pace: PACE })
    const operators = fileURLToPath(new URL('../../examples/operators/', import.meta.url))
    for (const name of ['kaito', 'kuberay', 'dynamo', 'gpu-operator']) {
      const text = readFileSync(`${operators}${name}.yaml`, 'utf8')
      execFileSync('kubectl', ['apply', '--server-side', '-f', '-'], {
        env: cluster.env,
        input: text,
        stdio: ['pipe', 'ignore', 'inherit'],
      })
    }
    for (const name of ['controller', 'kaito', 'llmd']) {
      const pinned = file('v0.4.0', name).replaceAll(':latest', ':0.4.0')
      execFileSync('kubectl', ['apply', '-f', '-'], {
        env: cluster.env,
        input: pinned,
        stdio: ['pipe', 'ignore', 'inherit'],
      })
    }
    for (const namespace of ['team-a', 'team-b']) {
      kubectl('create', 'namespace', namespace)
      for (const [name, provider] of [
        ['one', 'kaito'],
        ['two', 'llmd'],
      ] as const)
        await eventually(async () => cluster.client.create(model(namespace, name, provider)), { timeout: 60_000 })
    }
    await eventually(
      async () => {
        const models = await cluster.client.list({ apiVersion: MODELS, kind: 'ModelDeployment' })
        return models.every((each) => (each['status'] as { phase?: string } | undefined)?.phase === 'Running')
      },
      { timeout: 90_000 },
    )
  })

  afterAll(async () => cluster?.stop())

  test('v0.4.0 to v0.5.0 and back: every object applied, the image pinned, certificate and shims left alone', async () => {
    const before = { certificate: await certificate(), authorities: await authorities() }
    expect(before.certificate?.['ca.crt']).toBeTruthy()
    expect(before.authorities).not.toContain(undefined)

    const checked = await upgrade(changeRequest(cluster), {
      to: 'v0.5.0',
      source: `${upstream}v0.5.0`,
      conflicts: 'keep',
      dryRun: true,
    }).catch((error: unknown) => error)
    expect(checked).toMatchObject({ outcome: 'planned' })
    const done = await upgrade(changeRequest(cluster), {
      to: 'v0.5.0',
      source: `${upstream}v0.5.0`,
      conflicts: 'keep',
      tier: 'in-place',
      dryRun: false,
    })
    if (done.outcome !== 'ran') throw new Error(done.outcome)
    expect(done.report.run).toMatchObject({ from: 'v0.4.0', to: 'v0.5.0', state: 'succeeded' })
    expect(applied(done.report)).toBe(25)
    expect(done.report.workloads).toMatchObject({ compared: true, disturbed: 0 })
    expect(done.report.workloads.children).toBeGreaterThan(0)
    expect(await imageOf('airunway-controller-manager')).toBe('ghcr.io/kaito-project/airunway/controller:0.5.0')
    expect(await imageOf('airunway-kaito-provider')).toBe('ghcr.io/kaito-project/airunway/kaito-provider:0.4.0')
    expect(done.report.findings?.map(({ id }) => id)).toContain('shim-stays')
    expect(await certificate()).toEqual(before.certificate)
    expect(await authorities()).toEqual(before.authorities)
    for (const wanted of parseAllDocuments(file('v0.5.0', 'controller')).map(
      (document) => document.toJS() as AnyObject,
    ))
      await expectOwned(wanted)
    expect(await hasField('gatewayNamespace')).toBe(true)

    const gone = await rollback(changeRequest(cluster), { dryRun: false })
    if (gone.outcome !== 'ran') throw new Error(gone.outcome)
    expect(gone.report.run).toMatchObject({ from: 'v0.5.0', to: 'v0.4.0', state: 'succeeded', undoes: 1 })
    expect(gone.report.workloads).toMatchObject({ compared: true, disturbed: 0 })
    expect(await imageOf('airunway-controller-manager')).toBe('ghcr.io/kaito-project/airunway/controller:0.4.0')
    expect(await certificate()).toEqual(before.certificate)
    expect(await authorities()).toEqual(before.authorities)
    // A superset of the same version stays.
    expect(await hasField('gatewayNamespace')).toBe(true)
  })

  const applied = (report: RunReport): number =>
    report.steps.reduce((sum, { evidence }) => sum + ('created' in evidence ? Number(evidence['objects']) : 0), 0)

  /** The object is there, and we are the manager of what was applied: nothing of the file was left out. */
  const expectOwned = async (wanted: AnyObject): Promise<void> => {
    const { apiVersion, kind, metadata } = wanted
    // The file's Secret has no fields, so there is nothing in it that anybody could own.
    if (kind === 'Secret') return
    const live = await cluster.client.get({
      apiVersion,
      kind,
      name: metadata.name,
      ...(metadata.namespace && { namespace: metadata.namespace }),
    })
    const managers = (live.metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined)
    expect(
      managers.map(({ manager, operation }) => `${manager} ${operation}`),
      `${kind} ${metadata.name}`,
    ).toContain('kubectl-airunway Apply')
    expect(managers.map(({ manager }) => manager)).not.toContain('kubectl-client-side-apply')
  }

  const hasField = async (field: string): Promise<boolean> => {
    const name = 'modeldeployments.airunway.ai'
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
    return JSON.stringify((await cluster.client.get<CustomResourceDefinition>(reference)).spec).includes(field)
  }
})
