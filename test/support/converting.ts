/** ModelDeployments of the samples on a cluster without a controller; their conversion webhook runs in the test's own process. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { entries } from '../../src/playground/entries.ts'
import { issueServingCertificates } from '../../src/playground/standins/certificates.ts'
import { jsonLog } from '../../src/playground/standins/log.ts'
import type { ModelDeployment } from '../../src/playground/standins/model-deployment.ts'
import { convert, serveWebhooks, type WebhookServer } from '../../src/playground/standins/webhook-server.ts'
import { type ControlPlane, eventually } from './control-plane.ts'
import { prefixOf, storedVersionsUnder } from './etcd-bytes.ts'
import { modelDeployment } from './properties/conversion.ts'
import { alpha, beta, group } from './sample-objects.ts'
import { chanceOf } from './seeded.ts'
import { withoutConflict } from './without-conflict.ts'

const definition = `modeldeployments.${group}`
const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: definition }

export class ConvertedModels implements AsyncDisposable {
  readonly name = definition
  /** forgets what v1alpha1 has no field for, instead of keeping it in an annotation */
  lossy = false
  readonly #cluster: ControlPlane
  readonly #server: WebhookServer

  private constructor(cluster: ControlPlane, server: WebhookServer) {
    this.#cluster = cluster
    this.#server = server
  }

  /** Defines them as v0.2.0 does, stored in v1beta1. */
  static async define(cluster: ControlPlane): Promise<ConvertedModels> {
    const certificates = issueServingCertificates('localhost', new Date())
    const made: { models?: ConvertedModels } = {}
    const server = await serveWebhooks({
      port: 0,
      certificate: { certificate: certificates['tls.crt'], key: certificates['tls.key'] },
      routes: new Map([
        [
          '/convert',
          (request: unknown) =>
            convert(request as Parameters<typeof convert>[0], { lossy: made.models?.lossy ?? false }),
        ],
      ]),
      log: jsonLog((line) => process.stderr.write(line), 'conversion'),
    })
    const models = new ConvertedModels(cluster, server)
    made.models = models
    await cluster.client.create(sampleDefinition(server.port, certificates['ca.crt']))
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'models' } })
    await eventually(async () => (await models.read(alpha)).length === 0 && (await models.read(beta)).length === 0)
    return models
  }

  /** Makes objects in v1beta1 with whatever chance gives them, the first one with all there is; the same seed gives the same ones. */
  async write(count: number, seed: number): Promise<void> {
    const numbers = Array.from({ length: count }).keys()
    const worker = async (): Promise<void> => {
      for (const number of numbers) {
        const { metadata, status: _status, ...object } = modelDeployment(chanceOf(seed + number), beta)
        const named = { ...metadata, namespace: 'models', name: `m-${number}` }
        await this.#cluster.client.create({ ...object, ...(number === 0 && { spec: wholeSpec }), metadata: named })
      }
    }
    await Promise.all([worker(), worker(), worker(), worker()])
  }

  /** All of them in one version, by name, without what each write changes. */
  async read(apiVersion: string): Promise<ModelDeployment[]> {
    const found = await this.#cluster.client.list<ModelDeployment & AnyObject>({ apiVersion, kind: 'ModelDeployment' })
    return found
      .map(({ metadata: { resourceVersion: _revision, managedFields: _managers, ...metadata }, ...object }) => ({
        ...object,
        metadata,
      }))
      .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name))
  }

  /** by the version that etcd holds them in */
  stored(): Promise<Record<string, number>> {
    return storedVersionsUnder(this.#cluster.etcdUrl, prefixOf(group, 'modeldeployments'))
  }

  async storedVersions(): Promise<string[]> {
    return (await this.#cluster.client.get<CustomResourceDefinition>(reference)).status?.storedVersions ?? []
  }

  change(edit: (found: CustomResourceDefinition) => void): Promise<void> {
    return withoutConflict(async () => {
      const found = await this.#cluster.client.get<CustomResourceDefinition>(reference)
      edit(found)
      await this.#cluster.client.replace(found)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close()
  }
}

const wholeSpec = {
  model: { id: 'x' },
  engine: {
    type: 'vllm',
    trustRemoteCode: true,
    enablePrefixCaching: true,
    maxModelLength: 8,
    extraArgs: ['-v', '-q'],
  },
  provider: { name: 'kaito', overrides: { deep: { list: [1, { x: 'y' }] } } },
  resources: {
    cpu: '1',
    memory: '1Gi',
    accelerators: [
      { type: 'a', count: 1, memory: '80Gi' },
      { type: 'b', count: 2, memory: '40Gi' },
    ],
  },
  scaling: { replicas: 2, strategy: 'Recreate' },
}

function sampleDefinition(port: number, authority: string): CustomResourceDefinition {
  const file = join(entries().examples, 'releases', 'v0.2.0', 'manifests', 'install.yaml')
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS() as CustomResourceDefinition)
  const found = documents.find(({ metadata }) => metadata.name === definition)
  const webhook = found?.spec.conversion?.webhook
  if (found === undefined || webhook === undefined || webhook === null)
    throw new Error(`${file} has no ${definition} with a webhook`)
  webhook.clientConfig = {
    url: `https://localhost:${port}/convert`,
    caBundle: Buffer.from(authority).toString('base64'),
  }
  return found
}

/** Every field of every object, both ways round. */
export function expectSame(now: readonly ModelDeployment[], before: readonly ModelDeployment[]): void {
  expect(now).toHaveLength(before.length)
  // Each by itself: the difference of ten thousand objects is nothing that anybody could read.
  for (const [index, object] of before.entries()) expect(now[index]).toEqual(object)
}
